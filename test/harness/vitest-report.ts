// What vitest counted. In: the file of its JSON reporter. Out: numbers, and the failed tests by name.
import { readFileSync } from "node:fs";
import { relative } from "node:path";
import { stripVTControlCharacters } from "node:util";

/** The part of the reporter's JSON that is read. */
interface Report {
  readonly numPassedTests: number;
  readonly numFailedTests: number;
  readonly numPendingTests: number;
  readonly numTodoTests: number;
  readonly testResults: readonly {
    readonly name: string;
    readonly status: string;
    readonly message: string;
    readonly assertionResults: readonly {
      readonly fullName: string;
      readonly status: string;
      readonly failureMessages?: readonly string[] | null;
    }[];
  }[];
}

export interface Counts {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
  /** For each that failed: file, name, why; the lines of why after the first are indented. */
  readonly failures: readonly string[];
}

/** Lines of why; of more the first and the last, where a command says what it was about and how it ended. */
const MOST_LINES = 16;

/** The lines that end a run: what failed, then how many. */
export function closingLines({ passed, failed, skipped, failures }: Counts): string {
  const named = failures.map((failure) => `\nFAILED: ${failure}`).join("");
  return `${named}${named === "" ? "" : "\n"}\n${passed} passed, ${failed} failed, ${skipped} skipped`;
}

const ABOVE = "what vitest said stands above";
/** What was said of an error, without stacks. The report lacks some: why a hook of a `describe` failed, or a worker died. */
function reason(text = ""): string {
  const said = stripVTControlCharacters(text)
    .trimEnd()
    .split("\n")
    .filter((line) => !/^\s+at /.test(line));
  const left = said.length - MOST_LINES;
  const shown = left > 0 ? [said[0], `(${left + 1} lines more)`, ...said.slice(left + 2)] : said;
  return shown.join("\n  ") || ABOVE;
}

/**
 * A file that could not be loaded counts as one that failed, and so does a run that ended badly though no test says so (an error that
 * nobody caught, or no report at all).
 */
export function readVitestReport(file: string, root: string, endedWell: boolean): Counts {
  let report: Report;
  try {
    report = JSON.parse(readFileSync(file, "utf8")) as Report;
  } catch {
    return { passed: 0, failed: 1, skipped: 0, failures: [`vitest left no report: ${ABOVE}`] };
  }
  const failures = report.testResults.flatMap(({ name, status, message, assertionResults }) => {
    const path = relative(root, name);
    const failed = assertionResults.filter((test) => test.status === "failed");
    if (failed.length === 0) return status === "failed" ? [`${path}: ${reason(message)}`] : [];
    return failed.map((test) => `${path} > ${test.fullName}: ${reason(test.failureMessages?.[0])}`);
  });
  if (failures.length === 0 && !endedWell) failures.push(`vitest ended badly though no test failed: ${ABOVE}`);
  return {
    passed: report.numPassedTests,
    failed: Math.max(report.numFailedTests, failures.length),
    skipped: report.numPendingTests + report.numTodoTests,
    failures,
  };
}
