import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { expect, it } from "vitest";

it("is all of undici that a proxy loads", () => {
  const script = `
    import { createRequire } from "node:module";
    await import(${JSON.stringify(join(import.meta.dirname, "..", "main.ts"))}).catch(() => undefined);
    const { cache } = createRequire(import.meta.url);
    const loaded = Object.keys(cache).map((path) => path.split("/node_modules/undici/")[1]);
    console.log(JSON.stringify(loaded.filter((path) => path !== undefined)));
  `;
  const args = ["--input-type=module", "--eval", script, "--", "--version"];
  const { stdout } = spawnSync(process.execPath, args, { encoding: "utf8", timeout: 60_000 });
  const loaded = JSON.parse(stdout.split("\n").at(-2) ?? "") as string[];
  expect(loaded).toContain("lib/dispatcher/agent.js");
  expect(loaded).not.toContain("index.js");
  expect(loaded.filter((path) => path.startsWith("lib/web/"))).toEqual([]);
});
