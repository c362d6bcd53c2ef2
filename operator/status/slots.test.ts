import * as fc from "fast-check";
import { expect, test } from "vitest";
import { agentRowId, keyRowId } from "../../proxy/table/contract.ts";
import { refOf } from "../objects.ts";
import { createSlots } from "./slots.ts";
import type { Slot } from "./slots.ts";

const kind = fc.constantFrom("A2AAgent", "VirtualKey");
const name = fc.constantFrom("alice", "bob", "carol");
const finding = fc.record({
  type: fc.constantFrom("Accepted", "ResolvedRefs"),
  status: fc.constantFrom("True", "False"),
  reason: fc.constantFrom("Accepted", "InvalidSpec"),
  message: fc.string({ unit: "grapheme" }),
});
const status = fc.record({ observedGeneration: fc.nat(), fingerprint: fc.string() }, { requiredKeys: [] });
const slot: fc.Arbitrary<Slot> = fc.record({
  result: fc.record({
    kind,
    namespace: fc.constant("team"),
    name,
    uid: fc.uuid(),
    generation: fc.nat(),
    conditions: fc.array(finding, { maxLength: 2 }),
    fields: status,
    rowId: fc.constantFrom(null, "1", "key/team/another"),
  }),
  sequence: fc.nat(),
  since: fc.nat(),
  believes: fc.boolean(),
  programmed: fc.boolean(),
  backends: fc.option(fc.array(fc.record({ name: fc.string(), versions: fc.array(fc.string()) })), { nil: undefined }),
  findings: fc.option(
    finding.map((one) => new Map([[one.type, one]])),
    { nil: undefined },
  ),
  writtenAt: fc.option(
    fc.nat().map((ms) => ms + 0.25),
    { nil: undefined },
  ),
  written: fc.option(fc.record({ status, resourceVersion: fc.string(), echo: fc.option(status, { nil: undefined }) }), {
    nil: undefined,
  }),
  busy: fc.constant(false),
  failures: fc.nat(3),
}) as never;

/** As most are: published under their own row. */
function published(one: Slot): Slot {
  const { namespace, name: called } = one.result;
  const rowId = one.result.kind === "A2AAgent" ? agentRowId(namespace, called) : keyRowId(namespace, called);
  return { ...one, result: { ...one.result, rowId } };
}

test("what was laid to rest comes back as it was", () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(slot, fc.boolean()), { maxLength: 20 }), (given) => {
      const slots = createSlots();
      const model = new Map<string, Slot>();
      for (const [one, isPublished] of given) {
        const put = isPublished ? published(one) : one;
        const ref = refOf(put.result.kind, put.result.namespace, put.result.name);
        slots.set(ref, structuredClone(put));
        model.set(ref, put);
        slots.rest(ref);
      }
      expect(slots.size).toBe(model.size);
      expect([...slots.refs()].sort()).toEqual([...model.keys()].sort());
      for (const [ref, put] of model) expect(slots.get(ref)).toEqual(put);
      expect(slots.size).toBe(model.size);
      for (const ref of model.keys()) slots.delete(ref);
      expect([slots.size, [...slots.refs()]]).toEqual([0, []]);
    }),
  );
});

test("one that is busy stays with whoever keeps it so", () => {
  const slots = createSlots();
  const [one] = fc.sample(slot, 1);
  if (one === undefined) throw new Error("no sample");
  slots.set("VirtualKey/team/alice", { ...one, busy: true });
  const known = slots.get("VirtualKey/team/alice");
  slots.rest("VirtualKey/team/alice");
  expect(slots.get("VirtualKey/team/alice")).toBe(known);
});
