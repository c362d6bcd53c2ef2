// What is told of a folder while it is served. In: its state and what was found of its objects, each time they change. Out: new problems,
// and what became of old ones.
import type { ObjectResult } from "../operator/translate/result.ts";
import type { FolderState } from "./last-good.ts";
import type { Problem } from "./manifest.ts";
import { count, formatProblem, problemKey, problemsOf } from "./report.ts";
import type { Paint } from "./terminal.ts";

export interface FolderReport {
  /** Says what is new since the last call; `changed`: how many objects were added, edited or removed. */
  tell(state: FolderState, results: Iterable<ObjectResult>, more: readonly Problem[], changed: number): void;
}

export function createFolderReport(deps: {
  readonly say: (line: string) => void;
  readonly paint: Paint;
}): FolderReport {
  const { say, paint } = deps;
  let known: ReadonlySet<string> | undefined;
  return {
    tell(state, results, more, changed) {
      const found = [...results].flatMap((result) => problemsOf(result, state));
      const problems = [...more, ...state.problems, ...found];
      const keys = new Set(problems.map(problemKey));
      const fresh = problems.filter((problem) => known?.has(problemKey(problem)) !== true);
      const solved = [...(known ?? [])].filter((key) => !keys.has(key)).length;
      if (known !== undefined && changed > 0) say(paint.dim(`reloaded: ${count(changed, "object")} changed`));
      for (const problem of fresh) say(formatProblem(problem, paint));
      if (solved > 0) say(paint.dim(`${count(solved, "problem")} solved, ${keys.size} left`));
      known = keys;
    },
  };
}
