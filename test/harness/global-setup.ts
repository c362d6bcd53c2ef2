// Runs once before the feature tests: what takes long is made before the first test's clock runs.
import { foreignCrds } from "./foreign-crds.ts";
import { goTools } from "./go-tools.ts";
import { kubernetesBinaries } from "./kubernetes-binaries.ts";
import { pythonWith } from "./python.ts";

const say = (line: string): void => {
  process.stderr.write(`${line}\n`);
};

export async function setup(): Promise<void> {
  await kubernetesBinaries(say);
  await goTools(["helm", "otel-collector"], say);
  await foreignCrds(say);
  await pythonWith("a2a-sdk-0.3", say);
  await pythonWith("a2a-sdk-1.3", say);
}
