// A network namespace of the tests' own, where 10.98.0.0/16 is local: the API server refuses loopback addresses in EndpointSlices, ports are
// free, and nothing there can reach, or be reached from, another machine. In: nothing. Out: the words that enter one.
import { spawnSync } from "node:child_process";

/**
 * The command prefix that enters a new one with lo up and the tests' addresses on it; undefined: not possible here. Where it can be, processes
 * have a namespace of their own as well: whatever a test has left running ends with the command.
 */
export function ownNetwork(): readonly string[] | undefined {
  const unshare = ["unshare", ...(process.getuid?.() === 0 ? [] : ["--user", "--map-root-user"]), "--net"];
  const script = 'ip link set lo up && ip address add 10.98.0.1/16 dev lo && "$@"';
  const prefixes = [["--pid", "--fork", "--kill-child=KILL", "--mount-proc"], []].map((processes) =>
    unshare.concat(processes, "sh", "-c", script, "sh"),
  );
  return prefixes.find(([program = "", ...args]) => spawnSync(program, [...args, "true"]).status === 0);
}
