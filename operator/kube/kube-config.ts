// Where the API server is and who we are there. In: a kubeconfig path, KUBECONFIG's value, the pod's own ServiceAccount or a home folder.
// Out: a loaded KubeConfig, or what is wrong with it.
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { KubeConfig } from "@kubernetes/client-node/dist/config.js";

export interface KubeSource {
  /** `--kubeconfig`: one file. */
  readonly kubeconfig?: string | undefined;
  /** The variable KUBECONFIG: files separated by `:`, merged. */
  readonly variable?: string | undefined;
  /** Whether the process runs in a pod (KUBERNETES_SERVICE_HOST is set). */
  readonly inCluster: boolean;
  /** Home folder of whoever types a command: `.kube/config` in it comes last, as for kubectl. An operator is told where it belongs. */
  readonly home?: string | undefined;
}

/** What is at fault where no file was named. */
const OF_POD = "the pod's ServiceAccount";

export type LoadedKubeConfig =
  | { readonly ok: true; readonly config: KubeConfig }
  | { readonly ok: false; readonly fault: string };

/**
 * First of: `--kubeconfig`, KUBECONFIG, the pod's ServiceAccount, the home folder's. Reads files, also those that the current context names,
 * and talks to nobody.
 */
export function loadKubeConfig(source: KubeSource): LoadedKubeConfig {
  const config = new KubeConfig();
  const files = source.kubeconfig === undefined ? (source.variable ?? "").split(":") : [source.kubeconfig];
  const given = files.filter((file) => file !== "");
  const named = given.length > 0 || source.inCluster ? given : ofHome(source.home);
  let read = named[0];
  try {
    const [first, ...others] = named;
    if (first !== undefined) {
      config.loadFromFile(first);
      for (const file of others) {
        read = file;
        const more = new KubeConfig();
        more.loadFromFile(file);
        config.mergeConfig(more, true);
      }
    } else if (source.inCluster) {
      config.loadFromCluster();
    } else {
      const orHome = source.home === undefined ? "" : " (there is no ~/.kube/config)";
      return { ok: false, fault: `no API server: give --kubeconfig or KUBECONFIG, or run in a pod${orHome}` };
    }
    const fault = faultOf(config);
    if (fault === undefined) return { ok: true, config };
    return { ok: false, fault: `${first === undefined ? OF_POD : `kubeconfig ${named.join(":")}`}: ${fault}` };
  } catch (error) {
    const what = read === undefined ? OF_POD : `kubeconfig ${read}`;
    return { ok: false, fault: `${what} cannot be read: ${whyOf(error)}` };
  }
}

/** Of the current context, what client-node would find with the first request only, and then say less clearly or not at all. */
function faultOf(config: KubeConfig): string | undefined {
  const [cluster, user] = [config.getCurrentCluster(), config.getCurrentUser()];
  if (cluster === null || !URL.canParse(cluster.server))
    return "the current context names no cluster with a server URL";
  // Without one it would leave out the cluster's CA as well.
  if (user === null) return "the current context names no user that is there";
  const files = {
    "certificate-authority": cluster.caFile,
    "client-certificate": user.certFile,
    "client-key": user.keyFile,
  };
  for (const [field, file] of Object.entries(files)) {
    if (file === undefined) continue;
    try {
      readFileSync(file);
    } catch (error) {
      const why = whyNotOpened((error as NodeJS.ErrnoException).code ?? "");
      // Where a path of a key belongs, the key itself may stand.
      return `its ${field}${file === user.keyFile ? "" : ` ${file}`} cannot be read: ${why}`;
    }
  }
  return undefined;
}

function ofHome(home: string | undefined): readonly string[] {
  const file = home === undefined || home === "" ? undefined : join(home, ".kube", "config");
  return file !== undefined && existsSync(file) ? [file] : [];
}

/** Why, without a word of the file: its tokens stand in the snippets that a YAML parser shows, and in the names that it quotes. */
function whyOf(error: unknown): string {
  if (!(error instanceof Error)) return "it is no kubeconfig";
  const { mark } = error as { readonly mark?: { readonly line?: unknown } };
  if (typeof mark?.line === "number") return `line ${mark.line + 1} is not valid YAML`;
  const { code } = error as NodeJS.ErrnoException;
  if (code === "EISDIR") return "it is a folder; name the file in it with --kubeconfig or KUBECONFIG";
  if (code !== undefined) return `${whyNotOpened(code)}; name another with --kubeconfig or KUBECONFIG`;
  if (error.name === "YAMLException" || error instanceof TypeError) return "it is no kubeconfig";
  return error.message;
}

function whyNotOpened(code: string): string {
  if (code === "ENOENT") return "there is no such file";
  if (code === "EISDIR") return "it is a folder";
  if (code === "EACCES") return "this user may not read it";
  if (code === "ENAMETOOLONG") return "it is no path";
  return code;
}
