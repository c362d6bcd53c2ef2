import * as fc from "fast-check";
import { expect, test } from "vitest";
import { createSlots, type Slotted } from "./slots.ts";

test("holds what was added and not removed, through any history", () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.boolean(), fc.nat(9)), { maxLength: 200 }), (history) => {
      const things = Array.from({ length: 10 }, (_, name): Slotted & { name: number } => ({ slot: -1, name }));
      const slots = createSlots<Slotted & { name: number }>();
      const model = new Set<number>();
      for (const [adds, name] of history) {
        const thing = things[name];
        if (thing === undefined || (adds && model.has(name))) continue;
        if (adds) {
          slots.add(thing);
          model.add(name);
        } else {
          slots.remove(thing);
          model.delete(name);
        }
        expect(slots.size).toBe(model.size);
        expect(new Set(slots.all().map((each) => each.name))).toEqual(model);
      }
    }),
  );
});

test("what it hands out does not change under who walks through it", () => {
  const slots = createSlots();
  const things = [{ slot: -1 }, { slot: -1 }];
  for (const thing of things) slots.add(thing);
  const all = slots.all();
  for (const thing of all) slots.remove(thing);
  expect(all).toEqual(things);
  expect(slots.size).toBe(0);
});
