// The API server's part in tests of the status writer: objects whose status is written and read back, proxies, time.
// In: what a test changes. Out: what was written, in order, and the Events.
import type { FakeClock } from "../../proxy/table/clock.test-support.ts";
import type { ApplyResult, StatusTarget } from "../kube/apply.ts";
import { refOf } from "../objects.ts";
import type { AgentObject, KeyObject, Ref } from "../objects.ts";
import type { ProxyState } from "../publish/acks.ts";
import type { Finding, ObjectResult } from "../translate/result.ts";
import type { Status } from "./compose.ts";
import type { ConditionEvent } from "./conditions.ts";
import { createStatusWriter } from "./writer.ts";
import type { StatusWriter } from "./writer.ts";

const silent = (): void => undefined;
const log = { trace: silent, debug: silent, info: silent, warn: silent, error: silent };
export const CARDS: Finding = { type: "Discovered", status: "True", reason: "CardsRead", message: "" };

export function createWorld(clock: FakeClock) {
  const stored = new Map<Ref, AgentObject | KeyObject>();
  const writes: { name: string; status: Status }[] = [];
  const events: [string, ConditionEvent][] = [];
  const results: string[] = [];
  const answers: ApplyResult[] = [];
  let version = 100;
  let proxies: readonly ProxyState[] = [];
  let sent = 0;
  let echo = true;
  let hold: (() => void)[] | undefined;
  let busiest = 0;
  let busy = 0;
  /** By name, how many of its writes hang, and those that do. */
  const hangs = new Map<string, number>();
  let hanging: (() => void)[] = [];
  let mayWrite = true;
  let reads = 0;

  const write = async ({ kind, namespace, name }: StatusTarget, status: Status): Promise<ApplyResult> => {
    busiest = Math.max(busiest, ++busy);
    const times = hangs.get(name) ?? 0;
    if (times > 0) {
      hangs.set(name, times - 1);
      await new Promise<void>((resolve) => hanging.push(resolve));
      busy--;
      return { ok: false, reason: "Unavailable", message: "no answer" };
    }
    await new Promise<void>((resolve) => {
      if (hold === undefined) resolve();
      else hold.push(resolve);
    });
    busy--;
    const answer = answers.shift();
    if (answer !== undefined) return answer;
    writes.push({ name, status });
    const ref = refOf(kind, namespace, name);
    const object = stored.get(ref);
    const resourceVersion = String(++version);
    if (object !== undefined && echo) {
      stored.set(ref, { ...object, metadata: { ...object.metadata, resourceVersion }, status });
      queueMicrotask(() => writer.stored(ref));
    }
    return { ok: true, resourceVersion };
  };
  const writer: StatusWriter = createStatusWriter({
    read: (ref) => {
      reads++;
      return stored.get(ref);
    },
    proxies: () => proxies,
    sent: () => sent,
    mayWrite: () => mayWrite,
    write,
    emit: ({ name }, event) => events.push([name, event]),
    clock,
    random: () => 1,
    log,
    metrics: { written: (kind, result) => results.push(`${kind} ${result}`) },
  });
  return {
    stored,
    writes,
    events,
    results,
    answers,
    writer,
    reads: () => reads,
    setMayWrite: (value: boolean) => {
      mayWrite = value;
    },
    setEcho: (value: boolean) => {
      echo = value;
    },
    holdWrites: () => {
      hold = [];
    },
    release: (count: number) => {
      for (const resolve of hold?.splice(0, count) ?? []) resolve();
    },
    letGo: () => {
      const held = hold ?? [];
      hold = undefined;
      for (const resolve of held) resolve();
    },
    /** The next writes of this object get no answer. */
    hang: (name: string, times: number) => hangs.set(name, times),
    /** Those that hang fail now. */
    failHanging: () => {
      const failed = hanging;
      hanging = [];
      for (const resolve of failed) resolve();
    },
    busiest: () => busiest,
    ack: (names: Readonly<Record<string, number | undefined>>) => {
      proxies = Object.entries(names).map(([proxy, sequence]) => ({
        proxy,
        address: "",
        connectedAt: 0,
        standby: false,
        acked: sequence === undefined ? undefined : { sequence, version: "v", at: 0 },
        refused: new Map(),
        refusedRows: 0,
      }));
      writer.proxiesChanged();
    },
    publish: (sequence: number) => {
      sent = sequence;
    },
  };
}

export type World = ReturnType<typeof createWorld>;

/** Lets everything run that waits for nothing but its turn. */
export const settle = (): Promise<void> => new Promise((resolve) => void setImmediate(resolve));

export const agent = (world: World, name: string, generation: number, more: Partial<AgentObject> = {}): AgentObject => {
  const ref = refOf("A2AAgent", "agents", name);
  const before = world.stored.get(ref);
  const object: AgentObject = {
    kind: "A2AAgent",
    metadata: {
      namespace: "agents",
      name,
      uid: `uid-${name}`,
      generation,
      resourceVersion: `${name}-${generation}`,
      creationTimestamp: "2026-01-01T00:00:00Z",
      labels: {},
    },
    spec: { gatewayName: "default", backends: [{ name: "a", url: "http://x" }] },
    ...(before?.status === undefined ? {} : { status: before.status }),
    ...more,
  };
  world.stored.set(ref, object);
  return object;
};
export const result = (name: string, generation: number, more: Partial<ObjectResult> = {}): ObjectResult => ({
  kind: "A2AAgent",
  namespace: "agents",
  name,
  uid: `uid-${name}`,
  generation,
  conditions: [{ type: "Accepted", status: "True", reason: "Accepted", message: "" }, CARDS],
  fields: { url: `/a2a/${name}`, readyEndpoints: 2, knownEndpoints: 2 },
  rowId: `agent/agents/${name}`,
  ...more,
});
export const conditionsOf = (status: Status | undefined): Record<string, string> =>
  Object.fromEntries(status?.conditions?.map(({ type, status: value, reason }) => [type, `${value} ${reason}`]) ?? []);
/** An agent that is programmed and written. */
export const written = async (world: World, name = "travel"): Promise<void> => {
  agent(world, name, 1);
  world.writer.lead(true);
  world.publish(1);
  world.ack({ p1: 1 });
  world.writer.results([result(name, 1)], 1);
  await settle();
  world.writes.length = 0;
  world.events.length = 0;
};
