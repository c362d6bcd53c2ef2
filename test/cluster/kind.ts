// A cluster by kind, where kind and a container engine are present. In: the working tree. Out: a cluster with the images in it.
import { randomBytes } from "node:crypto";
import { readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parse } from "yaml";
import { goTools } from "../harness/go-tools.ts";
import { createClusterApi, type ClusterApi } from "./api.ts";
import type { Cluster } from "./cluster.ts";
import { buildByDocker } from "./images.ts";
import { sh } from "./shell.ts";

const TOOLS = ["kubectl", "helm"] as const;
const MANIFEST = "kube-apiserver.yaml";

/** Brings one up under a name of its own. @throws CommandFailed with what kind said; nothing is left then */
export async function startKind(say: (line: string) => void): Promise<Cluster> {
  await goTools(TOOLS, say);
  const images = await buildByDocker(say);
  const name = `parley-${randomBytes(4).toString("hex")}`;
  say(`Bringing up a cluster by kind: ${name}.`);
  const cluster = kindCluster(name);
  try {
    await sh("kind", ["create", "cluster", "--wait=180s", "--name", name, "--kubeconfig", cluster.kubeconfig], {
      limit: 900_000,
    });
    await sh("kind", ["load", "docker-image", ...images, "--name", name], { limit: 900_000 });
    return cluster;
  } catch (error) {
    await cluster.down();
    throw error;
  }
}

/** @param kubeconfig as kind writes it: one cluster, one user with a client certificate */
function apiOf(kubeconfig: string): ClusterApi {
  const { clusters, users } = parse(readFileSync(kubeconfig, "utf8")) as {
    readonly clusters: readonly [{ readonly cluster: Readonly<Record<string, string>> }];
    readonly users: readonly [{ readonly user: Readonly<Record<string, string>> }];
  };
  const [{ cluster }] = clusters;
  const [{ user }] = users;
  const decoded = (text: string | undefined): string => Buffer.from(text ?? "", "base64").toString();
  return createClusterApi(cluster["server"] ?? "", {
    ca: decoded(cluster["certificate-authority-data"]),
    cert: decoded(user["client-certificate-data"]),
    key: decoded(user["client-key-data"]),
  });
}

/** The cluster that kind has under this name. */
export function kindCluster(name: string): Cluster {
  const kubeconfig = join(tmpdir(), `${name}.kubeconfig`);
  const env = { ...process.env, KUBECONFIG: kubeconfig };
  const onNode = (script: string): Promise<string> =>
    sh("docker", ["exec", `${name}-control-plane`, "bash", "-euc", script]);
  const tools = goTools(TOOLS, () => undefined);
  let api: ClusterApi | undefined;
  return {
    where: `kind=${name}`,
    kubeconfig,
    // The file is there only once the cluster is.
    get api() {
      return (api ??= apiOf(kubeconfig));
    },
    kubectl: async (args, input) => sh((await tools).kubectl, args, input === undefined ? { env } : { env, input }),
    helm: async (args) => sh((await tools).helm, args, { env }),
    onNode,
    // kubelet ends a static pod whose manifest is gone, and starts it again when it is back.
    stopApiServer: async () => {
      await onNode(`mv /etc/kubernetes/manifests/${MANIFEST} /etc/kubernetes/`);
    },
    startApiServer: async () => {
      await onNode(`mv /etc/kubernetes/${MANIFEST} /etc/kubernetes/manifests/`);
    },
    hint: `KUBECONFIG=${kubeconfig} kubectl get pods --all-namespaces`,
    down: async () => {
      await sh("kind", ["delete", "cluster", "--name", name]);
      rmSync(kubeconfig, { force: true });
    },
  };
}
