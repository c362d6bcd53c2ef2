import { expect, test } from "vitest";
import { listAll } from "./list-all.ts";

const fake = (...answers: readonly { status: number; body: unknown }[]) => {
  const left = [...answers];
  return { request: () => Promise.resolve(left.shift() ?? { status: 500, body: undefined }) };
};

test("gives the items of all pages, and with a page that is refused those before it and why", async () => {
  const first = { status: 200, body: { items: [1, 2], metadata: { continue: "x" } } };
  const last = { status: 200, body: { items: [3], metadata: { continue: "" } } };
  expect(await listAll(fake(first, last), "/x")).toEqual({ items: [1, 2, 3], fault: undefined });
  const refused = { status: 403, body: { kind: "Status", message: "x is forbidden" } };
  expect(await listAll(fake(first, refused), "/x")).toEqual({ items: [1, 2], fault: "x is forbidden" });
});

test.each([
  [404, "404 page not found", /CRD is not installed: apply crds\/a2aagents\.yaml/],
  [503, undefined, /the API server answered 503/],
])("says what an answer of %i without a word means", async (status, body, fault) => {
  expect((await listAll(fake({ status, body }), "/x")).fault).toMatch(fault);
});
