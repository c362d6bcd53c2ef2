// Where `parley serve` keeps finished requests, and `parley logs` looks for them. In: the environment. Out: options, and the default file.
import { homedir } from "node:os";
import { join } from "node:path";
import { option } from "../process/option-table.ts";
import * as value from "../process/option-values.ts";

export const requestLogOption = option(value.path, {
  group: "Request log",
  defaultText: "parley/requests.db in $XDG_STATE_HOME, else in ~/.local/state",
  help: "SQLite file of finished requests; none: they are not kept.",
});

/** Undefined: `none`. */
export function requestLogFile(
  given: string | undefined,
  env: Readonly<Record<string, string | undefined>>,
): string | undefined {
  if (given === "none") return undefined;
  return given ?? join(env["XDG_STATE_HOME"] || join(homedir(), ".local/state"), "parley/requests.db");
}
