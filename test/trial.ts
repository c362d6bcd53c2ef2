// `npm run trial -- EDITS`: the trial of test/features/trial.test.ts with as many edits as asked for. In: a number. Out: the verdict; exit 1 when it
// is bad.
import { spawnSync } from "node:child_process";
import { ownNetwork } from "./harness/own-network.ts";
import { trial } from "./harness/trial.ts";

const [edits = "1000", inside] = process.argv.slice(2);
if (!/^[1-9][0-9]*$/.test(edits)) {
  console.error(`npm run trial -- EDITS: ${edits} is no whole number`);
  process.exitCode = 2;
} else if (inside === undefined) {
  const [program, ...words] = ownNetwork() ?? [];
  if (program === undefined) throw new Error("it needs a network of its own: Linux with `unshare` and `ip`");
  const again = [process.execPath, import.meta.filename, edits, "inside"];
  process.exitCode = spawnSync(program, [...words, ...again], { stdio: "inherit" }).status ?? 1;
} else {
  const verdict = await trial(Number(edits), (line) => console.error(line));
  const { lies, missing, revocations, failures } = verdict;
  const slowest = revocations.toSorted((a, b) => b.ms - a.ms)[0];
  console.log(`${verdict.edits} edits, ${verdict.confirmed} checked when they were said to be programmed`);
  console.log(
    `lies: ${lies.length}${lies
      .slice(0, 10)
      .map((lie) => `\n  ${lie}`)
      .join("")}`,
  );
  console.log(`missing in the end: ${missing ?? "none"}`);
  console.log(
    `revocations: ${revocations.length}, the slowest ${slowest?.ms.toFixed(0) ?? "-"} ms (${slowest?.fault ?? "none"})`,
  );
  console.log(`requests: ${verdict.requests}, streams: ${verdict.streams}, failed: ${failures.length}`);
  for (const failure of failures.slice(0, 10)) console.log(`  ${failure}`);
  const good = lies.length === 0 && missing === undefined && failures.length === 0 && (slowest?.ms ?? 0) < 1_000;
  process.exitCode = good ? 0 : 1;
}
