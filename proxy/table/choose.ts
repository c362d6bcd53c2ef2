// Whose batches are applied. In: what is known of each operator's stream. Out: one of them. Pure.

export interface Candidate {
  readonly id: string;
  /** "Opening": asked for, and not yet given up. "Lost": ended, refused, silent, or without an answer for too long. */
  readonly state: "Opening" | "Live" | "Lost";
  /** Whether it said of itself, when last heard, that it holds the Lease. */
  readonly namesItself: boolean;
  /** It is applied, and has not brought the table into step since it was opened. */
  readonly filling: boolean;
}

/**
 * The stream to apply from now on; undefined while there are none. The applied one stays while it is not lost and nobody else names itself
 * the holder, or it does so too: so one that comes back moves nothing. What it began to send comes to its end first: else a new proxy
 * would be sent the whole table twice. A move goes to a live one only, to one that names itself if there is.
 */
export function choose(candidates: readonly Candidate[], applied: string | undefined): string | undefined {
  const current = candidates.find(({ id }) => id === applied);
  const others = candidates.filter((one) => one !== current && one.state === "Live");
  const holder = others.find(({ namesItself }) => namesItself);
  if (current !== undefined && current.state !== "Lost") {
    const stays = current.namesItself || current.filling || holder === undefined;
    return stays ? current.id : holder.id;
  }
  return (holder ?? others[0] ?? current ?? candidates[0])?.id;
}
