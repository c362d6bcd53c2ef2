// The options of an executable. In: a table of options, arguments, environment. Out: typed values, or every fault at once.
import { parseArgs } from "node:util";
import { didYouMean } from "./did-you-mean.ts";
import { helpText } from "./option-help.ts";
import {
  type Command,
  type Option,
  type OptionTable,
  type OptionValues,
  envOf,
  flagOf,
  kebab,
} from "./option-table.ts";

export type ParsedOptions<O extends OptionTable> =
  | { readonly kind: "run"; readonly options: OptionValues<O>; readonly operands: readonly string[] }
  | { readonly kind: "help"; readonly text: string }
  | { readonly kind: "version" }
  | { readonly kind: "faults"; readonly faults: readonly string[] };

interface Given {
  readonly text: string;
  /** How the user named it. */
  readonly source: string;
}

/**
 * Reads options: a flag wins over its environment variable, that over the default; an empty variable counts as not given.
 * Nothing is thrown: each fault names the option, what was given, and what to write instead.
 *
 * @param given.argv arguments without interpreter and script
 */
export function parseOptions<O extends OptionTable>(
  table: O,
  command: Command,
  given: { readonly argv: readonly string[]; readonly env: Readonly<Record<string, string | undefined>> },
): ParsedOptions<O> {
  const faults: string[] = [];
  const names = Object.keys(table);
  const byFlag = new Map(names.map((name) => [kebab(name), name]));
  const flags = new Map<string, string[]>();
  const operands: string[] = [];

  const { argv, valueless } = withoutValueless(byFlag, table, given.argv);
  for (const flag of valueless) faults.push(`${flag.text} has no value: write ${flag.text}=${flag.placeholder}`);
  for (const token of tokensOf(table, argv)) {
    if (token.kind === "positional") operands.push(token.value);
    if (token.kind !== "option") continue;
    if (token.name === "help" || token.rawName === "-h") return { kind: "help", text: helpText(table, command) };
    if (token.name === "version") return { kind: "version" };
    const negated = token.rawName.startsWith("--no-") && !byFlag.has(token.name);
    const name = byFlag.get(negated ? token.rawName.slice(5) : token.name);
    const row = name === undefined ? undefined : table[name];
    if (name === undefined || row === undefined || (negated && !row.flag)) {
      faults.push(unknownFlag(token.rawName, byFlag.keys()));
    } else if (row.flag) {
      push(flags, name, token.value ?? (negated ? "false" : "true"));
    } else {
      push(flags, name, token.value ?? "");
    }
  }

  const values: Record<string, unknown> = {};
  for (const [name, row] of Object.entries(table)) {
    const list = flags.get(name) ?? [];
    if (list.length > 1 && !row.placeholder.endsWith(",…")) {
      faults.push(`${flagOf(name)} is given ${list.length} times: write it once`);
    }
    const source = sourceOf(name, row, list, command.flagsOnly === true ? {} : given.env);
    const parsed = row.read(source?.text);
    if (parsed.ok) values[name] = parsed.value;
    else if (source !== undefined)
      faults.push(`${source.source}: ${quote(source.text)} is not valid: write ${parsed.instead}`);
    else {
      const variable = command.flagsOnly === true ? "" : `, or set ${envOf(name)}`;
      faults.push(`${flagOf(name)} is missing: write ${flagOf(name)}=${parsed.instead}${variable}`);
    }
  }
  faults.push(...operandFaults(command, operands));
  if (faults.length > 0) return { kind: "faults", faults };
  return { kind: "run", options: values as OptionValues<O>, operands };
}

/** The values when nothing is given; undefined for what has no default. Throws when a default is faulty: a bug. */
export function defaultValues<O extends OptionTable>(
  table: O,
): { readonly [N in keyof O]: OptionValues<O>[N] | undefined } {
  const entries = Object.entries(table).map(([name, row]) => {
    if (row.settings.required === true && row.settings.default === undefined) return [name, undefined] as const;
    const parsed = row.read(undefined);
    if (!parsed.ok) throw new Error(`default of ${flagOf(name)} is not valid: write ${parsed.instead}`);
    return [name, parsed.value] as const;
  });
  return Object.fromEntries(entries) as { readonly [N in keyof O]: OptionValues<O>[N] | undefined };
}

/** What an executable prints and exits with before it starts anything; undefined: run. Code 2 is bad usage. */
export function earlyExit(
  parsed: ParsedOptions<OptionTable>,
  names: { readonly command: string; readonly version: string },
): { readonly code: 0 | 2; readonly text: string } | undefined {
  switch (parsed.kind) {
    case "run":
      return undefined;
    case "help":
      return { code: 0, text: parsed.text };
    case "version":
      return { code: 0, text: `${names.version}\n` };
    case "faults": {
      const { command } = names;
      // What npm passes on to a script follows two dashes, which are no part of the name.
      const name = command.replace(/ --$/, "");
      return {
        code: 2,
        text: [...parsed.faults.map((fault) => `${name}: ${fault}\n`), `Try: ${command} --help\n`].join(""),
      };
    }
  }
}

/** Takes out flags whose value is missing, so that they do not swallow the option that follows. */
function withoutValueless(byFlag: ReadonlyMap<string, string>, table: OptionTable, given: readonly string[]) {
  const end = given.indexOf("--");
  const valueless: { text: string; placeholder: string }[] = [];
  const argv = given.filter((text, at) => {
    const row = end !== -1 && at >= end ? undefined : table[byFlag.get(text.replace(/^--/, "")) ?? ""];
    const next = given[at + 1];
    if (!text.startsWith("--") || row === undefined || row.flag) return true;
    if (next !== undefined && !next.startsWith("--")) return true;
    valueless.push({ text, placeholder: row.placeholder });
    return false;
  });
  return { argv, valueless };
}

function tokensOf(table: OptionTable, argv: readonly string[]) {
  const options: Record<string, { type: "string" | "boolean"; multiple: true }> = {};
  for (const [name, row] of Object.entries(table)) {
    options[kebab(name)] = { type: row.flag ? "boolean" : "string", multiple: true };
  }
  return parseArgs({ args: [...argv], options, strict: false, allowPositionals: true, tokens: true }).tokens;
}

function sourceOf(
  name: string,
  row: Option<unknown>,
  list: readonly string[],
  env: Readonly<Record<string, string | undefined>>,
): Given | undefined {
  if (list.length > 0) return { text: list.join(","), source: flagOf(name) };
  for (const variable of [envOf(name), row.settings.alsoEnv]) {
    const text = variable === undefined ? undefined : env[variable];
    if (variable !== undefined && text !== undefined && text !== "") return { text, source: variable };
  }
  return undefined;
}

function unknownFlag(rawName: string, known: Iterable<string>): string {
  const nearest = didYouMean(rawName.replace(/^-+/, ""), [...known, "help", "version"]);
  return `${quote(rawName)} is no option${nearest === undefined ? ": see --help" : `: did you mean --${nearest}?`}`;
}

function operandFaults({ operands }: Command, given: readonly string[]): string[] {
  const max = operands?.max ?? 0;
  if (given.length > max)
    return [`${quote(given[max] ?? "")} is not expected${max === 0 ? "" : ` after ${max}`}: leave it out`];
  if (operands !== undefined && given.length < operands.min)
    return [`${operands.placeholder} is missing: ${operands.help}`];
  return [];
}

/** What was given, on one line and of bounded length. */
function quote(text: string): string {
  return JSON.stringify(text.length > 80 ? `${text.slice(0, 80)}…` : text);
}

function push(lists: Map<string, string[]>, name: string, value: string): void {
  const list = lists.get(name);
  if (list === undefined) lists.set(name, [value]);
  else list.push(value);
}
