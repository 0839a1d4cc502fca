/** Runs the tests that a mutation names against the mutated source, and fails when a mutation survives. */
import { execFileSync, spawnSync } from "node:child_process"
import { mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync } from "node:fs"
import { tmpdir } from "node:os"
import { join, resolve } from "node:path"

const wanted = process.argv.slice(2)
const folder = resolve("test/mutations")
const named = (name) => wanted.some((part) => name.includes(part))

const mutations = readdirSync(folder)
  .filter((file) => file.endsWith(".patch"))
  .map((file) => {
    const [, tests = ""] = /^# caught by: (.+)$/m.exec(readFileSync(join(folder, file), "utf8")) ?? []
    return {
      name: file.slice(0, -".patch".length),
      file: join(folder, file),
      tests: tests.match(/test\/\S+\.ts/g) ?? []
    }
  })
  .filter(({ name, tests }) => (wanted.length > 0 ? named(name) : !tests.some((test) => test.startsWith("test/live/"))))

const worktree = mkdtempSync(join(tmpdir(), "gantry-mutate-"))
const git = (...parameters) =>
  execFileSync("git", parameters, { cwd: worktree, stdio: ["ignore", "ignore", "inherit"] })

// Live tests start the built command, so that is what has to be broken.
const buildFor = (tests) => {
  if (!tests.some((test) => test.startsWith("test/live/"))) return
  execFileSync(join("node_modules", ".bin", "tsx"), ["scripts/lib/build.ts"], { cwd: worktree, stdio: "ignore" })
}

const survives = ({ file, tests }) => {
  git("apply", file)
  try {
    buildFor(tests)
    const vitest = join("node_modules", "vitest", "vitest.mjs")
    const run = spawnSync(process.execPath, [vitest, "run", "--bail=1", "--reporter=dot", ...tests], {
      cwd: worktree,
      stdio: "ignore",
      timeout: 600_000
    })
    return run.status === 0
  } finally {
    git("apply", "--reverse", file)
  }
}

const problems = []
try {
  execFileSync("git", ["worktree", "add", "--detach", "--force", worktree, "HEAD"], { stdio: "ignore" })
  symlinkSync(resolve("node_modules"), join(worktree, "node_modules"))
  for (const mutation of mutations) {
    const problem =
      mutation.tests.length === 0 ? "names no test (# caught by: test/…)" : survives(mutation) ? "survives" : undefined
    console.log(
      `${problem === undefined ? "red" : "PROBLEM"}  ${mutation.name}${problem === undefined ? "" : `: ${problem}`}`
    )
    if (problem !== undefined) problems.push(mutation.name)
  }
} finally {
  execFileSync("git", ["worktree", "remove", "--force", worktree], { stdio: "ignore" })
  rmSync(worktree, { recursive: true, force: true })
}
console.log(`${mutations.length - problems.length} mutations turned their test red, ${problems.length} did not`)
process.exit(problems.length === 0 && mutations.length > 0 ? 0 : 1)
