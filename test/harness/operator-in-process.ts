// The real operator inside the test's own process, where it can be ended and begun again within milliseconds.
// In: a kubeconfig and options. Out: its ports, its metrics, and a proxy's end of its stream that acknowledges what it gets.
import { randomUUID } from "node:crypto";
import { Registry } from "prom-client";
import { parseOperatorConfig } from "../../operator/config.ts";
import { createKubeClient } from "../../operator/kube/client.ts";
import type { KubeClient } from "../../operator/kube/client.ts";
import { loadKubeConfig } from "../../operator/kube/kube-config.ts";
import { createOperator } from "../../operator/operator.ts";
import { quietLog } from "../../operator/publish/quiet.test-support.ts";
import { openStream, postAck } from "../../operator/publish/stream-client.test-support.ts";
import type { StreamClient } from "../../operator/publish/stream-client.test-support.ts";
import { createClock } from "../../process/clock.ts";
import { sumOf } from "./exposition.ts";
import { eventually } from "./processes.ts";

export function kubeClient(kubeconfig: string): KubeClient {
  const loaded = loadKubeConfig({ kubeconfig, inCluster: false });
  if (!loaded.ok) throw new Error(loaded.fault);
  return createKubeClient({ config: loaded.config, now: () => Date.now() });
}

export interface RunningOperator {
  /** Of the stream for proxies. */
  readonly port: number;
  readonly adminUrl: string;
  /** Value of a series, by its name with labels as it is exposed; 0 when there is none. */
  metric(series: string): Promise<number>;
  ready(): Promise<void>;
  /** Ready, and holds the Lease. */
  leading(): Promise<void>;
  close(): Promise<void>;
}

export async function runOperator(kubeconfig: string, args: readonly string[] = []): Promise<RunningOperator> {
  const parsed = parseOperatorConfig({
    argv: ["--listen=127.0.0.1:0", "--admin-listen=127.0.0.1:0", "--allowed-upstreams=127.0.0.0/8", ...args],
    env: {},
    randomId: randomUUID,
  });
  if (parsed.kind !== "run") throw new Error("the operator's options are faulty");
  const registry = new Registry();
  const operator = createOperator({
    config: parsed.config,
    client: kubeClient(kubeconfig),
    clock: createClock(),
    random: Math.random,
    log: quietLog,
    registry,
  });
  const { stream, admin } = await operator.start();
  const adminUrl = `http://127.0.0.1:${admin.port}`;
  const metric = async (series: string): Promise<number> => sumOf(await registry.metrics(), series) ?? 0;
  const ready = async (): Promise<void> => {
    await eventually("operator is ready", async () => ((await fetch(`${adminUrl}/readyz`)).ok ? true : undefined));
  };
  return {
    port: stream.port,
    adminUrl,
    metric,
    ready,
    leading: async () => {
      await ready();
      await eventually("operator leads", async () =>
        (await metric("parley_operator_leader")) === 1 ? true : undefined,
      );
    },
    close: () => operator.close(),
  };
}

export interface FollowingProxy {
  readonly stream: StreamClient;
  /** While false nothing is acknowledged; what was held back is acknowledged when it turns true. */
  acknowledge(value: boolean): Promise<void>;
  /** Waits until the table holds the row in a state that fits, and gives it; undefined is "no such row". */
  row(
    id: string,
    fits?: (row: Record<string, unknown> | undefined) => boolean,
  ): Promise<Record<string, unknown> | undefined>;
  close(): void;
}

/** A proxy as the operator sees one: keeps the table, acknowledges each batch. */
export async function followOperator(port: number, proxy: string, version?: string): Promise<FollowingProxy> {
  const stream = await openStream(port, {
    gateway: "default",
    proxy,
    ...(version === undefined ? {} : { version }),
  });
  if (stream.status !== 200) throw new Error(`the operator answers ${stream.status}`);
  let acknowledging = true;
  let held: (() => Promise<number>) | undefined;
  stream.onLine((line) => {
    if (line.type !== "COMMIT") return;
    const { replica, sequence, version: reached } = line;
    held = () => postAck(port, { proxy, replica, sequence, version: reached, refused: [], refusedRows: 0 });
    // An operator that is gone by now has no use for it.
    if (acknowledging) held().catch(() => undefined);
  });
  return {
    stream,
    acknowledge: async (value) => {
      acknowledging = value;
      if (value) await held?.();
    },
    row: async (id, fits = (row) => row !== undefined) => {
      let found: Record<string, unknown> | undefined;
      await eventually(`row ${id} of proxy ${proxy}`, () => {
        const line = stream.table.get(id);
        found = line === undefined ? undefined : (JSON.parse(line) as { row: Record<string, unknown> }).row;
        return fits(found) ? true : undefined;
      });
      return found;
    },
    close: () => stream.close(),
  };
}
