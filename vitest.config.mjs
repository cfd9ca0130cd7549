// SPDX-License-Identifier: Apache-2.0
import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: ["packages/*/src/**/*.test.ts", "tests/**/*.test.ts", "bench/**/*.test.ts", "tools/**/*.test.mjs"],
    exclude: ["**/node_modules/**", "**/dist/**"],
    maxWorkers: 2,
    testTimeout: 30_000,
  },
});
