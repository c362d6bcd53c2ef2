// setup.js on a machine with nothing installed: a copy of it in a folder of its own, and an npm that does as the test says.
import { chmod, copyFile, mkdir, mkdtemp, readFile, rm, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { start } from "../test/harness/processes.ts";

let root: string;
const lock = (version: string): string =>
  JSON.stringify({
    packages: { "": {}, "node_modules/x": { version }, "node_modules/rare": { version, optional: true } },
  });

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), "parley-setup-"));
  await mkdir(join(root, "bin"));
  await copyFile(join(import.meta.dirname, "../setup.js"), join(root, "setup.mjs"));
  await writeFile(join(root, "package-lock.json"), lock("1"));
});
afterEach(async () => {
  await rm(root, { recursive: true, force: true });
});

/** A command in the place of npm that notes its arguments. */
async function npm(lines: readonly string[]): Promise<void> {
  await writeFile(join(root, "bin/npm"), ["#!/bin/sh", 'echo "$@" >> npm-calls', ...lines].join("\n"));
  await chmod(join(root, "bin/npm"), 0o755);
}
const install = (version: string): string[] => [
  "mkdir -p node_modules/node/bin && touch node_modules/node/bin/node",
  `echo '${JSON.stringify({ packages: { "node_modules/x": { version } } })}' > node_modules/.package-lock.json`,
];
async function setup(): Promise<{ code: number | string; output: string }> {
  const child = start(process.execPath, [join(root, "setup.mjs")], {
    env: { PATH: `${join(root, "bin")}:/usr/bin:/bin` },
  });
  const code = await child.ended;
  return { code, output: child.output() };
}
const calls = (): Promise<string> => readFile(join(root, "npm-calls"), "utf8").catch(() => "");

test("installs from the lock file once, and says nothing when all is there", async () => {
  await npm(install("1"));
  expect(await setup()).toMatchObject({
    code: 0,
    output: expect.stringMatching(/^Installing[^]*Installed in \d+ s\.\n$/),
  });
  expect(await calls()).toBe("ci --no-audit --no-fund --loglevel=error\n");
  expect(await setup()).toEqual({ code: 0, output: "" });
  expect(await calls()).toBe("ci --no-audit --no-fund --loglevel=error\n");
});

test("a lock file that is newer but holds the same packages needs no install; another one does", async () => {
  await npm(install("1"));
  await setup();
  const later = Date.now() / 1000 + 60;
  await utimes(join(root, "package-lock.json"), later, later);
  expect(await setup()).toEqual({ code: 0, output: "" });
  await writeFile(join(root, "package-lock.json"), lock("2"));
  await utimes(join(root, "package-lock.json"), later, later);
  await npm(install("2"));
  expect((await setup()).output).toContain("Installing");
});

test("an npm that fails: its words, what to look at, exit 1", async () => {
  await npm(["echo 'npm error network ENOTFOUND' >&2", "exit 146"]);
  const { code, output } = await setup();
  expect(code).toBe(1);
  expect(output).toContain("npm error network ENOTFOUND");
  expect(output).toContain("npm ci ended with 146");
  expect(output).toContain("Without a network");
});

test("no npm at all, and an install without the Node that is needed, are told", async () => {
  const bare = start(process.execPath, [join(root, "setup.mjs")], { env: { PATH: join(root, "bin") } });
  expect(await bare.ended).toBe(1);
  expect(bare.output()).toContain("npm was not found");
  await npm(
    install("1")
      .slice(1)
      .map((line) => `mkdir -p node_modules && ${line}`),
  );
  expect(await setup()).toMatchObject({ code: 1, output: expect.stringContaining("ignore-scripts") });
});
