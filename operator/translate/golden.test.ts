// Each testdata/*.in.yaml, translated, must give its *.out.yaml: rows and results. UPDATE_GOLDENS=1 rewrites them.
import { existsSync, globSync, readFileSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { expect, test } from "vitest";
import { parse, stringify } from "yaml";
import type { Row, RowId } from "../../proxy/table/contract.ts";
import { parseRow } from "../../proxy/table/parse-row.ts";
import { refOf } from "../objects.ts";
import { createStore } from "../store.ts";
import { AGENT_REASONS, KEY_REASONS } from "./conditions.ts";
import { createTranslation } from "./engine.ts";
import type { Translation } from "./engine.ts";
import { readManifests } from "./manifests.test-support.ts";
import type { TranslateOutput } from "./result.ts";

const folder = join(import.meta.dirname, "testdata");
const inputs = globSync("*.in.yaml", { cwd: folder }).sort();

function shown(translation: Translation, table: ReadonlyMap<RowId, Row>): string {
  const rows = Object.fromEntries(table);
  const results = Object.fromEntries(
    [...translation.results()].map(({ kind, namespace, name, ...result }) => [refOf(kind, namespace, name), result]),
  );
  return stringify({ rows, results }, { sortMapEntries: true, lineWidth: 0, aliasDuplicateObjects: false });
}

function take(table: Map<RowId, Row>, { changes }: TranslateOutput): void {
  for (const { id, row } of changes) {
    if (row === null) table.delete(id);
    else table.set(id, row);
  }
}

/** Of discovery, of the care for Secrets, and of bugs. */
const ELSEWHERE: ReadonlySet<string> = new Set([
  "CardUnreachable",
  "CardInvalid",
  "UpstreamRefused",
  "SecretNotMade",
  "TranslationFailed",
]);

test("the cases show every reason", () => {
  const shownReasons = new Set<string>();
  for (const input of inputs) {
    const golden = readFileSync(join(folder, `${basename(input, ".in.yaml")}.out.yaml`), "utf8");
    const { results } = parse(golden) as { results: Record<string, { conditions: { reason: string }[] }> };
    for (const [ref, { conditions }] of Object.entries(results)) {
      for (const { reason } of conditions) shownReasons.add(`${ref.split("/", 1)[0]} ${reason}`);
    }
  }
  const reasons = [
    ...AGENT_REASONS.filter((reason) => !ELSEWHERE.has(reason)).map((reason) => `A2AAgent ${reason}`),
    ...KEY_REASONS.filter((reason) => !ELSEWHERE.has(reason)).map((reason) => `VirtualKey ${reason}`),
  ];
  expect(reasons.filter((reason) => !shownReasons.has(reason))).toEqual([]);
  expect(inputs.length).toBeGreaterThanOrEqual(20);
});

test.each(inputs)("%s", (input) => {
  const { settings, objects } = readManifests(readFileSync(join(folder, input), "utf8"));
  const store = createStore({ gatewayName: settings.gatewayName });
  const errors: unknown[] = [];
  const onError = (ref: string, error: unknown): void => void errors.push([ref, error]);
  for (const object of objects) store.set(object);
  const translation = createTranslation({ store, settings, onError });
  const table = new Map<RowId, Row>();
  take(table, translation.rebuild());
  const output = shown(translation, table);

  const golden = join(folder, `${basename(input, ".in.yaml")}.out.yaml`);
  if (process.env["UPDATE_GOLDENS"] === "1") writeFileSync(golden, output);
  expect(existsSync(golden), `no ${golden}: run with UPDATE_GOLDENS=1`).toBe(true);
  expect(output).toBe(readFileSync(golden, "utf8"));

  // Proxies of this release must take every row.
  const parsed = [...table].map(([id, row]) => [id, parseRow(id, row).outcome]);
  expect(parsed.filter(([, outcome]) => outcome !== "Row")).toEqual([]);

  // The order in which objects come must not show.
  const later = createStore({ gatewayName: settings.gatewayName });
  const stepwise = createTranslation({ store: later, settings, onError });
  const grown = new Map<RowId, Row>();
  for (const object of objects.toReversed()) {
    later.set(object);
    take(grown, stepwise.update([refOf(object.kind, object.metadata.namespace, object.metadata.name)]));
  }
  expect(shown(stepwise, grown)).toBe(output);
  expect(errors).toEqual([]);
});
