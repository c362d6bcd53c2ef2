// Writes types.ts from the two CRDs: `generate.ts` writes it, `generate.ts --check` exits 1 when it is stale.
// In: a2aagents.yaml, virtualkeys.yaml. Out: readonly interfaces, named by the schemas' titles.
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { generateTypes } from "./generate-types.ts";
import { readSchemas } from "./schema.ts";

const file = join(import.meta.dirname, "types.ts");
const wanted = generateTypes(readSchemas());

if (process.argv.includes("--check")) {
  if (readFileSync(file, "utf8") !== wanted) {
    console.error("crds/types.ts does not match the CRDs. Run: npm run generate");
    process.exitCode = 1;
  }
} else {
  writeFileSync(file, wanted);
}
