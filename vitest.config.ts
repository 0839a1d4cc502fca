import { fileURLToPath } from "node:url"
import { defineConfig } from "vitest/config"

const here = (path: string) => fileURLToPath(new URL(path, import.meta.url))

export default defineConfig({
  resolve: {
    alias: [
      { find: /^gantry\/testing$/, replacement: here("./src/testing/index.ts") },
      { find: /^gantry$/, replacement: here("./src/index.ts") }
    ]
  },
  test: {
    setupFiles: [here("./test/support/strictEquality.ts")],
    projects: [
      {
        extends: true,
        test: {
          name: "unit",
          include: ["test/**/*.test.ts"],
          exclude: ["test/live/**"],
          // No test waits; a slow machine may still need more than the default of 5 seconds.
          testTimeout: 60_000,
          sequence: { groupOrder: 0 }
        }
      },
      {
        extends: true,
        test: {
          name: "live",
          // After the unit tests, not beside them.
          sequence: { groupOrder: 1 },
          include: ["test/live/**/*.test.ts"],
          // One real engine and its registries serve every file, so files take turns.
          pool: "forks",
          poolOptions: { forks: { singleFork: true } },
          testTimeout: 120_000,
          hookTimeout: 180_000
        }
      }
    ]
  }
})
