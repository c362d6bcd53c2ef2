// A proxy that comes new, and one that comes back. In: a side. Out: time until it is ready, bytes of a snapshot, bytes after one change.
import { setTimeout as pause } from "node:timers/promises";
import { startByteRelay, type ByteRelay } from "../../harness/byte-relay.ts";
import { startProxy } from "../../harness/gateway.ts";
import { eventually } from "../../harness/processes.ts";
import { memoryOf, metricsOf, sum } from "./processes.ts";
import { versionIn, type Side } from "./side.ts";

export interface Arrival {
  /** Milliseconds from starting the process to ready. */
  readonly readyMs: number;
  /** Bytes from all operators until it was ready. */
  readonly snapshotBytes: number;
  /** Bytes from all operators, from coming back after one edit until its table is the operators' again. */
  readonly reconnectBytes: number;
  /** MB two seconds after it was ready. */
  readonly memory: number;
}

const SETTLED_MS = 2_000;

/** Memory of a proxy that has just come, in MB. Of a second one: the first may compile the sources, which an image has compiled, and keep what that took. */
export async function memoryOfNew(side: Side, folder: string, tree: string | undefined): Promise<number> {
  await memoryOfOne("first", side, folder, tree);
  return memoryOfOne("second", side, folder, tree);
}

async function memoryOfOne(name: string, side: Side, folder: string, tree: string | undefined): Promise<number> {
  const urls = side.cluster.operators.map(({ url }) => url);
  const proxy = await startProxy(name, urls, { folder, tree, args: [`--gateway-name=${side.gateway}`] });
  try {
    await proxy.ready(300_000);
    await pause(SETTLED_MS);
    return memoryOf(proxy);
  } finally {
    await proxy.child.stop();
  }
}

/** Starts one proxy more with relays between, cuts it off for the time of one edit, and stops it. `folder`: for its last good table. */
export async function arrival(side: Side, folder: string, tree: string | undefined): Promise<Arrival> {
  const relays: ByteRelay[] = [];
  for (const { url } of side.cluster.operators) relays.push(await startByteRelay(url));
  const received = (): number => relays.reduce((total, relay) => total + relay.received, 0);
  const begun = performance.now();
  const proxy = await startProxy(
    "late",
    relays.map(({ url }) => url),
    { folder, tree, args: [`--gateway-name=${side.gateway}`] },
  );
  try {
    await proxy.ready(300_000);
    const readyMs = performance.now() - begun;
    const snapshotBytes = received();
    await pause(SETTLED_MS);
    const memory = memoryOf(proxy);
    for (const relay of relays) relay.cut();
    await eventually("it is cut off", async () => sum(await metricsOf(proxy), "parley_table_connected") === 0);
    await side.edit();
    await side.rest();
    const [other] = side.cluster.proxies;
    if (other === undefined) throw new Error("there is no proxy to compare with");
    const version = versionIn(await metricsOf(other));
    const before = received();
    for (const relay of relays) relay.mend();
    await eventually("it has the change", async () => versionIn(await metricsOf(proxy)) === version, 60_000);
    return { readyMs, snapshotBytes, reconnectBytes: received() - before, memory };
  } finally {
    await proxy.child.stop();
    await Promise.all(relays.map((relay) => relay.close()));
  }
}
