import * as fc from "fast-check";
import { expect, test } from "vitest";
import { createHashIndex } from "./hash-index.ts";

/** Some the same, some of the last slots, behind which the first ones come. */
const hashes = fc.array(
  fc.oneof(
    fc.constantFrom(0, 1, 0xffff_ffff),
    fc.integer({ min: 0xffff_ff00, max: 0xffff_ffff }),
    fc.nat({ max: 0xffff_ffff }),
  ),
  { minLength: 300, maxLength: 300 },
);
const steps = fc.array(
  fc.record({
    entry: fc.integer({ min: 1, max: 300 }),
    what: fc.constantFrom("put", "put", "put", "leave", "mark", "unmark"),
  }),
  { maxLength: 1000, size: "max" },
);

const sorted = (entries: Iterable<number>): number[] => [...entries].sort((a, b) => a - b);

test("in any history it has what was put and did not leave, each with its mark, whatever their hashes", () => {
  fc.assert(
    fc.property(steps, hashes, (history, hashOfEntry) => {
      const index = createHashIndex();
      const model = new Map<number, boolean>();
      const counts: [number, number][] = [];
      const hashOf = (entry: number): number => hashOfEntry[entry - 1] ?? 0;
      const slotOf = (entry: number): number => index.find(hashOf(entry), (one) => one === entry);
      for (const { entry, what } of history) {
        if (what === "put") {
          index.makeRoom();
          index.put(slotOf(entry), hashOf(entry), entry);
          model.set(entry, model.get(entry) ?? true);
        } else if (what === "unmark") {
          const meant = [...model.keys()].filter((one) => one % 3 === entry % 3);
          counts.push([index.unmark((one) => one % 3 === entry % 3), meant.length]);
          for (const one of meant) model.set(one, false);
        } else if (model.has(entry)) {
          if (what === "mark") index.mark(slotOf(entry));
          else index.leave(slotOf(entry));
          if (what === "mark") model.set(entry, true);
          else model.delete(entry);
        }
      }
      expect(counts.map(([given]) => given)).toEqual(counts.map(([, meant]) => meant));
      expect(index.size).toBe(model.size);
      for (let entry = 1; entry <= 300; entry++) expect(index.at(slotOf(entry))).toBe(model.has(entry) ? entry : 0);
      const unmarked = [...model].flatMap(([entry, marked]) => (marked ? [] : [entry]));
      expect(sorted(index.unmarked())).toEqual(sorted(unmarked));
      const walked = Array.from({ length: 16 }, (_, bits) => index.beginningWith(bits, 4)).flat();
      expect(sorted(walked)).toEqual(sorted(model.keys()));
    }),
  );
});
