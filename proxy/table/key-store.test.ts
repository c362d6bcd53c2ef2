import * as fc from "fast-check";
import { expect, test } from "vitest";
import { createKeyObjects } from "./key-objects.ts";
import { createKeyStore } from "./key-store.ts";
import { packKey } from "./packed-key.ts";
import { keyRow, sha256Of } from "./rows.test-support.ts";

test("gives what was set last, and of a token its key while that is the only one, in whatever order they came and went", () => {
  const step = fc.record({ name: fc.nat(300), token: fc.nat(200), gone: fc.boolean() });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 600, size: "max" }), (steps) => {
      const store = createKeyStore(createKeyObjects());
      const model = new Map<string, number>();
      for (const { name, token, gone } of steps) {
        const id = `key/ns/${name}`;
        // What was looked up is remembered, and must not outlive the edit.
        for (const one of [token, model.get(id)]) store.bySha256(sha256Of(`sk-${one}`));
        const [was, known] = [gone && store.delete(id), model.delete(id)];
        expect(was).toBe(gone && known);
        if (gone) continue;
        store.set(id, packKey(keyRow(`sk-${token}`)));
        model.set(id, token);
      }
      const holders = Map.groupBy(model.keys(), (id) => model.get(id));
      for (let n = 0; n <= 300; n += 1) {
        const [id, token] = [`key/ns/${n}`, model.get(`key/ns/${n}`)];
        expect(store.has(id)).toBe(token !== undefined);
        expect(store.key(id)?.row).toStrictEqual(token === undefined ? undefined : keyRow(`sk-${token}`));
        const held = holders.get(n) ?? [];
        expect(store.bySha256(sha256Of(`sk-${n}`))?.id).toBe(held.length === 1 ? held[0]?.slice(4) : undefined);
      }
    }),
    { numRuns: 30 },
  );
});

test("keys whose hashes are alike are told apart, and found when one before them went", () => {
  const store = createKeyStore(createKeyObjects());
  const sha256 = (n: number): string => "7".repeat(8) + sha256Of(String(n)).slice(8);
  for (let n = 0; n < 40; n += 1) store.set(`key/ns/${n}`, packKey({ ...keyRow("sk"), sha256: sha256(n) }));
  for (let n = 0; n < 40; n += 3) store.delete(`key/ns/${n}`);
  for (let n = 0; n < 40; n += 1) expect(store.bySha256(sha256(n))?.id).toBe(n % 3 === 0 ? undefined : `ns/${n}`);
  expect(store.bySha256("7".repeat(64))).toBeUndefined();
  expect(store.bySha256("")).toBeUndefined();
});
