// The API server's binaries. In: the environment. Out: paths of etcd and kube-apiserver, given in KUBEBUILDER_ASSETS, or built.
import { existsSync } from "node:fs";
import { join } from "node:path";
import { goTools } from "./go-tools.ts";

export interface KubernetesBinaries {
  readonly etcd: string;
  readonly apiServer: string;
}

/**
 * Finds the binaries, building them when they are nowhere (4 to 8 minutes on two cores, once).
 * @throws Error with a message that says what to install, when neither is possible.
 */
export async function kubernetesBinaries(say: (line: string) => void): Promise<KubernetesBinaries> {
  const assets = process.env["KUBEBUILDER_ASSETS"];
  if (assets !== undefined && assets !== "") {
    const given = { etcd: join(assets, "etcd"), apiServer: join(assets, "kube-apiserver") };
    if (existsSync(given.etcd) && existsSync(given.apiServer)) return given;
    throw new Error(
      `KUBEBUILDER_ASSETS is ${assets}, but it holds no etcd and kube-apiserver. Unset it, or point it to a folder that does.`,
    );
  }
  try {
    const built = await goTools(["etcd", "kube-apiserver"], say);
    return { etcd: built.etcd, apiServer: built["kube-apiserver"] };
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new Error(`${why} Or set KUBEBUILDER_ASSETS to a folder with etcd and kube-apiserver.`, { cause: error });
  }
}
