import { expect, it } from "vitest";
import { microTime } from "./micro-time.ts";

it("writes times with microseconds, as the API server wants them", () => {
  expect(microTime(Date.UTC(2026, 0, 2, 3, 4, 5, 67))).toBe("2026-01-02T03:04:05.067000Z");
});
