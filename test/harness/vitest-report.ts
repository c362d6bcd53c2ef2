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
  /** A line for each that failed: file, name, first line of why. */
  readonly failures: readonly string[];
}

/** The lines that end a run: what failed, then how many. */
export function closingLines({ passed, failed, skipped, failures }: Counts): string {
  const named = failures.map((failure) => `\nFAILED: ${failure}`).join("");
  return `${named}${named === "" ? "" : "\n"}\n${passed} passed, ${failed} failed, ${skipped} skipped`;
}

const ABOVE = "what vitest said stands above";
/** The report lacks some reasons: why a hook of a `describe` failed, or a worker died. */
const firstLine = (text = ""): string => stripVTControlCharacters(text).split("\n", 1)[0] || ABOVE;

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
    if (failed.length === 0) return status === "failed" ? [`${path}: ${firstLine(message)}`] : [];
    return failed.map((test) => `${path} > ${test.fullName}: ${firstLine(test.failureMessages?.[0])}`);
  });
  if (failures.length === 0 && !endedWell) failures.push(`vitest ended badly though no test failed: ${ABOVE}`);
  return {
    passed: report.numPassedTests,
    failed: Math.max(report.numFailedTests, failures.length),
    skipped: report.numPendingTests + report.numTodoTests,
    failures,
  };
}
