import { existsSync, readFileSync } from "node:fs"
import { join } from "node:path"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
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

/** Starts another process, writes its pid into a file, and heeds no signal. */
const nested = `
  const { pid } = require("node:child_process").spawn(process.execPath, ["-e", "for (;;) {}"])
  const { renameSync, writeFileSync } = require("node:fs")
  writeFileSync("written", String(pid))
  renameSync("written", "pid")
  process.on("SIGTERM", () => {})
  for (;;) {}`

/** A process that has ended and is not waited for yet has no command line any more. */
const runs = (pid: string): boolean => {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, "utf8") !== ""
  } catch {
    return false
  }
}

const holds = (what: string, condition: () => boolean) =>
  until(Effect.sync(condition), { within: "30 seconds", otherwise: Effect.succeed(`not so: ${what}`) })

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

  it.scoped("ends what a program has started when it is interrupted, though both heed nothing", () =>
    Effect.gen(function* () {
      const folder = yield* temporaryFolder("test")
      const file = join(folder, "pid")
      const fiber = yield* Effect.fork(ProcessGroup.run(node(folder, nested)))
      yield* holds("the program has started another", () => existsSync(file))
      const pid = readFileSync(file, "utf8")
      assert.isTrue(runs(pid))
      yield* Fiber.interrupt(fiber)
      yield* holds("the other has ended", () => !runs(pid))
    })
  )
})
