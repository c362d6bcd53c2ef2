import * as fc from "fast-check";
import { expect, test } from "vitest";
import { recordOf } from "./record.test-support.ts";
import { endFields, remember } from "./remembered.ts";

const make = ({ endpoint, status, outcome }: Parameters<typeof endFields.first>[0]): string =>
  `${endpoint} ${status} ${outcome}`;

test("gives what would be made, whatever came before", () => {
  const records = fc.record({
    endpoint: fc.oneof(fc.constant(undefined), fc.nat(2000).map(String)),
    status: fc.nat(20),
    outcome: fc.constantFrom("ok" as const, "refused" as const),
  });
  fc.assert(
    fc.property(fc.array(records, { maxLength: 3000, size: "max" }), (asked) => {
      const remembered = remember(endFields, make);
      for (const fields of asked) expect(remembered(recordOf(fields))).toBe(make(recordOf(fields)));
    }),
    { numRuns: 10 },
  );
});

test("makes parts of values that take turns once", () => {
  let made = 0;
  const remembered = remember(endFields, (record) => {
    made++;
    return make(record);
  });
  for (let round = 0; round < 10; round++) {
    for (const status of [200, 401, 503]) remembered(recordOf({ status }));
    remembered(recordOf({ endpoint: undefined }));
  }
  expect(made).toBe(4);
});
