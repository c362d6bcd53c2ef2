// What holds while operators are killed, stopped and cut off, and proxies come and go: `Programmed=True` never lies and is never missing in the
// end, a revocation is refused everywhere within a second, and no request and no stream fails.
// `npm run trial -- 1000` does the same with more edits.
import { beforeAll, expect, test } from "vitest";
import { trial, type Verdict } from "../harness/trial.ts";

const EDITS = 200;
let verdict: Verdict;

beforeAll(async () => {
  verdict = await trial(EDITS, (line) => console.log(line));
  const { edits, confirmed, requests, streams } = verdict;
  console.log(
    `${edits} edits, ${confirmed} checked when they were programmed; ${requests} requests, ${streams} streams`,
  );
});

test("`Programmed=True` is written only once every proxy that is there serves that generation", () => {
  expect(verdict.edits).toBeGreaterThanOrEqual(EDITS);
  expect(verdict.confirmed).toBeGreaterThan(verdict.edits / 4);
  expect(verdict.lies).toEqual([]);
});

test("in the end it is missing nowhere", () => {
  expect(verdict.missing).toBeUndefined();
});

test("a revocation is refused by every proxy within a second, whatever is broken", () => {
  expect(verdict.revocations.length).toBeGreaterThanOrEqual(20);
  expect(verdict.revocations.filter(({ ms }) => ms >= 1_000)).toEqual([]);
});

test("no request and no stream fails meanwhile", () => {
  expect(verdict.requests).toBeGreaterThan(500);
  expect(verdict.streams).toBeGreaterThan(10);
  expect(verdict.failures).toEqual([]);
});
