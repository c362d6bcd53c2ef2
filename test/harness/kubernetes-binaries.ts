// The API server's binaries: from KUBEBUILDER_ASSETS, from the cache, or built once from Go modules.
// In: the environment. Out: paths of etcd and kube-apiserver, or an error that says what to do.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync, readFileSync, renameSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";

export interface KubernetesBinaries {
  readonly etcd: string;
  readonly apiServer: string;
}

const MODULE = join(import.meta.dirname, "apiserver");

function versions(): { kubernetes: string; etcd: string } {
  const text = readFileSync(join(MODULE, "go.mod"), "utf8");
  const of = (module: string): string => new RegExp(`\\s${module} v(\\S+)`).exec(text)?.[1] ?? "unknown";
  return { kubernetes: of("k8s.io/kubernetes"), etcd: of("go.etcd.io/etcd/server/v3") };
}

/** Folder where things that take long to make are kept between runs. */
export function cacheFolder(): string {
  return join(process.env["XDG_CACHE_HOME"] ?? join(homedir(), ".cache"), "parley");
}

async function run(command: string, args: readonly string[], cwd: string): Promise<void> {
  const child = spawn(command, args, {
    cwd,
    stdio: ["ignore", "inherit", "inherit"],
    env: { ...process.env, CGO_ENABLED: "0" },
  });
  const failed = new Promise<never>((_, reject) => child.on("error", reject));
  const [code] = (await Promise.race([once(child, "close"), failed])) as [number | null];
  if (code !== 0) throw new Error(`${command} ${args.join(" ")} ended with ${code}`);
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
  const { kubernetes, etcd } = versions();
  const folder = join(cacheFolder(), `kubernetes-${kubernetes}-etcd-${etcd}`);
  const cached = { etcd: join(folder, "etcd"), apiServer: join(folder, "kube-apiserver") };
  mkdirSync(folder, { recursive: true });
  const wanted: readonly (readonly [string, string, string])[] = [
    [cached.etcd, "go.etcd.io/etcd/server/v3", "-s -w"],
    [
      cached.apiServer,
      "k8s.io/kubernetes/cmd/kube-apiserver",
      `-s -w -X k8s.io/component-base/version.gitVersion=v${kubernetes}`,
    ],
  ];
  for (const [file, target, flags] of wanted) {
    if (existsSync(file)) continue;
    say(`Building ${target} into ${folder} (once; several minutes).`);
    const started = performance.now();
    const tick = setInterval(
      () => say(`  still building ${target}: ${Math.round((performance.now() - started) / 1000)} s`),
      30_000,
    );
    try {
      await run("go", ["build", "-trimpath", `-ldflags=${flags}`, "-o", `${file}.new`, target], MODULE);
    } catch (error) {
      const missing = error instanceof Error && "code" in error && error.code === "ENOENT";
      throw new Error(
        missing
          ? "The tests need a Kubernetes API server. Install Go 1.26 or newer (it is then built from modules once), or set KUBEBUILDER_ASSETS to a folder with etcd and kube-apiserver."
          : `Building ${target} failed: ${error instanceof Error ? error.message : String(error)}. Set KUBEBUILDER_ASSETS to a folder with etcd and kube-apiserver to do without.`,
        { cause: error },
      );
    } finally {
      clearInterval(tick);
    }
    renameSync(`${file}.new`, file);
    say(`  built ${target} in ${Math.round((performance.now() - started) / 1000)} s`);
  }
  return cached;
}
