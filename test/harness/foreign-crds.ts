// CRDs of other projects whose kinds the chart renders, released as files in Go modules. In: the modules that tools/crds/go.mod pins.
// Out: the CRDs, from Go's module cache, fetched into it when they are not there, or an error that says what to do.
import { execFile } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { parse } from "yaml";
import type { Crd } from "./api-server.ts";

const run = promisify(execFile);
const MODULE = join(import.meta.dirname, "tools/crds");

const FILES = {
  "github.com/cert-manager/cert-manager": ["deploy/crds/cert-manager.io_certificates.yaml"],
  "github.com/prometheus-operator/prometheus-operator": [
    "example/prometheus-operator-crd/monitoring.coreos.com_podmonitors.yaml",
    "example/prometheus-operator-crd/monitoring.coreos.com_prometheusrules.yaml",
    "example/prometheus-operator-crd/monitoring.coreos.com_servicemonitors.yaml",
  ],
  "sigs.k8s.io/gateway-api": ["config/crd/standard/gateway.networking.k8s.io_httproutes.yaml"],
} as const;

/** Folders of the modules by path; Go compares them with go.sum. */
async function folders(environment: NodeJS.ProcessEnv): Promise<ReadonlyMap<string, string>> {
  const { stdout } = await run("go", ["mod", "download", "-json"], { cwd: MODULE, env: environment });
  // One object after the other, each indented.
  const modules = stdout.split(/(?<=^\})\n/m).filter((text) => text !== "");
  return new Map(
    modules.map((text) => {
      const { Path, Dir } = JSON.parse(text) as { readonly Path: string; readonly Dir: string };
      return [Path, Dir];
    }),
  );
}

async function fetched(say: (line: string) => void): Promise<ReadonlyMap<string, string>> {
  try {
    return await folders({ ...process.env, GOPROXY: "off" });
  } catch {
    say("Fetching the CRDs of cert-manager, Prometheus Operator and Gateway API (once; 11 MB).");
  }
  try {
    return await folders(process.env);
  } catch (error) {
    const noGo = error instanceof Error && "code" in error && error.code === "ENOENT";
    // Go says a module's fault in its object, and all others on stderr.
    const { stdout = "", stderr = "" } = error as { readonly stdout?: string; readonly stderr?: string };
    const said = [...stdout.matchAll(/"Error": (".*")/g)].map(([, text = '""']) => String(JSON.parse(text)));
    throw new Error(
      noGo
        ? "The tests need CRDs of other projects, which come as Go modules: install Go 1.26 or newer."
        : `Fetching the CRDs of other projects failed: ${[stderr.trim(), ...said].join("\n").trim()}\n` +
            "They are needed once, from where `go env GOPROXY` says, and then kept in Go's module cache.",
      { cause: error },
    );
  }
}

/**
 * The CRDs of Certificate, HTTPRoute, PodMonitor, ServiceMonitor and PrometheusRule.
 *
 * @param say told when they are fetched
 * @throws Error with a message that says what to install or to look at
 */
export async function foreignCrds(say: (line: string) => void): Promise<readonly Crd[]> {
  const folderOf = await fetched(say);
  return Object.entries(FILES).flatMap(([path, files]) =>
    files.map((file) => parse(readFileSync(join(folderOf.get(path) ?? MODULE, file), "utf8")) as Crd),
  );
}
