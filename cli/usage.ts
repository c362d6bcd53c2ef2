// Options that are not to be run: help, version, faults. In: what parsing gave. Out: its text, and the exit code.
import type { OptionTable } from "../process/option-table.ts";
import { earlyExit } from "../process/options.ts";
import type { ParsedOptions } from "../process/options.ts";
import type { Io } from "./io.ts";

/** Help and version go to standard output, faults to standard error. */
export function answerUsage(
  parsed: Exclude<ParsedOptions<OptionTable>, { readonly kind: "run" }>,
  command: string,
  io: Pick<Io, "out" | "err" | "version">,
): number {
  const early = earlyExit(parsed, { command, version: io.version });
  if (early === undefined) return 2;
  (early.code === 0 ? io.out : io.err)(early.text);
  return early.code;
}
