import { expect, test } from "vitest";
import { refOf } from "./objects.ts";
import { createRecent } from "./recent.ts";
import { agent } from "./translate/objects.test-support.ts";

const refTo = (name: string) => refOf("A2AAgent", "agents", name);

test("gives sixteen objects back, as the text that each was kept as; the first to come is the first to go", () => {
  const recent = createRecent();
  const objects = Array.from({ length: 17 }, (_, at) => agent({ name: `a${at}` }));
  for (const [at, object] of objects.entries()) recent.set(refTo(`a${at}`), `text ${at}`, object);
  expect(recent.get(refTo("a0"), "text 0")).toBeUndefined();
  expect(objects.slice(1).map((_, at) => recent.get(refTo(`a${at + 1}`), `text ${at + 1}`))).toEqual(objects.slice(1));
  expect(recent.get(refTo("a5"), "another text")).toBeUndefined();
});

test("an object that is kept anew takes its own place", () => {
  const recent = createRecent();
  for (let at = 0; at < 16; at += 1) recent.set(refTo(`a${at}`), "before", agent({ name: `a${at}` }));
  const newer = agent({ name: "a3" }, { publicName: "newer" });
  recent.set(refTo("a3"), "after", newer);
  expect(recent.get(refTo("a3"), "after")).toBe(newer);
  expect(recent.get(refTo("a3"), "before")).toBeUndefined();
  expect(recent.get(refTo("a0"), "before")).toBeDefined();
});
