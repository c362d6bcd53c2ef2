import { describe, expect, it } from "vitest";
import { createFailureLog } from "./failure-log.ts";

function setUp() {
  let time = 1_000;
  const lines: string[] = [];
  const quiet = (): void => undefined;
  const at =
    (level: string) =>
    (...given: [object, string] | [string]): void =>
      void lines.push(`${level} ${given.at(-1) as string}`);
  const log = { trace: quiet, debug: quiet, info: quiet, warn: at("warn"), error: at("error") };
  const failures = createFailureLog({ log, now: () => time });
  return { failures, lines, pass: (ms: number) => (time += ms) };
}

describe("failures of reading the API server", () => {
  it("are told at once, then at most every 30 s for each kind", () => {
    const { failures, lines, pass } = setUp();
    for (let tries = 0; tries < 10; tries++) {
      failures.failed("Secret", undefined, {});
      failures.failed("Service", undefined, {});
      pass(1_000);
    }
    expect(lines).toHaveLength(2);
    pass(20_000);
    failures.failed("Secret", undefined, {});
    expect(lines).toHaveLength(3);
  });

  it("name what to apply, once for both kinds, and again when they were there and go", () => {
    const { failures, lines, pass } = setUp();
    for (let tries = 0; tries < 5; tries++) {
      failures.failed("A2AAgent", 404, {});
      failures.failed("VirtualKey", 404, {});
      pass(60_000);
    }
    expect(lines).toEqual([expect.stringMatching(/^error .*apply crds\/a2aagents\.yaml and crds\/virtualkeys\.yaml/)]);
    failures.recovered("A2AAgent");
    failures.recovered("VirtualKey");
    failures.failed("A2AAgent", 404, {});
    expect(lines).toHaveLength(2);
  });

  it("with another status are no missing kinds", () => {
    const { failures, lines } = setUp();
    failures.failed("A2AAgent", 403, {});
    failures.failed("Secret", 404, {});
    expect(lines).toEqual(["warn watch of the API server failed", "warn watch of the API server failed"]);
  });
});
