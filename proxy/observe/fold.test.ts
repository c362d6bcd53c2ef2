import { expect, test } from "vitest";
import { foldStream } from "./fold.ts";
import { createRedactor } from "./redact.ts";

const same = (text: string): string => text;
const sse = (...events: unknown[]): string => events.map((event) => `data: ${JSON.stringify(event)}\n\n`).join("");
const piece = (text: string, append: boolean, id = "a1"): object => ({
  result: { artifactUpdate: { artifact: { artifactId: id, parts: [{ text }] }, append } },
});

test("pieces of an artifact are one text; other events keep their order", () => {
  const task = { result: { task: { id: "t" } } };
  const done = { result: { statusUpdate: { status: { state: "TASK_STATE_COMPLETED" } } } };
  const text = sse(task, piece("Hel", false), piece("lo", true), piece("other", false, "a2"), piece("!", true), done);
  expect(JSON.parse(foldStream(text, same))).toEqual([task, piece("Hello!", false), piece("other", false, "a2"), done]);
});

test("both spellings, also without the envelope of JSON-RPC", () => {
  const update = (text: string, append: boolean): object => ({
    kind: "artifact-update",
    append,
    artifact: { artifactId: 1, parts: [{ kind: "text", text }] },
  });
  expect(JSON.parse(foldStream(sse({ result: update("a", false) }, { result: update("b", true) }), same))).toEqual([
    { result: update("ab", false) },
  ]);
  expect(JSON.parse(foldStream(sse(update("a", false), update("b", true)), same))).toEqual([update("ab", false)]);
});

test("an event that was cut off is left out, all line ends are known, each event is redacted", () => {
  const text = ': hello\r\ndata: {"a":\r\ndata: 1}\r\n\r\nevent: x\rdata:2\r\rdata: {"cut":';
  expect(foldStream(text, same)).toBe('[{"a":1},2]');
  expect(foldStream(text, () => "hidden")).toBe('["hidden","hidden"]');
});

test("a secret that comes in two pieces is redacted all the same", () => {
  const text = sse(piece("use Bear", false), piece("er s3", true), piece("cret, please", true));
  expect(JSON.parse(foldStream(text, createRedactor()))).toEqual([piece("use Bearer [redacted], please", false)]);
});
