// Random histories of all kinds: what was made step by step must equal what is made of the last state at once.
import { isDeepStrictEqual } from "node:util";
import * as fc from "fast-check";
import { expect, test } from "vitest";
import type { Row, RowId } from "../../proxy/table/contract.ts";
import { parseRow } from "../../proxy/table/parse-row.ts";
import { refOf } from "../objects.ts";
import type { Kind, Ref, StoredObject } from "../objects.ts";
import { createStore } from "../store.ts";
import type { Store } from "../store.ts";
import { createTranslation } from "./engine.ts";
import type { TranslationDeps } from "./engine.ts";
import { anyObject } from "./histories.test-support.ts";
import { createListener } from "./listener.test-support.ts";
import type { TranslateSettings } from "./settings.ts";

type Step =
  | { readonly do: "set"; readonly object: StoredObject }
  | { readonly do: "delete"; readonly pick: number }
  | { readonly do: "relist"; readonly kind: Kind; readonly objects: readonly StoredObject[]; readonly keep: boolean };
const KINDS: readonly Kind[] = ["A2AAgent", "VirtualKey", "Secret", "Service", "EndpointSlice", "Namespace"];

const steps: fc.Arbitrary<Step> = fc.oneof(
  { weight: 8, arbitrary: anyObject.map((object) => ({ do: "set" as const, object })) },
  { weight: 3, arbitrary: fc.nat().map((pick) => ({ do: "delete" as const, pick })) },
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constant("relist" as const),
      kind: fc.constantFrom(...KINDS),
      objects: fc.array(anyObject, { maxLength: 4 }),
      keep: fc.boolean(),
    }),
  },
);

/** Does the step, and gives what the store says has changed. */
function take(store: Store, step: Step): Ref[] {
  switch (step.do) {
    case "set":
      return store.set(step.object) ? [nameOf(step.object)] : [];
    case "delete": {
      const all = KINDS.flatMap((kind) => [...store.list(kind)].map(nameOf));
      const ref = all[step.pick % Math.max(1, all.length)];
      return ref !== undefined && store.delete(ref) ? [ref] : [];
    }
    case "relist": {
      const kept = step.keep ? [...store.list(step.kind)] : [];
      return store.replace(step.kind, [...kept, ...step.objects.filter(({ kind }) => kind === step.kind)]);
    }
  }
}

const nameOf = ({ kind, metadata }: StoredObject): Ref => refOf(kind, metadata.namespace, metadata.name);

/** What a translation gives that begins with this store. */
function madeAtOnce(deps: TranslationDeps): { readonly rows: unknown[]; readonly results: unknown[] } {
  const listener = createListener();
  listener.hear(createTranslation(deps).rebuild());
  return listener.state();
}

/** Proxies take all rows, and nothing is held twice. */
const soundnessFaultsOf = (rows: ReadonlyMap<RowId, Row>): string[] =>
  faultsOf(rows).filter((fault) => !fault.startsWith("nobody refers"));

/** Rows made on demand stand exactly while a published row refers to them; no public name and no token is held twice; proxies take them all. */
function faultsOf(rows: ReadonlyMap<RowId, Row>): string[] {
  const wanted = new Set(["gateway"]);
  const held: string[] = [];
  const ids: string[] = [];
  const refused: string[] = [];
  for (const [id, row] of rows) {
    ids.push(id);
    if (parseRow(id, row).outcome !== "Row") refused.push(`proxies refuse ${id}`);
    if ("backends" in row) {
      wanted.add(id);
      for (const { endpoints } of row.backends) if (endpoints !== undefined) wanted.add(endpoints);
      for (const { credential } of row.credentials) wanted.add(credential);
      if (row.publicName !== undefined) held.push(`name ${row.publicName}`);
    } else if ("sha256" in row) {
      wanted.add(id);
      wanted.add(`namespace/${id.split("/")[1]}`);
      held.push(`token ${row.sha256}`);
    }
  }
  return [
    ...refused,
    ...ids.filter((id) => !wanted.has(id)).map((id) => `nobody refers to ${id}`),
    ...held.filter((claim, index) => held.indexOf(claim) !== index).map((claim) => `${claim} is held twice`),
  ];
}

test("step by step gives what is made at once", () => {
  const start = fc.array(anyObject, { minLength: 15, maxLength: 40, size: "max" });
  const turns = fc.array(fc.array(steps, { minLength: 1, maxLength: 3 }), { minLength: 5, maxLength: 25, size: "max" });
  const onError = (ref: Ref, error: unknown): void => {
    throw new Error(`translation of ${ref} failed`, { cause: error });
  };
  fc.assert(
    fc.property(start, turns, fc.boolean(), (objects, history, selectors) => {
      const settings = { ...SETTINGS, selectors };
      const store = createStore({ gatewayName: settings.gatewayName });
      for (const object of objects) store.set(object);
      const incremental = createTranslation({ store, settings, onError });
      const listener = createListener();
      const faults = listener.hear(incremental.rebuild());
      for (const turn of history) {
        faults.push(...listener.hear(incremental.update(turn.flatMap((step) => take(store, step)))));
        faults.push(...faultsOf(listener.rows));
        const state = madeAtOnce({ store, settings, onError });
        if (!isDeepStrictEqual(listener.state(), state)) faults.push("the differences gave something else");
      }
      expect(faults).toEqual([]);
      expect(incremental.rebuild()).toMatchObject({ changes: [], results: [], removed: [] });
      expect(incremental.update([])).toEqual({ refs: [], changes: [], results: [], removed: [] });
    }),
    { numRuns: 150 },
  );
});

test("in slices, with edits between them, it comes to the same, and every slice is sound", () => {
  const start = fc.array(anyObject, { minLength: 15, maxLength: 40, size: "max" });
  const turn = fc.record({ steps: fc.array(steps, { maxLength: 4 }), objects: fc.integer({ min: 1, max: 5 }) });
  const turns = fc.array(turn, { minLength: 10, maxLength: 40, size: "max" });
  const onError = (ref: Ref, error: unknown): void => {
    throw new Error(`translation of ${ref} failed`, { cause: error });
  };
  fc.assert(
    fc.property(start, turns, (objects, history) => {
      const store = createStore({ gatewayName: SETTINGS.gatewayName });
      const sliced = createTranslation({ store, settings: SETTINGS, onError });
      const listener = createListener();
      const faults: string[] = [];
      const slice = (most: number): void => {
        let done = 0;
        faults.push(...listener.hear(sliced.work(() => ++done >= most)));
        faults.push(...soundnessFaultsOf(listener.rows));
      };
      for (const object of objects) if (store.set(object)) sliced.mark([nameOf(object)]);
      for (const { steps: some, objects: most } of history) {
        for (const step of some) sliced.mark(take(store, step));
        slice(most);
      }
      while (!sliced.idle) slice(1);
      faults.push(...faultsOf(listener.rows));
      expect(faults).toEqual([]);
      const state = madeAtOnce({ store, settings: SETTINGS, onError });
      expect(listener.state()).toEqual(state);
    }),
    { numRuns: 150 },
  );
});

const SETTINGS: TranslateSettings = {
  gatewayName: "default",
  trustedProxies: [],
  allowedUpstreams: [],
  exemptTokens: ["short"],
  selectors: true,
};
