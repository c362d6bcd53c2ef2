// ARCHITECTURE.md says what each folder may import of ours; this holds the sources to it. In: the page's table, all sources. Out: imports
// that it does not allow.
import { globSync, readFileSync } from "node:fs";
import { join, normalize } from "node:path/posix";
import { expect, test } from "vitest";

const root = join(import.meta.dirname, "..");
const page = readFileSync(join(root, "ARCHITECTURE.md"), "utf8");

/** Folders, and what each may import; undefined: anything. */
const allowed = new Map<string, readonly string[] | undefined>();
for (const [, folders = "", may = ""] of page.matchAll(/^\| (`.*?) \| .* \| (.*) \|$/gm)) {
  const named = Array.from(
    may.replace("contract", "`proxy/table/`").matchAll(/`([^`]+)`/g),
    ([, folder = ""]) => folder,
  );
  for (const [, folder = ""] of folders.matchAll(/`([^`]+)`/g))
    allowed.set(folder, may === "anything" ? undefined : named);
}

test("the page's table was read", () => {
  expect(allowed.size).toBeGreaterThan(12);
  expect(allowed.get("proxy/upstream/")).toEqual(["proxy/http1/", "proxy/request/", "process/", "proxy/table/"]);
  expect(allowed.get("process/")).toEqual([]);
  expect(allowed.get("cli/")).toBeUndefined();
});

test("no folder imports what the page does not allow it", () => {
  const faults: string[] = [];
  let imports = 0;
  for (const [folder, may] of allowed) {
    if (may === undefined) continue;
    const beside = folder.startsWith("operator/") ? /^operator\/[^/]+$/ : /^$/;
    for (const file of globSync(`${folder}**/*.ts`, { cwd: root })) {
      if (/\.test(-support)?\.ts$/.test(file)) continue;
      for (const [, from = ""] of readFileSync(join(root, file), "utf8").matchAll(/\bfrom "(\.[^"]+)"/g)) {
        const to = normalize(join(file, "..", from));
        imports += 1;
        if (![folder, ...may].some((one) => to.startsWith(one)) && !beside.test(to)) faults.push(`${file}: ${to}`);
      }
    }
  }
  expect(imports).toBeGreaterThan(500);
  expect(faults).toEqual([]);
});
