import { spawnSync } from "node:child_process";
import { cpSync, mkdtempSync, readdirSync, rmSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { describe, expect, onTestFinished, test } from "vitest";
import { eventually, start } from "../test/harness/processes.ts";

const root = join(import.meta.dirname, "..");

function folder(): string {
  const made = mkdtempSync(join(tmpdir(), "parley-launch-"));
  onTestFinished(() => rmSync(made, { recursive: true }));
  return made;
}

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
  });
});

describe("on a Node that is too old", () => {
  /** The launcher takes itself for Node 20 and runs `body` on the Node of the packages. */
  function launch(body: readonly string[]) {
    const at = folder();
    const from = (name: string): string => JSON.stringify(pathToFileURL(join(import.meta.dirname, name)));
    writeFileSync(
      join(at, "main.ts"),
      body.join("\n").replaceAll(/"(\.\/.*?)"/g, (_, name: string) => from(name)),
    );
    writeFileSync(
      join(at, "launcher.mjs"),
      `import { launch } from ${from("launch.js")}; await launch(new URL("main.ts", import.meta.url));`,
    );
    const old = `Object.defineProperty(process, "versions", { value: { ...process.versions, node: "20.0.0" } })`;
    const launcher = start(process.execPath, [`--import=data:text/javascript,${old}`, join(at, "launcher.mjs")]);
    onTestFinished(async () => void (await launcher.stop()));
    return launcher;
  }

  /** Ends in order, which takes until SIGUSR2; tells of every SIGINT. */
  const serving = [
    `import { once } from "node:events";`,
    `import { createClock } from "./clock.ts";`,
    `import { createLog } from "./log.ts";`,
    `import { createShutdown } from "./shutdown.ts";`,
    `const log = createLog({ output: { write() {} }, level: "info", name: "test" });`,
    `const shutdown = createShutdown({ log, clock: createClock(), signals: process, exit: process.exit, limit: 60_000 });`,
    `shutdown.step("drain", async () => void (await once(process, "SIGUSR2")));`,
    `process.on("SIGINT", () => console.log("told"));`,
    `console.log("pid", process.pid);`,
    `setInterval(() => {}, 1_000);`,
  ];

  test("a SIGINT for the launcher alone ends the child in order", async () => {
    const launcher = launch(serving);
    const child = Number((await launcher.line(/^pid/)).split(" ")[1]);
    expect(child).not.toBe(launcher.pid);
    launcher.signal("SIGINT");
    await launcher.line(/told/);
    process.kill(child, "SIGUSR2");
    expect(await launcher.ended).toBe(0);
  });

  test("a SIGINT for both, as a terminal sends it, counts once", async () => {
    const launcher = launch(serving);
    const child = Number((await launcher.line(/^pid/)).split(" ")[1]);
    process.kill(child, "SIGINT");
    await launcher.line(/told/);
    launcher.signal("SIGINT");
    await eventually("the child is told twice", () => launcher.output().match(/told/g)?.length === 2 || undefined);
    process.kill(child, "SIGUSR2");
    expect(await launcher.ended).toBe(0);
  });

  test.each([
    ["SIGINT", 130],
    ["SIGKILL", 137],
    ["SIGTERM", 143],
  ])("a child that %s ended is exit code %i", async (signal, code) => {
    const launcher = launch([`process.kill(process.pid, "${signal}");`, "setInterval(() => {}, 1_000);"]);
    expect(await launcher.ended).toBe(code);
  });
});
