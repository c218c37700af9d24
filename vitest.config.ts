import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: ["src/**/*.test.ts", "test/**/*.test.ts", "console/src/**/*.test.ts"],
    // Real engines and child processes share two cores: a generous limit is no substitute for a fast test.
    testTimeout: 60_000,
    hookTimeout: 60_000,
    maxWorkers: 3,
    setupFiles: ["test/setup.ts"],
  },
});
