// Writes types.ts and schemas.json from the two CRDs, and the chart's copies of them; with --check it writes nothing and exits 1 when
// one of these is stale. In: a2aagents.yaml, virtualkeys.yaml. Out: the four files.
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { generateSchemas, readCrds } from "./generate-schemas.ts";
import { generateTypes } from "./generate-types.ts";

const crds = readCrds();
const wanted = {
  "types.ts": generateTypes(crds),
  "schemas.json": generateSchemas(crds),
  "../charts/parley/files/crds/a2aagents.yaml": kept("a2aagents.yaml"),
  "../charts/parley/files/crds/virtualkeys.yaml": kept("virtualkeys.yaml"),
};

/** As the chart has it: uninstalling leaves it, and users' objects with it. */
function kept(name: string): string {
  const text = readFileSync(join(import.meta.dirname, name), "utf8");
  return text.replace(/^metadata:\n/m, "metadata:\n  annotations:\n    helm.sh/resource-policy: keep\n");
}

for (const [name, text] of Object.entries(wanted)) {
  const file = join(import.meta.dirname, name);
  if (!process.argv.includes("--check")) {
    writeFileSync(file, text);
  } else if (readFileSync(file, "utf8") !== text) {
    console.error(`crds/${name} does not match the CRDs. Run: npm run generate`);
    process.exitCode = 1;
  }
}
