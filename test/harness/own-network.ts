// A network namespace of the tests' own, where 10.98.0.0/16 is local: the API server refuses loopback addresses in EndpointSlices, ports are
// free, and nothing there can reach, or be reached from, another machine. In: nothing. Out: the words that enter one.
import { spawnSync } from "node:child_process";

/** The command prefix that enters a new one with lo up and the tests' addresses on it; undefined: not possible here. */
export function ownNetwork(): readonly string[] | undefined {
  const enter: readonly string[] =
    process.getuid?.() === 0 ? ["unshare", "--net"] : ["unshare", "--user", "--map-root-user", "--net"];
  const script = 'ip link set lo up && ip address add 10.98.0.1/16 dev lo && exec "$@"';
  const prefix = [...enter, "sh", "-c", script, "sh"];
  const [program, ...args] = [...prefix, "true"];
  return spawnSync(program, args, { stdio: "inherit" }).status === 0 ? prefix : undefined;
}
