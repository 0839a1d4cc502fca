import { existsSync, readFileSync } from "node:fs"
import { join } from "node:path"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as ProcessGroup from "../../scripts/lib/ProcessGroup.ts"
import { until } from "../../scripts/lib/stack/internal/daemon.ts"
import { temporaryFolder } from "../../scripts/lib/temporaryFolder.ts"

const node = (folder: string, code: string): ProcessGroup.Command => ({
  program: process.execPath,
  arguments: ["-e", code],
  folder,
  environment: {}
})

/** Not for ever: where it is not ended, as with a fault put there on purpose, it goes by itself. */
const loop = "const end = Date.now() + 45_000; while (Date.now() < end) {}"

/** Starts another process, writes the pids of both into a file, and heeds no signal. */
const nested = `
  const { pid } = require("node:child_process").spawn(process.execPath, ["-e", "${loop}"])
  const { renameSync, writeFileSync } = require("node:fs")
  process.on("SIGTERM", () => {})
  writeFileSync("written", process.pid + " " + pid)
  renameSync("written", "pids")
  ${loop}`

/** A process that has ended and is not waited for yet has no command line any more. */
const runs = (pid: string): boolean => {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, "utf8") !== ""
  } catch {
    return false
  }
}

const holds = (what: string, condition: () => boolean) =>
  until(Effect.sync(condition), { within: "20 seconds", otherwise: Effect.succeed(`not so: ${what}`) })

describe("ProcessGroup", () => {
  it.scoped("gives what a program said, and its code, whatever that is", () =>
    Effect.gen(function* () {
      const folder = yield* temporaryFolder("test")
      const code = `console.log("out"); console.error("err"); process.exitCode = 3`
      assert.deepStrictEqual(yield* ProcessGroup.run(node(folder, code)), { code: 3, stdout: "out\n", stderr: "err\n" })
      const killed = yield* ProcessGroup.run(node(folder, `process.kill(process.pid, "SIGKILL")`))
      assert.strictEqual(killed.code, 128 + 9)
    })
  )

  it.scoped("fails when there is no such program", () =>
    Effect.gen(function* () {
      const folder = yield* temporaryFolder("test")
      const error = yield* Effect.flip(ProcessGroup.run({ ...node(folder, ""), program: "gantry-is-not-there" }))
      assert.include(error.message, "gantry-is-not-there")
    })
  )

  it.scoped("ends a program that heeds nothing, and what it has started, when it is interrupted", () =>
    Effect.gen(function* () {
      const folder = yield* temporaryFolder("test")
      const file = join(folder, "pids")
      const fiber = yield* Effect.fork(ProcessGroup.run(node(folder, nested)))
      yield* holds("the program has started another", () => existsSync(file))
      const pids = readFileSync(file, "utf8").split(" ")
      assert.isTrue(pids.length === 2 && pids.every(runs))
      yield* Fiber.interruptFork(fiber)
      yield* holds("both have ended", () => !pids.some(runs))
      assert.isTrue(Exit.isInterrupted(yield* Fiber.await(fiber)))
    })
  )
})
