import { spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";

const root = join(import.meta.dirname, "..");
const folder = (): string => mkdtempSync(join(tmpdir(), "parley-launch-"));

function run(launcher: string, args: readonly string[], env: Record<string, string>) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [join(root, launcher), ...args], {
    env,
    encoding: "utf8",
    timeout: 20_000,
  });
  return { status, stdout, stderr };
}

/** Whether a start had to strip types: it says so by loading the compiler for it. */
function stripsTypes(launcher: string, env: Record<string, string>): boolean {
  const script = `process.on("exit", () => console.error(process.moduleLoadList.some((name) => name.includes("amaro"))))`;
  const preload = `--import=data:text/javascript,${encodeURIComponent(script)}`;
  return run(launcher, ["--version"], { ...env, NODE_OPTIONS: preload }).stderr.includes("true");
}

describe.each(["cli/parley.js", "proxy/parley-proxy.js", "operator/parley-operator.js"])("%s", (launcher) => {
  test("compiles at the first start, and no more at the second", () => {
    const env = { NODE_COMPILE_CACHE: folder() };
    expect(stripsTypes(launcher, env)).toBe(true);
    expect(stripsTypes(launcher, env)).toBe(false);
  });

  test("goes without what was compiled when told to, or when the folder cannot be written", () => {
    const cache = folder();
    const told = run(launcher, ["--version"], { NODE_COMPILE_CACHE: cache, NODE_DISABLE_COMPILE_CACHE: "1" });
    expect(told).toMatchObject({ status: 0, stdout: expect.stringMatching(/^\d+\.\d+\.\d+\n$/), stderr: "" });
    expect(readdirSync(cache)).toEqual([]);
    expect(run(launcher, ["--version"], { NODE_COMPILE_CACHE: "/dev/null/nowhere" })).toEqual(told);
  });

  test("keeps arguments and exit codes", () => {
    const env = { NODE_COMPILE_CACHE: folder() };
    expect(run(launcher, ["--help"], env)).toMatchObject({ status: 0, stdout: expect.stringContaining("--version") });
    expect(run(launcher, ["--no-such-option"], env)).toMatchObject({ status: 2, stdout: "" });
  });
});
