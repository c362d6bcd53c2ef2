import { availableParallelism } from "node:os";
import { defineConfig } from "vitest/config";

const processors = availableParallelism();
// They wait for conditions as long as they compute, so there is room for one more than there are processors.
const feature = {
  globalSetup: ["test/harness/global-setup.ts"],
  maxWorkers: Math.min(processors + 1, 6),
  testTimeout: 300_000,
  hookTimeout: 300_000,
  sequence: { groupOrder: 1 },
};
const cluster = { maxWorkers: 2, testTimeout: 900_000, hookTimeout: 900_000 };
const ENDURANCE = "test/features/trial.test.ts";

export default defineConfig({
  test: {
    // Nothing of a test is kept in the home of who runs it.
    env: { PARLEY_REQUEST_LOG: "none" },
    // Groups run one after another. In a group projects begin by name, and files of a project by what they took when they last ran here:
    // that which takes longest first, so that the others are done beside it.
    projects: [
      {
        test: {
          name: "unit",
          include: ["{crds,operator,proxy,process,cli,examples}/**/*.test.ts", "test/*.test.ts"],
          maxWorkers: Math.max(2, processors),
          testTimeout: 120_000,
          // What is polled for has longer than the second that is the default: a busy machine may need it.
          expect: { poll: { timeout: 60_000 } },
          sequence: { groupOrder: 0 },
        },
      },
      { test: { ...feature, name: "endurance", include: [ENDURANCE] } },
      {
        test: {
          ...feature,
          name: "feature",
          include: ["test/features/**/*.test.ts", "test/conformance/**/*.test.ts"],
          exclude: [ENDURANCE],
        },
      },
      // Begins first: the others wait for the kinds that it brings, and with two of them at work it would never begin.
      {
        test: {
          ...cluster,
          name: "cluster-install",
          include: ["test/cluster/install.test.ts"],
          sequence: { groupOrder: 2 },
        },
      },
      {
        test: {
          ...cluster,
          name: "cluster-long",
          include: ["test/cluster/operations.test.ts"],
          sequence: { groupOrder: 2 },
        },
      },
      {
        test: {
          ...cluster,
          name: "cluster-short",
          include: ["test/cluster/{revocation,truth}.test.ts"],
          sequence: { groupOrder: 2 },
        },
      },
      // Nothing but what needs no cluster can run beside an outage of its API server.
      {
        test: {
          ...cluster,
          name: "cluster-outage",
          include: ["test/cluster/{images,outage}.test.ts"],
          sequence: { groupOrder: 3 },
        },
      },
    ],
  },
});
