// The example agent's command line: defaults, values, and all faults at once.
import { expect, test } from "vitest";
import { parseAgentOptions } from "./options.ts";

test("defaults", () => {
  expect(parseAgentOptions([])).toEqual({
    kind: "run",
    options: { name: "hello", host: "127.0.0.1", copy: "a", port: 10_001, pace: 80, seconds: 20, showHeaders: false },
    drainMs: 30_000,
  });
});

test("values, with and without an equals sign", () => {
  expect(parseAgentOptions(["--port", "0", "--copy=b", "--show-headers", "--drain=2"])).toMatchObject({
    options: { port: 0, copy: "b", showHeaders: true },
    drainMs: 2_000,
  });
});

test("help wins over faults", () => {
  expect(parseAgentOptions(["--port=x", "-h"])).toEqual({ kind: "help" });
});

test("all faults are named together", () => {
  const parsed = parseAgentOptions(["--port=70000", "--pace", "soon", "--nope", "extra", "--copy"]);
  expect(parsed).toEqual({
    kind: "faults",
    faults: [
      "unknown option --nope",
      'unexpected argument "extra"',
      "--copy needs a value",
      '--port must be a whole number from 0 to 65535, not "70000"',
      '--pace must be a whole number from 0 to 60000, not "soon"',
    ],
  });
});
