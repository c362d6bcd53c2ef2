// Writes dashboards and rules as files, and the chart's copies of them; with --check it writes nothing and exits 1 when one is stale.
// In: boards.ts, rules.ts. Out: generated/*.json for Grafana, generated/rules.yaml for Prometheus.
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { stringify } from "yaml";
import { DASHBOARDS } from "./boards.ts";
import { grafana } from "./panels.ts";
import { RULES } from "./rules.ts";

const FOLDERS = ["generated", "../charts/parley/files/monitoring"] as const;

const wanted = new Map<string, string>([
  ...DASHBOARDS.map((dashboard): [string, string] => [
    `${dashboard.uid}.json`,
    `${JSON.stringify(grafana(dashboard), null, 2)}\n`,
  ]),
  ["rules.yaml", stringify({ groups: RULES }, { lineWidth: 0 })],
]);

for (const folder of FOLDERS) {
  const path = join(import.meta.dirname, folder);
  if (!process.argv.includes("--check")) mkdirSync(path, { recursive: true });
  for (const [name, text] of wanted) {
    const file = join(path, name);
    if (!process.argv.includes("--check")) writeFileSync(file, text);
    else if (read(file) !== text) {
      console.error(`dashboards/${folder}/${name} is stale. Run: npm run generate`);
      process.exitCode = 1;
    }
  }
}

function read(file: string): string | undefined {
  try {
    return readFileSync(file, "utf8");
  } catch {
    return undefined;
  }
}
