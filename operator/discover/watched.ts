// What is known of the agents whose cards are read. In: an agent's reference and what is known. Out: the same; kept as texts outside of the
// heap, since of ten thousand agents a few are read at once.
import { hash } from "node:crypto";
import type { Ref } from "../objects.ts";
import { createTextMap } from "../text-map.ts";
import type { BackendRead } from "./findings.ts";
import type { Answers } from "./read-card.ts";

export interface Watched {
  readonly uid: string;
  /** Tells apart what the reads depend on. */
  readonly spec: string;
  /** Backends that could be asked when last looked at. */
  readonly reachable: readonly string[];
  /** When each backend was last asked, if it ever was; whole milliseconds of `clock.elapsed()`. */
  readonly askedAt: Readonly<Record<string, number>>;
  /** Of each backend, in the spec's order: what was read last, or is known without. */
  readonly reads: readonly BackendRead[];
}

export interface WatchedAgents {
  get(ref: Ref): Watched | undefined;
  set(ref: Ref, watched: Watched): void;
  delete(ref: Ref): void;
  clear(): void;
}

/** `reads` as JSON has them. */
type Packed = readonly [
  ...own: readonly [Watched["uid"], Watched["spec"], Watched["reachable"], Watched["askedAt"]],
  reads: readonly (readonly [
    name: string,
    place: string,
    status: string | null,
    answers: readonly (readonly [id: string, answer: NonNullable<ReturnType<Answers["get"]>>])[],
    failure?: BackendRead["failure"],
  ])[],
];

export function createWatchedAgents(): WatchedAgents {
  const texts = createTextMap();
  return {
    get(ref) {
      const text = texts.get(ref);
      if (text === undefined) return undefined;
      const [uid, spec, reachable, askedAt, packed] = JSON.parse(text) as Packed;
      const reads = packed.map(([name, place, status, answers, failure]): BackendRead => {
        const memory = { place, status: status ?? undefined, answers: new Map(answers) };
        return failure === undefined ? { name, memory } : { name, memory, failure };
      });
      return { uid, spec, reachable, askedAt, reads };
    },
    set(ref, { uid, spec, reachable, askedAt, reads }) {
      const packed: Packed = [
        uid,
        spec,
        reachable,
        askedAt,
        reads.map(({ name, memory: { place, status = null, answers }, failure }) =>
          failure === undefined ? [name, place, status, [...answers]] : [name, place, status, [...answers], failure],
        ),
      ];
      texts.set(ref, JSON.stringify(packed));
    },
    delete: (ref) => void texts.delete(ref),
    clear: () => texts.clear(),
  };
}

/** What is only asked whether it is as before, in few characters. */
export const shortOf = (text: string): string => hash("sha256", text, "base64url").slice(0, 22);
