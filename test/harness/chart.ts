// The chart as Helm renders it. In: values. Out: its text and its objects.
import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";
import { parseAllDocuments } from "yaml";
import type { KubeObject } from "./cluster.ts";
import { goTools } from "./go-tools.ts";

const run = promisify(execFile);
export const CHART = join(import.meta.dirname, "../../charts/parley");

export interface Rendered {
  readonly text: string;
  readonly objects: readonly KubeObject[];
}

/**
 * `helm template`, for the release and namespace `parley`.
 *
 * @param args further arguments, as `--values=FILE`
 * @throws Error with what Helm says when it refuses
 */
export async function renderChart(args: readonly string[]): Promise<Rendered> {
  const { helm } = await goTools(["helm"], () => undefined);
  const { stdout: text } = await run(
    helm,
    ["template", "parley", CHART, "--namespace=parley", "--kube-version=1.34.4", ...args],
    { maxBuffer: 64 * 1024 * 1024 },
  );
  const objects = parseAllDocuments(text).map((document) => {
    if (document.errors.length > 0) throw new Error(`not YAML: ${String(document.errors[0])}`);
    return document.toJS() as KubeObject | null;
  });
  return { text, objects: objects.filter((object) => object !== null) };
}
