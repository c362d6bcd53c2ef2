// Programs that the tests run and that are released as Go modules only: one list. In: names of it. Out: their files, built once
// into the cache, or an error that says what to do.
import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { once } from "node:events";
import { existsSync, mkdirSync, readFileSync, renameSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";

interface Tool {
  /** Folder under tools/ whose go.mod pins it. */
  readonly module: "kubernetes" | "node" | "collector";
  readonly package: string;
  /** The module that gives it its version; a program of our own has a digest of its source as well. */
  readonly versionOf?: string;
  readonly source?: string;
  /** Go variable that holds the version it shows. */
  readonly shows?: string;
}

const kubernetes = (name: string): Tool => ({
  module: "kubernetes",
  package: `k8s.io/kubernetes/cmd/${name}`,
  versionOf: "k8s.io/kubernetes",
  shows: "k8s.io/component-base/version.gitVersion",
});

const TOOLS = {
  etcd: { module: "kubernetes", package: "go.etcd.io/etcd/server/v3", versionOf: "go.etcd.io/etcd/server/v3" },
  "kube-apiserver": kubernetes("kube-apiserver"),
  "kube-controller-manager": kubernetes("kube-controller-manager"),
  "kube-scheduler": kubernetes("kube-scheduler"),
  kubelet: kubernetes("kubelet"),
  "kube-proxy": kubernetes("kube-proxy"),
  kubectl: kubernetes("kubectl"),
  helm: {
    module: "node",
    package: "helm.sh/helm/v3/cmd/helm",
    versionOf: "helm.sh/helm/v3",
    shows: "helm.sh/helm/v3/internal/version.version",
  },
  coredns: {
    module: "node",
    package: "./coredns",
    versionOf: "github.com/coredns/coredns",
    source: "coredns/main.go",
  },
  pause: { module: "node", package: "./pause", source: "pause/main.go" },
  "otel-collector": {
    module: "collector",
    package: ".",
    versionOf: "go.opentelemetry.io/collector/otelcol",
    source: "main.go",
  },
} as const satisfies Readonly<Record<string, Tool>>;

export type GoTool = keyof typeof TOOLS;

const MODULES = join(import.meta.dirname, "tools");

/** Folder where things that take long to make are kept between runs. */
export function cacheFolder(): string {
  return join(process.env["XDG_CACHE_HOME"] ?? join(homedir(), ".cache"), "parley");
}

function versionOf({ module, versionOf: name, source }: Tool): string {
  const parts: string[] = [];
  if (name !== undefined) {
    const text = readFileSync(join(MODULES, module, "go.mod"), "utf8");
    parts.push(new RegExp(`\\s${name} v(\\S+)`).exec(text)?.[1] ?? "unknown");
  }
  if (source !== undefined) {
    const digest = createHash("sha256").update(readFileSync(join(MODULES, module, source)));
    parts.push(digest.digest("hex").slice(0, 12));
  }
  return parts.join("-");
}

async function build(tool: Tool, version: string, file: string): Promise<void> {
  const flags = ["-s", "-w", ...(tool.shows === undefined ? [] : ["-X", `${tool.shows}=v${version}`])];
  // Two runs may build at once: each writes a file of its own, and either result is the same.
  const made = `${file}.${process.pid}`;
  const child = spawn("go", ["build", "-trimpath", `-ldflags=${flags.join(" ")}`, "-o", made, tool.package], {
    cwd: join(MODULES, tool.module),
    stdio: ["ignore", "inherit", "inherit"],
    env: { ...process.env, CGO_ENABLED: "0" },
  });
  const failed = new Promise<never>((_, reject) => child.on("error", reject));
  const [code] = (await Promise.race([once(child, "close"), failed])) as [number | null];
  if (code !== 0) throw new Error(`go build ended with ${code}`);
  renameSync(made, file);
}

/**
 * Finds the programs in the cache, and builds those that are not there (all of them: about a quarter of an hour on two cores, once).
 *
 * @param names which; the order is the order of the builds
 * @param say told of every build, and of its progress each half minute
 * @throws Error with a message that says what to install or to look at
 */
export async function goTools<N extends GoTool>(
  names: readonly N[],
  say: (line: string) => void,
): Promise<Readonly<Record<N, string>>> {
  const files = {} as Record<N, string>;
  const missing: [N, Tool, string][] = [];
  for (const name of names) {
    const tool: Tool = TOOLS[name];
    const version = versionOf(tool);
    files[name] = join(cacheFolder(), `${name}-${version}`, name);
    if (!existsSync(files[name])) missing.push([name, tool, version]);
  }
  for (const [index, [name, tool, version]] of missing.entries()) {
    mkdirSync(join(files[name], ".."), { recursive: true });
    const what = `${name} ${version}`;
    say(`Building ${what}, ${index + 1} of ${missing.length} (once; minutes).`);
    const started = performance.now();
    const seconds = (): number => Math.round((performance.now() - started) / 1000);
    const tick = setInterval(() => say(`  still building ${what}: ${seconds()} s`), 30_000);
    try {
      await build(tool, version, files[name]);
    } catch (error) {
      const noGo = error instanceof Error && "code" in error && error.code === "ENOENT";
      const why = error instanceof Error ? error.message : String(error);
      throw new Error(
        noGo
          ? `The tests need ${name}, which is built from Go modules once: install Go 1.26 or newer.`
          : `Building ${what} failed: ${why}. What it said stands above; \`go env GOPROXY\` tells where modules come from.`,
        { cause: error },
      );
    } finally {
      clearInterval(tick);
    }
    say(`  built ${what} in ${seconds()} s`);
  }
  return files;
}
