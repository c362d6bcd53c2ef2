// Discovery over a store, with a clock that the test moves. In: objects and their changes. Out: findings as they come in.
import type { BackendStatus } from "../../crds/types.ts";
import { createFakeClock } from "../../proxy/table/clock.test-support.ts";
import { refOf } from "../objects.ts";
import type { AgentObject, StoredObject } from "../objects.ts";
import { createStore } from "../store.ts";
import { agent, endpoint, slice } from "../translate/objects.test-support.ts";
import type { Finding } from "../translate/result.ts";
import { createDiscovery } from "./discovery.ts";
import type { DiscoveredAgent } from "./discovery.ts";
import type { TestServer } from "./servers.test-support.ts";

interface Found {
  readonly agent: DiscoveredAgent;
  readonly backends: readonly BackendStatus[];
  readonly finding: Finding;
}

export function setUp(...objects: StoredObject[]) {
  const clock = createFakeClock();
  const store = createStore({ gatewayName: "default" });
  for (const object of objects) store.set(object);
  const stop = new AbortController();
  const found: Found[] = [];
  const waiting: ((found: Found) => void)[] = [];
  const errors: string[] = [];
  /** What the listener throws, once each. */
  const failing: Error[] = [];
  const outcomes: string[] = [];
  const silent = (): void => undefined;
  const discovery = createDiscovery({
    store,
    settings: { allowedUpstreams: ["127.0.0.0/8"] },
    clock,
    random: () => 0.5,
    log: {
      trace: silent,
      debug: silent,
      info: silent,
      warn: silent,
      error: (...said: unknown[]) => errors.push(String(said[1])),
    },
    signal: stop.signal,
    onFindings(of, backends, finding) {
      const failure = failing.shift();
      if (failure !== undefined) throw failure;
      const one = { agent: of, backends, finding };
      const next = waiting.shift();
      if (next === undefined) found.push(one);
      else next(one);
    },
    onRead: (outcome) => outcomes.push(outcome),
  });
  return {
    clock,
    store,
    stop,
    discovery,
    errors,
    failing,
    outcomes,
    found,
    /** The next findings that come in. */
    next: (): Promise<Found> => {
      const first = found.shift();
      return first === undefined ? new Promise((resolve) => waiting.push(resolve)) : Promise.resolve(first);
    },
    change: (...changed: StoredObject[]): void => {
      discovery.poke(changed.filter((object) => store.set(object)).map(refOfObject));
    },
    remove: (object: StoredObject): void => {
      discovery.poke(store.delete(refOfObject(object)) ? [refOfObject(object)] : []);
    },
  };
}

const refOfObject = ({ kind, metadata }: StoredObject): string => refOf(kind, metadata.namespace, metadata.name);

export const urlAgent = (url: string, name = "travel"): AgentObject =>
  agent({ name }, { backends: [{ name: "main", url }] });
export const endpointsAt = (server: Pick<TestServer, "port">, ready = true): StoredObject =>
  slice({}, [endpoint("127.0.0.1", { ready, serving: ready })], { ports: [{ name: "http", port: server.port }] });

export const STATUS: BackendStatus = {
  name: "main",
  interfaces: [{ binding: "JSONRPC", version: "1.0", path: "/rpc" }],
  versions: ["1.0"],
  cardName: "Travel",
  cardVersion: "1.0.0",
  signed: false,
};
