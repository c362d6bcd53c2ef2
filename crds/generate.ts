// Writes types.ts and schemas.json from the two CRDs; with --check it writes nothing and exits 1 when one of them is stale.
// In: a2aagents.yaml, virtualkeys.yaml. Out: the two files.
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { generateSchemas, readCrds } from "./generate-schemas.ts";
import { generateTypes } from "./generate-types.ts";

const crds = readCrds();
const wanted = { "types.ts": generateTypes(crds), "schemas.json": generateSchemas(crds) };

for (const [name, text] of Object.entries(wanted)) {
  const file = join(import.meta.dirname, name);
  if (!process.argv.includes("--check")) {
    writeFileSync(file, text);
  } else if (readFileSync(file, "utf8") !== text) {
    console.error(`crds/${name} does not match the CRDs. Run: npm run generate`);
    process.exitCode = 1;
  }
}
