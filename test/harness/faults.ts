// What may happen to operators and proxies, by name. In: a cluster whose operators stand on islands. Out: faults that begin and end.
import type { Cluster } from "./cluster.ts";
import type { OperatorProcess } from "./gateway.ts";
import type { Cable, Island } from "./island.ts";

export interface Fault {
  readonly name: string;
  /** Resolves when it has happened; gives how to mend it, which resolves when everything is up again. */
  begin(): Promise<() => Promise<void>>;
}

/** Faults of operators: of the one that holds the Lease, and of the other one. */
export function operatorFaults(cluster: Cluster, islands: readonly Island[]): readonly Fault[] {
  const pick = async (holding: boolean): Promise<OperatorProcess> => {
    const holder = (await cluster.holder()) ?? cluster.operator;
    return holding ? holder : (cluster.operators.find((operator) => operator !== holder) ?? holder);
  };
  const kill = (holding: boolean) => async () => {
    const operator = await pick(holding);
    operator.child.signal("SIGKILL");
    await operator.child.ended;
    return async () => {
      await operator.restart();
      await operator.ready();
    };
  };
  const pause = (holding: boolean) => async () => {
    const operator = await pick(holding);
    operator.child.signal("SIGSTOP");
    return async () => {
      operator.child.signal("SIGCONT");
      await operator.ready();
    };
  };
  const cut =
    (holding: boolean, ...cables: readonly Cable[]) =>
    async () => {
      const operator = await pick(holding);
      const island = islands[cluster.operators.indexOf(operator)];
      for (const cable of cables) island?.cut(cable);
      return async () => {
        for (const cable of cables) island?.mend(cable);
        await operator.ready();
      };
    };
  return [
    { name: "the holder is killed", begin: kill(true) },
    { name: "the holder is stopped", begin: pause(true) },
    { name: "the holder is cut off from proxies", begin: cut(true, "proxies") },
    { name: "the holder is cut off from the API server", begin: cut(true, "api") },
    { name: "the holder is cut off from both", begin: cut(true, "api", "proxies") },
    { name: "the standby is killed", begin: kill(false) },
    { name: "the standby is stopped", begin: pause(false) },
    { name: "the standby is cut off from both", begin: cut(false, "api", "proxies") },
  ];
}
