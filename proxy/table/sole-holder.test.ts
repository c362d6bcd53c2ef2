import * as fc from "fast-check";
import { expect, test } from "vitest";
import { createSoleHolders } from "./sole-holder.ts";

test("gives a holder while it is the only one, in whatever order they came and went", () => {
  const holders = ["one", "two", "three"].map((name) => ({ name }));
  const step = fc.record({ add: fc.boolean(), value: fc.constantFrom("x", "y"), who: fc.nat(2) });
  fc.assert(
    fc.property(fc.array(step), (steps) => {
      const index = createSoleHolders<{ name: string }>();
      const model = new Map<string, Set<{ name: string }>>();
      for (const { add, value, who } of steps) {
        const holder = holders[who] ?? { name: "" };
        const set = model.get(value) ?? new Set();
        model.set(value, set);
        if (add) {
          index.add(value, holder);
          set.add(holder);
        } else {
          index.remove(value, holder);
          set.delete(holder);
        }
      }
      for (const [value, set] of model) {
        expect(index.get(value)).toBe(set.size === 1 ? [...set][0] : undefined);
      }
    }),
  );
});
