import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it, onTestFinished } from "vitest";

/** Loads a kubeconfig behind a preload, or without. Gives the server and how many modules of client-node's classes were loaded. */
function load(preload: readonly string[]): { server: string; classes: number } {
  const folder = mkdtempSync(join(tmpdir(), "parley-kubeconfig-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const file = join(folder, "config");
  const kubeconfig = {
    clusters: [{ name: "a", cluster: { server: "https://127.0.0.1:6443" } }],
    contexts: [{ name: "a", context: { cluster: "a", user: "a" } }],
    users: [{ name: "a", user: {} }],
    "current-context": "a",
  };
  writeFileSync(file, JSON.stringify(kubeconfig));
  const script = `
    import { registerHooks } from "node:module";
    let classes = 0;
    registerHooks({ load: (url, context, next) => { if (url.includes("/client-node/dist/gen/models/")) classes += 1; return next(url, context); } });
    const { loadKubeConfig } = await import(${JSON.stringify(join(import.meta.dirname, "kube-config.ts"))});
    const found = loadKubeConfig({ kubeconfig: ${JSON.stringify(file)}, inCluster: false });
    console.log(JSON.stringify({ server: found.ok ? found.config.getCurrentCluster().server : found.fault, classes }));
  `;
  const args = [...preload, "--input-type=module", "--eval", script];
  const { stdout } = spawnSync(process.execPath, args, { encoding: "utf8", timeout: 60_000 });
  return JSON.parse(stdout) as { server: string; classes: number };
}

it("leaves out the classes of all kinds, and kubeconfigs are read all the same", () => {
  const whole = load([]);
  expect(whole.server).toBe("https://127.0.0.1:6443");
  expect(whole.classes).toBeGreaterThan(100);
  const lean = load([`--import=${join(import.meta.dirname, "lean-client-node.js")}`]);
  expect(lean).toEqual({ server: whole.server, classes: 0 });
});
