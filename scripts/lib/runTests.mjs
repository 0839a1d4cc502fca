/** Runs vitest with the given arguments and closes with the one line that CI reads: "N passed, N failed". */
import { spawnSync } from "node:child_process"
import { mkdtempSync, readFileSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"

const folder = mkdtempSync(join(tmpdir(), "gantry-tests-"))
const report = join(folder, "report.json")
const vitest = join("node_modules", "vitest", "vitest.mjs")
const run = spawnSync(
  process.execPath,
  [vitest, "run", "--reporter=default", "--reporter=json", `--outputFile.json=${report}`, ...process.argv.slice(2)],
  { stdio: "inherit" }
)

let counts
try {
  counts = JSON.parse(readFileSync(report, "utf8"))
} catch {
  console.error("vitest ended without a report")
  process.exit(run.status || 1)
} finally {
  rmSync(folder, { recursive: true, force: true })
}
const { numFailedTests, numPassedTests, numPendingTests } = counts
// A file that does not load has no tests to fail, but vitest's own exit code knows it.
const failed = run.status === 0 ? numFailedTests : Math.max(numFailedTests, 1)
console.log(`${numPassedTests} passed, ${failed} failed, ${numPendingTests} skipped`)
process.exit(run.status === 0 && numPassedTests > 0 ? 0 : 1)
