import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    // Nothing of a test is kept in the home of who runs it.
    env: { PARLEY_REQUEST_LOG: "none" },
    projects: [
      {
        test: {
          name: "unit",
          include: ["{crds,operator,proxy,process,cli,examples}/**/*.test.ts", "test/*.test.ts"],
          testTimeout: 20_000,
        },
      },
      {
        test: {
          name: "feature",
          include: ["test/features/**/*.test.ts", "test/conformance/**/*.test.ts"],
          globalSetup: ["test/harness/global-setup.ts"],
          fileParallelism: false,
          testTimeout: 120_000,
          hookTimeout: 300_000,
        },
      },
      {
        test: {
          name: "cluster",
          include: ["test/cluster/**/*.test.ts"],
          fileParallelism: false,
          testTimeout: 600_000,
          hookTimeout: 600_000,
        },
      },
    ],
  },
});
