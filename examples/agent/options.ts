// The example agent's command line. In: arguments. Out: options, or what is wrong with all of them.
import { parseArgs } from "node:util";
import type { AgentOptions } from "./server.ts";

export const help = `An example A2A agent. It speaks A2A 1.0 and 0.3 over JSON-RPC and HTTP+JSON.

  node examples/agent/main.ts [options]

  --port N          port to listen on (10001)
  --host ADDRESS    address to listen on (127.0.0.1)
  --name NAME       name on its card (hello)
  --copy NAME       tells copies of the agent apart (a)
  --pace MS         milliseconds between two words of a stream (80)
  --seconds N       how long the task \`long\` works (20)
  --drain N         seconds that running answers get on SIGTERM (30)
  --show-headers    the message \`headers\` tells which request headers arrived, credentials aside
`;

const options = {
  port: { type: "string", default: "10001" },
  host: { type: "string", default: "127.0.0.1" },
  name: { type: "string", default: "hello" },
  copy: { type: "string", default: "a" },
  pace: { type: "string", default: "80" },
  seconds: { type: "string", default: "20" },
  drain: { type: "string", default: "30" },
  "show-headers": { type: "boolean", default: false },
  help: { type: "boolean", short: "h", default: false },
} as const;

export type ParsedAgentOptions =
  | { readonly kind: "run"; readonly options: AgentOptions; readonly drainMs: number }
  | { readonly kind: "help" }
  | { readonly kind: "faults"; readonly faults: readonly string[] };

/** Never throws. */
export function parseAgentOptions(args: readonly string[]): ParsedAgentOptions {
  const { values, tokens } = parseArgs({ args: [...args], options, strict: false, tokens: true });
  const faults: string[] = [];
  for (const token of tokens) {
    if (token.kind === "positional") faults.push(`unexpected argument ${JSON.stringify(token.value)}`);
    if (token.kind !== "option") continue;
    const known = Object.entries(options).find(([name]) => name === token.name)?.[1];
    if (known === undefined) faults.push(`unknown option ${token.rawName}`);
    else if (known.type === "string" && token.value === undefined) faults.push(`${token.rawName} needs a value`);
  }
  const text = (name: keyof typeof options): string => String(values[name]);
  const number = (name: keyof typeof options, max: number): number => {
    const value = Number(text(name));
    if (/^\d{1,9}$/.test(text(name)) && value <= max) return value;
    faults.push(`--${name} must be a whole number from 0 to ${max}, not ${JSON.stringify(text(name))}`);
    return 0;
  };
  const result: ParsedAgentOptions = {
    kind: "run",
    options: {
      name: text("name"),
      host: text("host"),
      copy: text("copy"),
      port: number("port", 65_535),
      pace: number("pace", 60_000),
      seconds: number("seconds", 3_600),
      showHeaders: values["show-headers"] === true,
    },
    drainMs: number("drain", 3_600) * 1_000,
  };
  if (values.help === true) return { kind: "help" };
  return faults.length > 0 ? { kind: "faults", faults } : result;
}
