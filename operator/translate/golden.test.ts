// Each testdata/*.in.yaml, translated, must give its *.out.yaml: rows and results. UPDATE_GOLDENS=1 rewrites them.
import { existsSync, globSync, readFileSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { expect, test } from "vitest";
import { parse, stringify } from "yaml";
import { parseRow } from "../../proxy/table/parse-row.ts";
import { refOf } from "../objects.ts";
import { createStore } from "../store.ts";
import { AGENT_REASONS, KEY_REASONS } from "./conditions.ts";
import { createTranslation } from "./engine.ts";
import { createListener } from "./listener.test-support.ts";
import { readManifests } from "./manifests.test-support.ts";

const folder = join(import.meta.dirname, "testdata");
const inputs = globSync("*.in.yaml", { cwd: folder }).sort();

function shown(heard: ReturnType<typeof createListener>): string {
  const rows = Object.fromEntries(heard.rows);
  const results = Object.fromEntries(
    Array.from(heard.results, ([ref, { kind: _kind, namespace: _namespace, name: _name, ...result }]) => [ref, result]),
  );
  return stringify({ rows, results }, { sortMapEntries: true, lineWidth: 0, aliasDuplicateObjects: false });
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
  const heard = createListener();
  expect(heard.hear(translation.rebuild())).toEqual([]);
  const output = shown(heard);

  const golden = join(folder, `${basename(input, ".in.yaml")}.out.yaml`);
  if (process.env["UPDATE_GOLDENS"] === "1") writeFileSync(golden, output);
  expect(existsSync(golden), `no ${golden}: run with UPDATE_GOLDENS=1`).toBe(true);
  expect(output).toBe(readFileSync(golden, "utf8"));

  // Proxies of this release must take every row.
  const parsed = [...heard.rows].map(([id, row]) => [id, parseRow(id, row).outcome]);
  expect(parsed.filter(([, outcome]) => outcome !== "Row")).toEqual([]);

  // The order in which objects come must not show.
  const later = createStore({ gatewayName: settings.gatewayName });
  const stepwise = createTranslation({ store: later, settings, onError });
  const grown = createListener();
  for (const object of objects.toReversed()) {
    later.set(object);
    const given = stepwise.update([refOf(object.kind, object.metadata.namespace, object.metadata.name)]);
    expect(grown.hear(given)).toEqual([]);
  }
  expect(shown(grown)).toBe(output);
  expect(errors).toEqual([]);
});
