// Keeps the statuses at the API server true. In: results of translation, findings of discovery, acknowledgements, the Lease.
// Out: as few writes as that takes: only by the holder of the Lease, only what differs from what stands there, one a generation
// where acknowledgements come in time, a bounded number at once, the newest state of an object always.
import { isDeepStrictEqual } from "node:util";
import type { Clock } from "../../process/clock.ts";
import type { Log } from "../../process/log.ts";
import type { BackendStatus } from "../../crds/types.ts";
import type { ApplyResult, StatusTarget } from "../kube/apply.ts";
import { createAlarms } from "../alarms.ts";
import type { ProxyState } from "../publish/acks.ts";
import { refOf } from "../objects.ts";
import type { AgentObject, KeyObject, Ref, StoredObject } from "../objects.ts";
import type { Finding, ObjectResult } from "../translate/result.ts";
import { compareStatus } from "./compose.ts";
import type { Status } from "./compose.ts";
import { conditionEvents } from "./conditions.ts";
import type { ConditionEvent } from "./conditions.ts";
import { decide } from "./decide.ts";
import type { Limits, StoredStatus } from "./decide.ts";
import { tally } from "./programmed.ts";
import type { Serving } from "./programmed.ts";
import { createSlots } from "./slots.ts";
import type { Slot } from "./slots.ts";
import { createWaiting } from "./waiting.ts";

export interface WriterDeps {
  /** The object as it was last read. */
  readonly read: (ref: Ref) => StoredObject | undefined;
  /** Those that must serve an object for it to be programmed. */
  readonly proxies: () => readonly ProxyState[];
  /** Sequence of the last batch that went out. */
  readonly sent: () => number;
  /** Asked right before each write: whether the Lease is surely held at this moment. */
  readonly mayWrite: () => boolean;
  readonly write: (target: StatusTarget, status: Status, signal: AbortSignal) => Promise<ApplyResult>;
  readonly emit: (target: StatusTarget, event: ConditionEvent) => void;
  readonly clock: Clock;
  readonly random: () => number;
  readonly log: Log;
  readonly metrics: { written(kind: StatusTarget["kind"], result: "ok" | "Gone" | "Refused" | "Unavailable"): void };
  readonly limits?: Partial<Limits>;
}

export interface StatusWriter {
  /** `sequence`: the batch that carries these results' rows. */
  results(results: readonly ObjectResult[], sequence: number): void;
  removed(ref: Ref): void;
  /** What discovery found of the agent's backends, and what it has to say in conditions. */
  discovered(agent: Omit<StatusTarget, "kind">, backends: readonly BackendStatus[], finding: Finding): void;
  /** Says something that translation cannot know, in place of its finding of that type; undefined takes it back. */
  override(target: StatusTarget, type: string, finding: Finding | undefined): void;
  /** The object was read anew: somebody may have changed its status. */
  stored(ref: Ref): void;
  /** A proxy came, went or acknowledged. */
  proxiesChanged(): void;
  /** Whether this process writes. To be said again whenever `mayWrite` has become true again. */
  lead(holding: boolean): void;
  /** Objects whose status is not yet as wanted. */
  readonly waiting: number;
  close(): void;
}

/** Writes at once: while few wait, and at most. Few leave the API server to those who edit; one that hangs is none of the few. */
const FEW_AT_ONCE = 2;
const MOST_AT_ONCE = 8;
/** So many that wait are worth one more write at once. */
const WAITING_A_WRITE = 4;
/** Milliseconds after which a write hangs: an admission webhook, or the API server, may keep it until its time is over. */
const HANGS_MS = 1_000;
/** Milliseconds: waits after a failed write double from the first to the second, and are spread by chance. */
const RETRY = { base: 500, cap: 30_000 };
/** Milliseconds of looking at objects between two looks at whatever else waits in this process. */
const TURN_MS = 4;

export function createStatusWriter(deps: WriterDeps): StatusWriter {
  const { clock, random, log, metrics } = deps;
  /** Whoever gets one lays it to rest again, unless it is due: whoever looks at it then does. */
  const slots = createSlots();
  /** To be looked at now, in this order; nothing while this process does not lead. */
  const due = new Set<Ref>();
  const waiting = createWaiting({
    clock,
    wake: (refs) => wakeAll(refs),
    walk: (refs) => {
      // One that has not begun comes to everything that this one would.
      if (leading !== undefined && walks.length < 2) walks.push(refs[Symbol.iterator]());
      pump();
    },
  });
  let serving: Serving | undefined;
  let running = 0;
  /** Of those that run. */
  let hanging = 0;
  let openedAt: number | undefined;
  let ledAt = 0;
  let leading: AbortController | undefined;
  let scheduled = false;
  /** To be looked at after what is due: walks over many objects, of which nobody makes a list. Only the first one has begun. */
  const walks: Iterator<Ref>[] = [];

  /** Of `clock.elapsed()`: when this turn of the event loop has looked long enough, however many answers come in with it. */
  let enough: number | undefined;

  const pump = (): void => {
    enough ??= beginTurn();
    if (clock.elapsed() >= enough) return schedule();
    for (const ref of dueThenWalks()) {
      // Looked at for each: while this process was stopped, the Lease may have run out.
      if (leading === undefined || running >= mostAtOnce() || !deps.mayWrite()) return;
      const slot = slots.get(ref);
      if (slot?.busy === true) continue;
      due.delete(ref);
      if (slot !== undefined) consider(ref, slot, leading.signal);
      slots.rest(ref);
      if (clock.elapsed() >= enough) return schedule();
    }
  };
  const mostAtOnce = (): number =>
    walks.length > 0
      ? MOST_AT_ONCE
      : Math.min(FEW_AT_ONCE + hanging + Math.floor(due.size / WAITING_A_WRITE), MOST_AT_ONCE);
  const beginTurn = (): number => {
    setImmediate(() => (enough = undefined));
    return clock.elapsed() + TURN_MS;
  };

  /** What is not looked at when the caller stops stays due. */
  function* dueThenWalks(): Generator<Ref> {
    yield* due;
    for (let [walk] = walks; walk !== undefined; [walk] = walks) {
      for (let next = walk.next(); next.done !== true; next = walk.next()) {
        due.add(next.value);
        yield next.value;
      }
      walks.shift();
    }
  }

  /** Not at once: what else comes in with the same change comes before the look. */
  const schedule = (): void => {
    if (scheduled || due.size + walks.length === 0) return;
    scheduled = true;
    setImmediate(() => {
      scheduled = false;
      pump();
    });
  };

  const wake = (ref: Ref): void => {
    alarms.clear(ref);
    // Whoever begins to lead looks at everything.
    if (leading !== undefined) due.add(ref);
    else slots.rest(ref);
  };
  const wakeAll = (refs: Iterable<Ref>): void => {
    for (const ref of refs) wake(ref);
    pump();
  };
  const alarms = createAlarms({ clock, ring: wakeAll });

  const later = (ref: Ref, ms: number): void => {
    if (leading !== undefined) alarms.set(ref, clock.elapsed() + ms);
  };

  /** Waits for nothing more. */
  const rest = (): void => {
    due.clear();
    walks.length = 0;
    alarms.clearAll();
    waiting.rest();
  };

  /** Some now, the others in later turns: there may be as many as there are objects. One that is looked at meanwhile loses nothing by it. */
  const layToRest = (refs: IterableIterator<Ref>): void => {
    const until = clock.elapsed() + TURN_MS;
    for (const ref of refs) {
      slots.rest(ref);
      if (clock.elapsed() >= until) return void setImmediate(() => layToRest(refs));
    }
  };

  const forget = (ref: Ref): void => {
    slots.delete(ref);
    due.delete(ref);
    alarms.clear(ref);
    waiting.delete(ref);
  };

  const consider = (ref: Ref, slot: Slot, signal: AbortSignal): void => {
    const object = deps.read(ref);
    if (object === undefined || (object.kind !== "A2AAgent" && object.kind !== "VirtualKey")) return;
    if (object.metadata.uid !== slot.result.uid) return;
    const before = currentStatus(slot, object, clock.elapsed());
    const decision = decide(slot, object, before, {
      now: clock.now(),
      elapsed: clock.elapsed(),
      openedAt: openedAt ?? clock.elapsed(),
      ledAt,
      sent: deps.sent(),
      serving: (serving ??= tally(deps.proxies())),
      limits: deps.limits ?? {},
    });
    if (decision.programmed) {
      slot.programmed = true;
      waiting.delete(ref);
    }
    if (decision.again !== undefined) later(ref, decision.again);
    if (decision.write === undefined) return;
    slot.busy = true;
    running++;
    const { kind, namespace, name, uid } = slot.result;
    void save(ref, slot, { kind, namespace, name, uid }, decision.write, before, signal);
  };

  const save = async (
    ref: Ref,
    slot: Slot,
    target: StatusTarget,
    status: Status,
    before: Status,
    signal: AbortSignal,
  ): Promise<void> => {
    let hangs = 0;
    const timer = clock.setTimeout(() => {
      hangs = 1;
      hanging += hangs;
      pump();
    }, HANGS_MS);
    const result = await deps.write(target, status, signal);
    timer.cancel();
    hanging -= hangs;
    running--;
    slot.busy = false;
    metrics.written(target.kind, result.ok ? "ok" : result.reason);
    if (result.ok) {
      slot.failures = 0;
      slot.writtenAt = clock.elapsed();
      slot.written = { status, resourceVersion: result.resourceVersion, echo: undefined };
      noteEcho(slot, deps.read(ref));
      for (const event of conditionEvents(before.conditions ?? [], status.conditions ?? [])) deps.emit(target, event);
      wake(ref);
    } else if (result.reason !== "Gone") {
      if (!signal.aborted) {
        log.warn({ object: ref, reason: result.reason, cause: result.message }, "status could not be written");
      }
      // What was refused is refused again until something changes, which wakes it.
      if (result.reason === "Unavailable")
        later(ref, random() * Math.min(RETRY.base * 2 ** ++slot.failures, RETRY.cap));
    }
    slots.rest(ref);
    pump();
  };

  const slotOf = (ref: Ref, uid: string): Slot | undefined => {
    const slot = slots.get(ref);
    if (slot?.result.uid === uid) return slot;
    slots.rest(ref);
    return undefined;
  };

  return {
    results: (results, sequence) => {
      openedAt ??= clock.elapsed();
      for (const result of results) {
        const ref = refOf(result.kind, result.namespace, result.name);
        const slot = nextSlot(slots.get(ref), result, sequence, Math.floor(clock.elapsed()));
        slots.set(ref, slot);
        if (slot.programmed || result.rowId === null) waiting.delete(ref);
        else waiting.add(ref, slot.sequence);
        wake(ref);
      }
      schedule();
    },
    removed: forget,
    discovered: ({ namespace, name, uid }, backends, finding) => {
      const ref = refOf("A2AAgent", namespace, name);
      const slot = slotOf(ref, uid);
      if (slot === undefined) return;
      slot.backends = backends;
      slot.findings ??= new Map();
      slot.findings.set(finding.type, finding);
      wake(ref);
      schedule();
    },
    override: (target, type, finding) => {
      const ref = refOf(target.kind, target.namespace, target.name);
      const slot = slotOf(ref, target.uid);
      if (slot === undefined) return;
      slot.findings ??= new Map();
      if (finding === undefined) slot.findings.delete(type);
      else slot.findings.set(type, finding);
      wake(ref);
      schedule();
    },
    stored: (ref) => {
      const slot = slots.get(ref);
      if (slot === undefined) return;
      if (slot.written !== undefined) noteEcho(slot, deps.read(ref));
      wake(ref);
      schedule();
    },
    proxiesChanged: () => {
      serving = undefined;
      // Whoever begins to lead looks at everything.
      if (leading !== undefined) waiting.changed(() => (serving ??= tally(deps.proxies())));
    },
    lead: (holding) => {
      if (holding === (leading !== undefined)) return schedule();
      leading?.abort();
      leading = holding ? new AbortController() : undefined;
      if (holding) ledAt = clock.elapsed();
      if (holding) walks.splice(0, walks.length, slots.refs()[Symbol.iterator]());
      else {
        layToRest([...due].values());
        rest();
      }
      schedule();
    },
    get waiting() {
      return (walks.length === 0 ? due.size : slots.size) + running;
    },
    close: () => {
      leading?.abort();
      leading = undefined;
      rest();
    },
  };
}

/** Milliseconds for which our own write is believed although the watch has not shown it. */
const ECHO = 10_000;

function noteEcho(slot: Slot, object: StoredObject | undefined): void {
  const { written } = slot;
  if (written === undefined || object?.metadata.resourceVersion !== written.resourceVersion) return;
  if (object.kind !== "A2AAgent" && object.kind !== "VirtualKey") return;
  const read = object.status ?? {};
  if (compareStatus(written.status, read) === "none") slot.written = undefined;
  else written.echo = read;
}

/**
 * What stands at the API server: what was read, or what we wrote since. What was read back after our write counts as what we
 * wrote, even if the API server dropped a field on the way: writing it again would change nothing.
 */
function currentStatus({ written, writtenAt = 0 }: Slot, object: AgentObject | KeyObject, elapsed: number): Status {
  const read: StoredStatus = object.status ?? {};
  if (written === undefined) return read;
  if (written.echo === undefined) return elapsed - writtenAt < ECHO ? written.status : read;
  return isDeepStrictEqual(read, written.echo) ? written.status : read;
}

function nextSlot(before: Slot | undefined, result: ObjectResult, sequence: number, elapsed: number): Slot {
  const same = before !== undefined && before.result.uid === result.uid ? before : undefined;
  const generation = same?.result.generation === result.generation;
  // Published, unpublished and published again is another matter than the first time.
  const published = generation && same?.result.rowId === result.rowId;
  if (same !== undefined) {
    same.result = result;
    if (!published) {
      same.sequence = sequence;
      same.programmed = false;
      // The status may still say what held before; the next generation's cannot.
      same.believes = !generation;
    }
    if (!generation) same.since = elapsed;
    return same;
  }
  return {
    result,
    sequence,
    since: elapsed,
    programmed: false,
    believes: true,
    backends: undefined,
    findings: undefined,
    writtenAt: undefined,
    written: undefined,
    busy: false,
    failures: 0,
  };
}
