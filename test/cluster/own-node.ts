// A node made of parts, in namespaces of its own (test/cluster/node). In: image archives. Out: a cluster.
import { mkdtempSync, readFileSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { goTools, type GoTool } from "../harness/go-tools.ts";
import { createClusterApi } from "./api.ts";
import type { Cluster } from "./cluster.ts";
import { missingNeeds } from "./needs.ts";
import { sh } from "./shell.ts";

const SCRIPTS = join(import.meta.dirname, "node");

/** In the order in which a cold build shares most. */
const TOOLS: readonly GoTool[] = [
  "etcd",
  "kube-apiserver",
  "kube-controller-manager",
  "kube-scheduler",
  "kubelet",
  "kube-proxy",
  "kubectl",
  "helm",
  "coredns",
  "pause",
];

/** What keeps this machine from having one; empty: nothing. */
export function whyNoOwnNode(): readonly string[] {
  const missing = missingNeeds(process.env["PATH"] ?? "");
  return [
    ...(process.getuid?.() === 0 ? [] : ["root: containers, namespaces and cgroups are made"]),
    ...(missing.length === 0 ? [] : [`apt-get install --no-install-recommends ${missing.join(" ")}`]),
  ];
}

/**
 * Brings it up (seconds, once the programs are built).
 * @param archives image archives to import
 * @param owner process with which the node ends, even if it is killed; undefined: it stays until it is taken down
 * @throws Error with the last words of what did not come up; nothing is left then
 */
export async function startOwnNode(
  archives: readonly string[],
  owner: number | undefined,
  say: (line: string) => void,
): Promise<Cluster> {
  const tools = await goTools(TOOLS, say);
  const folder = mkdtempSync(join(tmpdir(), "node-"));
  const bin = join(folder, "bin");
  await sh("mkdir", [bin]);
  for (const name of TOOLS) symlinkSync(tools[name], join(bin, name));
  const PATH = `${process.env["PATH"]}:/usr/sbin:/sbin`;
  await sh(join(SCRIPTS, "up.sh"), [folder], {
    env: { ...process.env, PATH, TOOLS: bin, IMAGES: archives.join("\n"), OWNER: String(owner ?? "") },
  });
  return ownNode(folder);
}

/** The node that was brought up in this folder. */
export function ownNode(folder: string): Cluster {
  const bin = join(folder, "bin");
  const init = readFileSync(join(folder, "init.pid"), "utf8").trim();
  const kubeconfig = join(folder, "admin.kubeconfig");
  const env = { ...process.env, KUBECONFIG: kubeconfig, HOME: folder };
  // Commands need the node's network only; files are the same on both sides.
  const inNetwork = (command: string, args: readonly string[], input?: string): Promise<string> =>
    sh("nsenter", [`--target=${init}`, "--net", command, ...args], input === undefined ? { env } : { env, input });
  const onNode = (script: string): Promise<string> =>
    sh("nsenter", [
      `--target=${init}`,
      "--net",
      "--mount",
      "--pid",
      "--uts",
      "bash",
      "-euc",
      `cd ${folder}\n${script}`,
    ]);
  return {
    where: `node=${folder}`,
    kubeconfig,
    api: createClusterApi("http://localhost", { socketPath: join(folder, "api.socket") }),
    kubectl: (args, input) => inNetwork(join(bin, "kubectl"), args, input),
    helm: (args) => inNetwork(join(bin, "helm"), args),
    onNode,
    stopApiServer: async () => {
      await onNode(
        "kill -9 $(cat kube-apiserver.pid); while kill -0 $(cat kube-apiserver.pid) 2>/dev/null; do sleep 0.02; done",
      );
    },
    startApiServer: async () => {
      await onNode("setsid bash api-server.sh >>kube-apiserver.log 2>&1 </dev/null & echo $! >kube-apiserver.pid");
    },
    hint: `KUBECONFIG=${kubeconfig} nsenter --target=${init} --net ${join(bin, "kubectl")} get pods --all-namespaces; logs are in ${folder}`,
    down: async () => {
      await sh(join(SCRIPTS, "down.sh"), [folder]);
    },
  };
}
