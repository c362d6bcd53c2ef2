import { spawnSync } from "node:child_process";
import { cpSync, mkdtempSync, readdirSync, rmSync, statSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";

const root = join(import.meta.dirname, "..");
const folder = (): string => mkdtempSync(join(tmpdir(), "parley-launch-"));

function run(launcher: string, args: readonly string[], env: Record<string, string>, at = root) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [join(at, launcher), ...args], {
    env,
    encoding: "utf8",
    timeout: 20_000,
  });
  return { status, stdout, stderr };
}

/** Whether a start had to strip types: it says so by loading the compiler for it. */
function stripsTypes(launcher: string, env: Record<string, string>, at = root): boolean {
  const script = `process.on("exit", () => console.error(process.moduleLoadList.some((name) => name.includes("amaro"))))`;
  const preload = `--import=data:text/javascript,${encodeURIComponent(script)}`;
  return run(launcher, ["--version"], { ...env, NODE_OPTIONS: preload }, at).stderr.includes("true");
}

describe.each(["cli/parley.js", "proxy/parley-proxy.js", "operator/parley-operator.js"])("%s", (launcher) => {
  test("may be executed by everybody", () => {
    expect(statSync(join(root, launcher)).mode & 0o111).toBe(0o111);
  });

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

describe("sources as an image holds them", () => {
  test("start without a compiler for types, and without anything compiled before", () => {
    const at = folder();
    try {
      for (const name of ["process", "proxy", "package.json"])
        cpSync(join(root, name), join(at, name), { recursive: true });
      symlinkSync(join(root, "node_modules"), join(at, "node_modules"));
      const env = { NODE_DISABLE_COMPILE_CACHE: "1" };
      expect(stripsTypes("proxy/parley-proxy.js", env, at)).toBe(true);

      const sources = ["process", "proxy"].map((name) => join(at, name));
      expect(run("process/strip-types.js", sources, { NODE_NO_WARNINGS: "1" }, at)).toMatchObject({
        status: 0,
        stderr: "",
      });
      expect(stripsTypes("proxy/parley-proxy.js", env, at)).toBe(false);
      expect(run("proxy/parley-proxy.js", ["--version"], env, at)).toEqual(
        run("proxy/parley-proxy.js", ["--version"], env),
      );
    } finally {
      rmSync(at, { recursive: true });
    }
  });
});
