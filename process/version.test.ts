import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { expect, onTestFinished, test } from "vitest";
import { readVersion } from "./version.ts";

test("is a version", () => {
  expect(readVersion()).toMatch(/^[0-9]+\.[0-9]+\.[0-9]+/);
});

test("comes from the manifest, which must hold one", () => {
  const folder = mkdtempSync(join(tmpdir(), "parley-version-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const manifest = (name: string, text: string): URL => {
    writeFileSync(join(folder, name), text);
    return pathToFileURL(join(folder, name));
  };
  expect(readVersion(manifest("a.json", '{"version":"9.8.7-rc.1"}'))).toBe("9.8.7-rc.1");
  expect(() => readVersion(manifest("b.json", "{}"))).toThrow("b.json holds no version");
});
