// What reads of cards come to. In: the reads of an agent's backends. Out: the status of its backends, and the condition.
import type { BackendStatus } from "../../crds/types.ts";
import { agentFinding, listed, merged } from "../translate/conditions.ts";
import type { Finding } from "../translate/result.ts";
import type { Answers, CardRead, ReadCard } from "./read-card.ts";

/** What is known of a backend. */
export interface Memory {
  /** Where its card is. */
  readonly place: string;
  /** JSON of a BackendStatus, which takes a third of its memory; undefined until it was read there. */
  readonly status: string | undefined;
  readonly answers: Answers;
}

export interface BackendRead {
  readonly name: string;
  readonly memory: Memory;
  /** Absent too when there was nobody to ask. */
  readonly failure?: { readonly reason: Extract<CardRead, { ok: false }>["reason"]; readonly why: string };
}

export function statusOf(name: string, { card, etag }: ReadCard): BackendStatus {
  const versions = [...new Set(card.interfaces.map(({ version }) => version))].sort();
  return {
    name,
    interfaces: card.interfaces,
    versions,
    ...(card.name === undefined ? {} : { cardName: card.name }),
    ...(card.version === undefined ? {} : { cardVersion: card.version }),
    signed: card.signed,
    ...(etag === undefined ? {} : { etag }),
  };
}

/** A read that failed, or could not be tried, keeps what was found before. */
export function judge(reads: readonly BackendRead[]): {
  readonly backends: readonly BackendStatus[];
  readonly finding: Finding;
} {
  const backends: BackendStatus[] = [];
  const unread: string[] = [];
  const failures: Finding[] = [];
  for (const { name, memory, failure } of reads) {
    const { status } = memory;
    if (status === undefined) unread.push(name);
    else backends.push(JSON.parse(status) as BackendStatus);
    if (failure !== undefined) failures.push(agentFinding(failure.reason, name, failure.why));
  }
  const [first, ...more] = failures;
  if (first !== undefined) return { backends, finding: merged(first, more) };
  return { backends, finding: unread.length > 0 ? agentFinding("Pending", listed(unread)) : agentFinding("CardsRead") };
}
