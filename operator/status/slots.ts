// What the status writer knows of each object. In: slots by reference. Out: the same; those at rest are kept as texts outside of the heap,
// since of a hundred thousand objects hardly one is being looked at.
import { agentRowId, keyRowId } from "../../proxy/table/contract.ts";
import type { RowId } from "../../proxy/table/contract.ts";
import { createNumbered } from "../numbered.ts";
import type { Ref } from "../objects.ts";
import { createTextMap } from "../text-map.ts";
import type { Finding, ObjectResult } from "../translate/result.ts";
import type { Entry } from "./decide.ts";

export interface Slot extends Entry {
  busy: boolean;
  failures: number;
}

export interface Slots {
  /** To be changed by whoever got it, until it is laid to rest. */
  get(ref: Ref): Slot | undefined;
  set(ref: Ref, slot: Slot): void;
  /** Nobody changes it before it is asked for again; one that is busy stays as it is. */
  rest(ref: Ref): void;
  delete(ref: Ref): void;
  /** All of them, some perhaps twice. What is set, deleted, got or laid to rest meanwhile may or may not be among them. */
  refs(): Iterable<Ref>;
  readonly size: number;
}

/** What cannot be told from the reference, in an order of its own; members that hardly any slot has come last. */
type Packed = readonly [
  uid: string,
  generation: number,
  conditions: number | readonly Finding[],
  fields: ObjectResult["fields"],
  /** 1: the one that the object's reference gives. */
  rowId: RowId | 1 | null,
  sequence: number,
  since: number,
  flags: number,
  writtenAt: number | null,
  more?: Pick<Slot, "backends" | "written" | "failures"> & {
    readonly findings: readonly (readonly [string, Finding])[];
  },
];
const [BELIEVES, PROGRAMMED] = [1, 2];
/** So many lists of findings are known by number: nearly all objects have one of a few. */
const MOST_LISTS = 1024;

export function createSlots(): Slots {
  /** Made anew when the last one is laid to rest: an old one would leave behind tables that keep dead slots until the next full garbage collection. */
  let awake = new Map<Ref, Slot>();
  const resting = createTextMap();
  const lists = createNumbered(MOST_LISTS, (text) => JSON.parse(text) as readonly Finding[]);

  const pack = (ref: Ref, slot: Slot): string => {
    const { result, sequence, since, believes, programmed, writtenAt = null } = slot;
    const { backends, written, failures, findings } = slot;
    const { uid, generation, conditions, fields, rowId } = result;
    const flags = (believes ? BELIEVES : 0) + (programmed ? PROGRAMMED : 0);
    const own = rowId === rowIdOf(ref) ? 1 : rowId;
    const packed: Packed = [
      uid,
      generation,
      lists.numberOf(JSON.stringify(conditions)) ?? conditions,
      fields,
      own,
      sequence,
      since,
      flags,
      writtenAt,
    ];
    const isBare = backends === undefined && written === undefined && failures === 0 && findings === undefined;
    const more = { backends, written, failures, findings: [...(findings ?? [])] };
    return JSON.stringify(isBare ? packed : [...packed, more]);
  };

  const unpack = (ref: Ref, text: string): Slot => {
    const [uid, generation, list, fields, rowId, sequence, since, flags, writtenAt, more] = JSON.parse(text) as Packed;
    const [kind, namespace = "", name = ""] = ref.split("/");
    const result: ObjectResult = {
      kind: kind === "A2AAgent" ? kind : "VirtualKey",
      namespace,
      name,
      uid,
      generation,
      conditions: typeof list === "number" ? lists.valueOf(list) : list,
      fields,
      rowId: rowId === 1 ? rowIdOf(ref) : rowId,
    };
    return {
      result,
      sequence,
      since,
      believes: (flags & BELIEVES) !== 0,
      programmed: (flags & PROGRAMMED) !== 0,
      backends: more?.backends,
      findings: more === undefined || more.findings.length === 0 ? undefined : new Map(more.findings),
      writtenAt: writtenAt ?? undefined,
      written: more?.written === undefined ? undefined : { ...more.written, echo: more.written.echo },
      busy: false,
      failures: more?.failures ?? 0,
    };
  };

  return {
    get(ref) {
      const found = awake.get(ref);
      if (found !== undefined) return found;
      const text = resting.get(ref);
      if (text === undefined) return undefined;
      const slot = unpack(ref, text);
      resting.delete(ref);
      awake.set(ref, slot);
      return slot;
    },
    set(ref, slot) {
      resting.delete(ref);
      awake.set(ref, slot);
    },
    rest(ref) {
      const slot = awake.get(ref);
      if (slot === undefined || slot.busy) return;
      awake.delete(ref);
      if (awake.size === 0) awake = new Map();
      resting.set(ref, pack(ref, slot));
    },
    delete(ref) {
      awake.delete(ref);
      resting.delete(ref);
    },
    *refs() {
      yield* awake.keys();
      yield* resting.names();
    },
    get size() {
      return awake.size + resting.size;
    },
  };
}

function rowIdOf(ref: Ref): RowId {
  const [kind, namespace = "", name = ""] = ref.split("/");
  return kind === "A2AAgent" ? agentRowId(namespace, name) : keyRowId(namespace, name);
}
