// What a writer holds in the heap of objects that it does not look at.
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { expect, test } from "vitest";
import { createFakeClock } from "../../proxy/table/clock.test-support.ts";
import { createWorld, result } from "./writer.test-support.ts";

test("whoever leads no more keeps nothing in the heap of what was due", () => {
  setFlagsFromString("--expose-gc");
  const collect: () => void = runInNewContext("gc");
  const { writer } = createWorld(createFakeClock());
  const held = (): number => {
    collect();
    return process.memoryUsage().heapUsed;
  };
  const before = held();
  writer.lead(true);
  for (let at = 0; at < 20_000; at += 1) writer.results([result(`agent-${at}`, 1, { rowId: null })], 1);
  const led = held() - before;
  expect(writer.waiting).toBe(20_000);
  writer.lead(false);
  expect(held() - before).toBeLessThan(led / 4);
  writer.close();
});
