// Problems as lines of text. In: problems of files and findings of translation. Out: `file:line:column: error: object: field: message`.
import type { ObjectResult } from "../operator/translate/result.ts";
import { refOf } from "../operator/objects.ts";
import type { Problem } from "./manifest.ts";
import type { FolderState } from "./last-good.ts";
import { visible } from "../process/visible.ts";
import type { Paint } from "./terminal.ts";

/** In a form that editors and CI make links of. */
export function formatProblem(problem: Problem, paint: Paint): string {
  const { file, line, column, object, path, message, severity } = problem;
  const colour = { error: paint.red, warning: paint.yellow, note: paint.dim }[severity];
  const what = [object, path].filter((part) => part !== undefined && part !== "").map((part) => `${part}: `);
  return visible(`${file}:${line}:${column}: `) + colour(`${severity}: `) + visible(`${what.join("")}${message}`);
}

/** What is the same problem at two readings, though the file has grown above it. */
export const problemKey = ({ file, object, path, message }: Problem): string =>
  JSON.stringify([file, object, path, message]);

/** Reasons not to accept a key that its author may have meant. */
export const MEANT: ReadonlySet<string> = new Set(["Disabled", "Expired"]);

export interface FindingOptions {
  /** Reasons that say nothing here, as there is no cluster to look into. */
  readonly ignored?: ReadonlySet<string>;
}

/** Conditions of an object that are False (or `Conflicted`, True), as problems of the place where it stands. */
export function problemsOf(result: ObjectResult, state: FolderState, options: FindingOptions = {}): Problem[] {
  const { kind, namespace, name, conditions } = result;
  const served = state.objects.get(refOf(kind, namespace, name));
  const { line, column } = served?.position("spec") ?? { line: 1, column: 1 };
  return conditions
    .filter((finding) => (finding.type === "Conflicted" ? finding.status === "True" : finding.status === "False"))
    .filter((finding) => options.ignored?.has(finding.reason) !== true)
    .map((finding) => ({
      file: served?.file ?? "",
      line,
      column,
      object: `${kind} ${namespace}/${name}`,
      path: "",
      message: `${finding.message} (${finding.type}: ${finding.reason})`,
      severity: finding.type === "Accepted" && !MEANT.has(finding.reason) ? "error" : "warning",
    }));
}

/** `1 agent`, `2 agents`. */
export const count = (number: number, noun: string): string => `${number} ${noun}${number === 1 ? "" : "s"}`;
