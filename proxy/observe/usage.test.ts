import { expect, test } from "vitest";
import { readUsage } from "./usage.ts";

const tokens = [{ unit: "inputTokens" }, { unit: "outputTokens" }, { unit: "totalTokens" }];
const document = (value: unknown): { text: string; whole: boolean } => ({ text: JSON.stringify(value), whole: true });
const told = (value: unknown, rules: Parameters<typeof readUsage>[2] = tokens): object =>
  Object.fromEntries(readUsage(document(value), false, rules));
const all = { inputTokens: "60", outputTokens: "42", totalTokens: "102" };

test("known frameworks: where they put it, in both bindings and versions", () => {
  const adk = { promptTokenCount: 60, candidatesTokenCount: 42, totalTokenCount: 102 };
  const usage = { prompt_tokens: 60, completion_tokens: 42, total_tokens: 102 };
  expect(told({ result: { kind: "task", metadata: { adk_usage_metadata: adk } } })).toEqual(all);
  expect(told({ result: { kind: "message", metadata: { kagent_usage_metadata: adk } } })).toEqual(all);
  expect(told({ result: { task: { status: { message: { metadata: { adk_usage_metadata: adk } } } } } })).toEqual(all);
  expect(told({ task: { metadata: { usage } } })).toEqual(all);
  expect(
    told({ message: { metadata: { usage: { input_tokens: 60, output_tokens: 42, total_tokens: "102" } } } }),
  ).toEqual(all);
});

test("paths of the agent's own: the first that leads to a number", () => {
  const rules = [{ unit: "pages", paths: ["$.metadata['https://x/y'].pages", "$.metadata.list[1]"] }];
  expect(told({ result: { metadata: { "https://x/y": { pages: 2.5 }, list: [0, 7] } } }, rules)).toEqual({
    pages: "2.5",
  });
  expect(told({ result: { metadata: { list: [0, 7] } } }, rules)).toEqual({ pages: "7" });
  expect(told({ result: { metadata: { usage: { total_tokens: 1 } } } }, rules)).toEqual({});
});

test.each([-1, 1e300, "many", null, true, {}, "1e3", "-5", Number.MAX_VALUE, "9".repeat(16)])(
  "%j is no amount",
  (figure) => {
    expect(told({ result: { metadata: { usage: { total_tokens: figure } } } })).toEqual({});
  },
);

test("in a stream the last figure counts, also when the start is no longer there", () => {
  const event = (total: number): string =>
    `data: ${JSON.stringify({ result: { statusUpdate: { metadata: { usage: { total_tokens: total } } } } })}\n\n`;
  const rule = [{ unit: "totalTokens" }];
  const end = `data: {"result":{"statusUpdate":{"status":{}}}}\n\n`;
  expect(readUsage({ text: event(1) + event(2) + end, whole: true }, true, rule).get("totalTokens")).toBe("2");
  expect(readUsage({ text: `00}}}}\n\n${event(3)}${end}`, whole: false }, true, rule).get("totalTokens")).toBe("3");
  expect(readUsage({ text: event(1) + end, whole: false }, true, rule).size).toBe(0);
});

test("a document that is not whole, or no JSON, tells nothing", () => {
  expect(readUsage({ text: '{"result":', whole: true }, false, tokens).size).toBe(0);
  expect(
    readUsage({ text: JSON.stringify({ metadata: { usage: { total_tokens: 1 } } }), whole: false }, false, tokens).size,
  ).toBe(0);
});
