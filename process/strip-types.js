// Types taken out of sources once, when an image is made. In: folders. Out: their TypeScript files without types, each line and column
// where it was, and a mark by which launch.js knows. A proxy that has to strip them itself at each start needs 25 MB more to the end.
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { stripTypeScriptTypes } from "node:module";
import { join } from "node:path";
import { STRIPPED } from "./launch.js";

for (const folder of process.argv.slice(2)) {
  for (const name of readdirSync(folder, { recursive: true, encoding: "utf8" })) {
    if (!name.endsWith(".ts")) continue;
    const file = join(folder, name);
    writeFileSync(file, stripTypeScriptTypes(readFileSync(file, "utf8")));
  }
}
writeFileSync(STRIPPED, "");
