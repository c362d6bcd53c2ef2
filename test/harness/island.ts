// A network namespace for one operator, with a cable to the API server and one to the proxies that can be pulled.
// In: a number. Out: how a process enters it, and the cables. It needs the network of its own that `npm test` gives the tests.
import { spawnSync } from "node:child_process";
import type { ApiServer } from "./api-server.ts";
import { startApiFaultProxy } from "./api-fault-proxy.ts";
import type { OperatorPlace } from "./gateway.ts";
import { start } from "./processes.ts";

export type Cable = "api" | "proxies";

export interface Island {
  readonly place: OperatorPlace;
  /** Pulls a cable: packets are lost without a word, in both directions. */
  cut(cable: Cable): void;
  mend(cable: Cable): void;
  close(): Promise<void>;
}

function ip(...args: readonly string[]): void {
  const { status, stderr } = spawnSync("ip", args, { encoding: "utf8" });
  if (status !== 0) throw new Error(`ip ${args.join(" ")}: ${stderr}`);
}

/** Makes namespace `n` (0 to 255). Its addresses are 10.96.n.2 towards the API server and 10.97.n.2 towards proxies. */
export async function makeIsland(n: number, api: ApiServer): Promise<Island> {
  const holder = start("unshare", ["--net", "sh", "-c", "echo up; exec sleep infinity"], { name: `island ${n}` });
  await holder.line(/^up$/);
  const net = `/proc/${holder.pid}/ns/net`;
  const enter = ["nsenter", `--net=${net}`];
  const inside = (...args: readonly string[]): void => {
    const { status, stderr } = spawnSync("nsenter", [`--net=${net}`, "ip", ...args], { encoding: "utf8" });
    if (status !== 0) throw new Error(`ip ${args.join(" ")} in island ${n}: ${stderr}`);
  };
  inside("link", "set", "lo", "up");
  const cables: readonly (readonly [Cable, number])[] = [
    ["api", 96],
    ["proxies", 97],
  ];
  for (const [cable, octet] of cables) {
    ip("link", "add", `${cable}${n}`, "type", "veth", "peer", "name", cable, "netns", String(holder.pid));
    ip("address", "add", `10.${octet}.${n}.1/30`, "dev", `${cable}${n}`);
    ip("link", "set", `${cable}${n}`, "up");
    inside("address", "add", `10.${octet}.${n}.2/30`, "dev", cable);
    inside("link", "set", cable, "up");
  }
  const relay = await startApiFaultProxy(api, `10.96.${n}.1`);
  return {
    place: { enter, host: `10.97.${n}.2`, kubeconfig: relay.kubeconfig },
    // The far end goes down: on this side routes stay, so that nobody is told.
    cut: (cable) => inside("link", "set", cable, "down"),
    mend: (cable) => inside("link", "set", cable, "up"),
    close: async () => {
      await relay.close();
      holder.signal("SIGKILL");
      await holder.ended;
    },
  };
}
