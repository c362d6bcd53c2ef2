// How commands reach a cluster. In: a kubeconfig, if one was named, and the environment. Out: a client of the API server, or why there is none.
import { createKubeClient } from "../operator/kube/client.ts";
import type { KubeClient } from "../operator/kube/client.ts";
import { loadKubeConfig } from "../operator/kube/kube-config.ts";
import { createClock } from "../process/clock.ts";
import { option } from "../process/option-table.ts";
import * as value from "../process/option-values.ts";
import type { Io } from "./io.ts";
import { enterCallersFolder } from "./npm.ts";

/** Heading of these options in a command's help. */
export const CLUSTER_GROUP = "Cluster";

export const kubeconfigOption = option(value.path, {
  group: CLUSTER_GROUP,
  defaultText: "$KUBECONFIG, else the pod's ServiceAccount, else ~/.kube/config",
  help: "How to reach the API server.",
});

/** Nothing is sent yet. Whoever gets the client closes it. */
export function apiServer(
  kubeconfig: string | undefined,
  { env }: Pick<Io, "env">,
): { readonly ok: true; readonly client: KubeClient } | { readonly ok: false; readonly fault: string } {
  enterCallersFolder(env);
  const loaded = loadKubeConfig({
    kubeconfig,
    variable: env["KUBECONFIG"],
    inCluster: env["KUBERNETES_SERVICE_HOST"] !== undefined,
    home: env["HOME"],
  });
  if (!loaded.ok) return loaded;
  const clock = createClock();
  return { ok: true, client: createKubeClient({ config: loaded.config, now: () => clock.elapsed() }) };
}
