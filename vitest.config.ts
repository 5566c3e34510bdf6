import { availableParallelism } from "node:os";
import { defineConfig } from "vitest/config";

/** `unit` runs in seconds; `slow` (files named `*.slow.test.ts`) trains, spawns, installs or opens a browser. */
export default defineConfig({
  test: {
    // Much of the time goes by waiting for child processes: two files at once also where there are only two processors.
    maxWorkers: Math.max(2, availableParallelism() - 1),
    projects: [
      {
        test: {
          name: "unit",
          include: ["src/**/*.test.ts", "test/**/*.test.ts"],
          exclude: ["**/*.slow.test.ts", "node_modules/**"],
          pool: "forks",
          testTimeout: 20_000,
        },
      },
      {
        test: {
          name: "slow",
          globalSetup: ["test/helpers/build.ts"],
          include: ["src/**/*.slow.test.ts", "test/**/*.slow.test.ts"],
          exclude: ["node_modules/**"],
          pool: "forks",
          testTimeout: 300_000,
          hookTimeout: 120_000,
        },
      },
    ],
  },
});
