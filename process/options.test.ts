import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type OptionTable, envOf, flagOf, option } from "./option-table.ts";
import { boolean, duration, integer, listOf, oneOf, text } from "./option-values.ts";
import { defaultValues, earlyExit, parseOptions } from "./options.ts";

const table = {
  maxRows: option(integer(1, 100), { group: "Limits", default: "10", help: "Rows." }),
  wait: option(duration, { group: "Limits", default: "30s", help: "Time to wait." }),
  verbose: option(boolean, { group: "Log", default: "false", help: "Say more." }),
  level: option(oneOf(["info", "debug"]), { group: "Log", help: "Level." }),
  names: option(listOf(text("NAME", /^[a-z]+$/, "lower-case letters")), {
    group: "Names",
    default: "",
    help: "Names.",
  }),
  id: option(text("ID", /^[a-z]+$/, "lower-case letters"), {
    group: "Names",
    required: true,
    alsoEnv: "POD_ID",
    help: "Id.",
  }),
} as const satisfies OptionTable;
const command = { command: "thing", summary: "Does things." };

const parse = (argv: string[], env: Record<string, string> = {}) => parseOptions(table, command, { argv, env });
const faults = (argv: string[], env: Record<string, string> = {}) => {
  const parsed = parse(argv, env);
  return parsed.kind === "faults" ? parsed.faults : [];
};

describe("names", () => {
  test("come from one word in camel case", () => {
    expect(flagOf("adminListen")).toBe("--admin-listen");
    expect(envOf("adminListen")).toBe("PARLEY_ADMIN_LISTEN");
  });
});

describe("a command that takes flags only", () => {
  const flagsOnly = { ...command, command: "npm start --", flagsOnly: true } as const;
  const env = { PARLEY_MAX_ROWS: "5", PARLEY_ID: "a", POD_ID: "pod" };

  test("reads no environment variable, and names none", () => {
    expect(parseOptions(table, flagsOnly, { argv: ["--id=a"], env })).toMatchObject({ options: { maxRows: 10 } });
    const missing = parseOptions(table, flagsOnly, { argv: [], env });
    expect(missing).toEqual({ kind: "faults", faults: ["--id is missing: write --id=ID"] });
    const help = parseOptions(table, flagsOnly, { argv: ["--help"], env });
    expect(help).toMatchObject({ text: expect.stringContaining("      Level.\n") });
    expect(help).toMatchObject({ text: expect.not.stringMatching(/env |_ID/) });
  });

  test("that npm runs is called as npm wants it", () => {
    const parsed = parseOptions(table, flagsOnly, { argv: ["--id=a", "x"], env });
    const exit = earlyExit(parsed, { command: flagsOnly.command, version: "1" });
    expect(exit?.text).toMatch(/^npm start: .*\nTry: npm start -- --help\n$/);
  });
});

describe("values", () => {
  test("are defaults when nothing else is given", () => {
    expect(parse(["--id=a"])).toEqual({
      kind: "run",
      options: { maxRows: 10, wait: 30_000, verbose: false, level: undefined, names: [], id: "a" },
      operands: [],
    });
  });

  test("come from flags, in both spellings, then from the environment", () => {
    const env = { PARLEY_MAX_ROWS: "5", PARLEY_WAIT: "1s", PARLEY_ID: "fromenv", POD_ID: "pod" };
    expect(parse(["--max-rows", "7", "--level=debug"], env)).toMatchObject({
      options: { maxRows: 7, wait: 1000, level: "debug", id: "fromenv" },
    });
  });

  test("come from a further variable last, and an empty variable is not given", () => {
    expect(parse([], { PARLEY_ID: "", POD_ID: "pod", PARLEY_WAIT: "" })).toMatchObject({
      options: { id: "pod", wait: 30_000 },
    });
  });

  test.each([
    [["--verbose"], true],
    [["--verbose=true"], true],
    [["--verbose=false"], false],
    [["--no-verbose"], false],
    [[], false],
  ])("a flag given as %j is %s", (argv, verbose) => {
    expect(parse(["--id=a", ...argv])).toMatchObject({ options: { verbose } });
  });

  test("a list is given with commas or several times", () => {
    expect(parse(["--id=a", "--names=a,b", "--names", "c"])).toMatchObject({ options: { names: ["a", "b", "c"] } });
  });

  test("a flag wins over any environment", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 100 }), fc.string(), (rows, other) => {
        expect(parse(["--id=a", `--max-rows=${rows}`], { PARLEY_MAX_ROWS: other })).toMatchObject({
          options: { maxRows: rows },
        });
      }),
    );
  });
});

describe("faults", () => {
  test("are reported all at once, naming option, value and what to write", () => {
    expect(
      faults(["--max-rows=1000", "--levle=info", "--wait", "--names=a,B", "extra"], { PARLEY_LEVEL: "loud" }),
    ).toEqual([
      "--wait has no value: write --wait=DURATION",
      '"--levle" is no option: did you mean --level?',
      '--max-rows: "1000" is not valid: write a whole number from 1 to 100',
      'PARLEY_LEVEL: "loud" is not valid: write one of info, debug',
      '--names: "a,B" is not valid: write lower-case letters; several are separated by commas',
      "--id is missing: write --id=ID, or set PARLEY_ID",
      '"extra" is not expected: leave it out',
    ]);
  });

  test.each([
    [["--nothing-like-it"], '"--nothing-like-it" is no option: see --help'],
    [["-x"], '"-x" is no option: see --help'],
    [["--no-wait"], '"--no-wait" is no option: see --help'],
    [["--helpp"], '"--helpp" is no option: did you mean --help?'],
    [["--wait=1s", "--wait=2s"], "--wait is given 2 times: write it once"],
    [["--wait", "--verbose"], "--wait has no value: write --wait=DURATION"],
    [["--wait", "--", "1s"], "--wait has no value: write --wait=DURATION"],
    [["--wait"], "--wait has no value: write --wait=DURATION"],
    [["--wait", "-1s"], '--wait: "-1s" is not valid: write a duration, as 30s, 500ms or 1m30s'],
    [["--wait="], '--wait: "" is not valid: write a duration, as 30s, 500ms or 1m30s'],
    [["--verbose=maybe"], '--verbose: "maybe" is not valid: write true or false'],
    [["--", "--id=b"], '"--id=b" is not expected: leave it out'],
    [["--__proto__=x"], '"--__proto__" is no option: see --help'],
  ])("of %j", (argv, fault) => {
    expect(faults(["--id=a", ...argv])).toContain(fault);
  });

  test("stay on one line and bounded, whatever is given", () => {
    fc.assert(
      fc.property(
        fc.array(fc.string({ unit: "binary", maxLength: 200 })),
        fc.string({ unit: "binary" }),
        (argv, rows) => {
          for (const fault of faults(argv, { PARLEY_MAX_ROWS: rows })) {
            expect(fault).not.toMatch(/[\n\r]/);
            expect(fault.length).toBeLessThan(700);
          }
        },
      ),
    );
  });
});

describe("operands", () => {
  const withFiles = {
    ...command,
    operands: { placeholder: "FILE…", help: "name a file", min: 1, max: 2 },
  };
  const run = (argv: string[]) => parseOptions({}, withFiles, { argv, env: {} });
  test("are kept in order, also behind --", () => {
    expect(run(["a", "--", "-b"])).toMatchObject({ kind: "run", operands: ["a", "-b"] });
  });
  test("may be too few or too many", () => {
    expect(run([])).toEqual({ kind: "faults", faults: ["FILE… is missing: name a file"] });
    expect(run(["a", "b", "c"])).toEqual({ kind: "faults", faults: ['"c" is not expected after 2: leave it out'] });
  });
});

describe("help", () => {
  test("shows groups, defaults, variables and operands within 100 columns", () => {
    const long = { ...table, long: option(boolean, { group: "Log", help: "A word and another. ".repeat(20).trim() }) };
    const parsed = parseOptions(
      long,
      { ...command, operands: { placeholder: "FILE", help: "A file.", min: 0, max: 1 } },
      {
        argv: ["--bad", "-h"],
        env: {},
      },
    );
    const help = parsed.kind === "help" ? parsed.text : "";
    expect(help).toContain("Usage: thing [options] FILE\n\nDoes things.\n\n  FILE\n      A file.\n");
    expect(help).toContain("Limits:\n  --max-rows NUMBER\n      Rows. [default 10; env PARLEY_MAX_ROWS]\n");
    expect(help).toContain("  --id ID\n      Id. [required; env PARLEY_ID or POD_ID]\n");
    expect(help).toContain("  --verbose\n");
    expect(help.match(/^Log:$/gm)).toHaveLength(1);
    for (const line of help.split("\n")) expect(line.length).toBeLessThanOrEqual(100);
  });
  test("and version come before any fault that stands after them", () => {
    expect(parse(["--version", "--bad"])).toEqual({ kind: "version" });
    expect(parse(["--help", "--bad"]).kind).toBe("help");
  });
});

describe("earlyExit", () => {
  const names = { command: "thing", version: "1.2.3" };
  test("lets a good start run", () => {
    expect(earlyExit(parse(["--id=a"]), names)).toBeUndefined();
  });
  test("prints the version and the help with code 0", () => {
    expect(earlyExit(parse(["--version"]), names)).toEqual({ code: 0, text: "1.2.3\n" });
    expect(earlyExit(parse(["--help"]), names)).toMatchObject({
      code: 0,
      text: expect.stringContaining("Usage: thing"),
    });
  });
  test("prints every fault with code 2", () => {
    expect(earlyExit(parse(["--wait=x"]), names)).toEqual({
      code: 2,
      text: [
        'thing: --wait: "x" is not valid: write a duration, as 30s, 500ms or 1m30s\n',
        "thing: --id is missing: write --id=ID, or set PARLEY_ID\n",
        "Try: thing --help\n",
      ].join(""),
    });
  });
});

describe("defaultValues", () => {
  test("are what stands in the table", () => {
    expect(defaultValues(table)).toEqual({
      maxRows: 10,
      wait: 30_000,
      verbose: false,
      level: undefined,
      names: [],
      id: undefined,
    });
  });
  test("a faulty default is a bug", () => {
    const faulty = { rows: option(integer(1, 2), { group: "X", default: "3", help: "" }) };
    expect(() => defaultValues(faulty)).toThrow("default of --rows is not valid");
  });
});
