// What reads of cards come to. In: the reads of an agent's backends, and its status. Out: the status of its backends, and the condition.
import type { BackendStatus } from "../../crds/types.ts";
import { agentFinding, listed, merged } from "../translate/conditions.ts";
import type { Finding } from "../translate/result.ts";
import { plainText } from "./parse-card.ts";
import type { Answers, CardRead, ReadCard } from "./read-card.ts";

/** The last read of a backend that succeeded. */
export interface Memory {
  /** Where it was read. */
  readonly place: string;
  readonly status: BackendStatus;
  readonly answers: Answers;
}

export interface BackendRead {
  readonly name: string;
  /** Absent: never read by this process, or read elsewhere than the backend is now. */
  readonly memory?: Memory;
  /** False: what the status says was read elsewhere. */
  readonly stillTrue: boolean;
  /** Absent too when there was nobody to ask. */
  readonly failure?: { readonly reason: Extract<CardRead, { ok: false }>["reason"]; readonly why: string };
}

export function statusOf(name: string, { card, etag }: ReadCard): BackendStatus {
  const versions = [...new Set(card.interfaces.map(({ version }) => version))].sort();
  const kept = plainText(etag);
  return {
    name,
    interfaces: card.interfaces,
    versions,
    ...(card.name === undefined ? {} : { cardName: card.name }),
    ...(card.version === undefined ? {} : { cardVersion: card.version }),
    signed: card.signed,
    ...(kept === undefined ? {} : { etag: kept }),
  };
}

/** A read that failed, or could not be tried, keeps what was found before: by this process, or else as the status has it. */
export function judge(
  reads: readonly BackendRead[],
  before: readonly BackendStatus[],
): { readonly backends: readonly BackendStatus[]; readonly finding: Finding } {
  const backends: BackendStatus[] = [];
  const unread: string[] = [];
  const failures: Finding[] = [];
  for (const { name, memory, stillTrue, failure } of reads) {
    const status = memory?.status ?? (stillTrue ? before.find((backend) => backend.name === name) : undefined);
    if (status === undefined) unread.push(name);
    else backends.push(status);
    if (failure !== undefined) failures.push(agentFinding(failure.reason, name, failure.why));
  }
  const [first, ...more] = failures;
  if (first !== undefined) return { backends, finding: merged(first, more) };
  return { backends, finding: unread.length > 0 ? agentFinding("Pending", listed(unread)) : agentFinding("CardsRead") };
}
