// Whether proxies serve an object as it stands. In: the sequence that first carried its generation, what proxies acknowledged.
// Out: the condition `Programmed`. Pure.
import type { A2AAgentStatus, VirtualKeyStatus } from "../../crds/types.ts";
import type { RowId } from "../../proxy/table/contract.ts";
import type { ProxyState } from "../publish/acks.ts";
import type { Finding } from "../translate/result.ts";

/** Proxies named in a message; the others are counted. */
const NAMED = 3;

/** What the proxies that count serve all together. */
export interface Serving {
  readonly proxies: readonly ProxyState[];
  /** Every one of them serves everything up to this sequence; -1: one has not said anything. */
  readonly sequence: number;
  /** Some row is refused by one of them. */
  readonly refusing: boolean;
}

/** One look at the proxies, for any number of objects. */
export function tally(proxies: readonly ProxyState[]): Serving {
  let sequence = Number.POSITIVE_INFINITY;
  let refusing = false;
  for (const { acked, refused, refusedRows } of proxies) {
    sequence = Math.min(sequence, acked?.sequence ?? -1);
    refusing ||= refusedRows > 0 || refused.size > 0;
  }
  return { proxies, sequence, refusing };
}

/**
 * True when every proxy that counts has acknowledged the sequence and none refuses the row, as far as it names what it refuses; one
 * that refuses more rows than it names may refuse this one.
 * @param carried `rowId`: null when nothing is published. `sequence`: the batch that first carried the generation.
 * @param sent sequence of the last batch that went out.
 */
export function judgeProgrammed(
  carried: { readonly rowId: RowId | null; readonly sequence: number },
  sent: number,
  serving: Serving,
): Finding {
  const { rowId, sequence } = carried;
  const { proxies } = serving;
  if (rowId === null) return no("NotPublished", "Nothing is published for this object; its other conditions say why.");
  if (proxies.length === 0) return no("NoProxies", "No proxy is connected or ready, so nobody serves this object.");
  if (!serving.refusing && serving.sequence >= sequence) return PROGRAMMED;
  const refusing = proxies.filter(({ refused }) => refused.has(rowId));
  const [first] = refusing;
  if (first !== undefined) {
    return no("RowRefused", `Refused by ${named(refusing)}: ${first.refused.get(rowId) ?? ""}`);
  }
  const lagging = proxies.filter(({ acked }) => acked === undefined || acked.sequence < sequence);
  if (lagging.length > 0) {
    if (sequence > sent) return no("Pending", "The change is about to be sent to the proxies.");
    return no("NotApplied", `Not yet served by ${named(lagging)}.`);
  }
  // An acknowledgement names 100 refused rows at most: this row may be among those that it only counts.
  const unsaid = proxies.find(({ refused, refusedRows }) => refusedRows > refused.size);
  if (unsaid !== undefined) {
    const { refusedRows, refused: some } = unsaid;
    return no(
      "RowRefused",
      `Proxy ${nameOf(unsaid)} refuses ${refusedRows} rows and names ${some.size} of them: this one may be among the others.`,
    );
  }
  return PROGRAMMED;
}

/** What is said of an object that all proxies serve. */
export const PROGRAMMED: Finding = {
  type: "Programmed",
  status: "True",
  reason: "Programmed",
  message: "Every proxy serves this generation.",
};

/** Whether a status says that this generation was programmed: then it is not judged again. */
export function isProgrammed(status: A2AAgentStatus | VirtualKeyStatus | undefined, generation: number): boolean {
  return (
    status?.conditions?.some(
      (condition) =>
        condition.type === "Programmed" && condition.status === "True" && condition.observedGeneration === generation,
    ) ?? false
  );
}

function no(reason: string, message: string): Finding {
  return { type: "Programmed", status: "False", reason, message };
}

const nameOf = ({ name, proxy }: ProxyState): string => name ?? proxy;

function named(proxies: readonly ProxyState[]): string {
  const names = proxies.slice(0, NAMED).map(nameOf);
  const rest = proxies.length - names.length;
  const noun = proxies.length === 1 ? "proxy" : "proxies";
  return `${noun} ${names.join(", ")}${rest > 0 ? ` and ${rest} more` : ""}`;
}
