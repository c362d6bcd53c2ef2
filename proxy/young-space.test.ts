import { spawnSync } from "node:child_process";
import { expect, test } from "vitest";

/** Keeps 80 MiB, so that V8 would let the space for young objects grow to its 32 MiB; time passes with each MiB or two. */
const FILL = `
  import { getHeapSpaceStatistics } from "node:v8";
  import { sizeYoungSpace } from "./proxy/young-space.ts";
  const size = () => {
    const { space_used_size, space_available_size } = getHeapSpaceStatistics().find((one) => one.space_name === "new_space");
    return Math.round((space_used_size + space_available_size) / 2 ** 20);
  };
  let look;
  sizeYoungSpace({ setTimeout: (run) => (look = run) });
  const kept = [];
  const sizes = [size()];
  while (kept.length < 10_000) {
    for (let left = 250; left > 0; left -= 1) kept.push(Array.from({ length: 1024 }, () => left));
    sizes.push(size());
    look();
  }
  console.log(sizes[0], Math.max(...sizes));
`;

test("the space for young objects grows to 16 MiB as soon as it is needed, and no further", () => {
  const { stdout, stderr } = spawnSync(process.execPath, ["--input-type=module", "--eval", FILL], { encoding: "utf8" });
  expect([stdout, stderr]).toStrictEqual(["1 16\n", ""]);
});
