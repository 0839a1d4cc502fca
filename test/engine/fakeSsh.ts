import * as NodeFs from "node:fs"
import * as NodePath from "node:path"
import { setTimeout } from "node:timers/promises"
import { fileURLToPath } from "node:url"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import { temporaryFolder } from "./dockerFolder.ts"

/** What the program does after it has noted its arguments and its process: shell commands. */
export type Script = string

export interface FakeSsh {
  /** The arguments of each time it was started. */
  readonly calls: () => ReadonlyArray<string>
  /** The processes that still run. */
  readonly running: () => ReadonlyArray<number>
}

const isRunning = (pid: number): boolean => {
  try {
    process.kill(pid, 0)
    // One that has ended is there until its parent has asked how.
    return !NodeFs.readFileSync(`/proc/${pid}/stat`, "utf8").includes(") Z ")
  } catch {
    return false
  }
}

const bridge = fileURLToPath(new URL("./socketBridge.mjs", import.meta.url))

/** The commands of an ssh that leads to an engine's socket, as `docker system dial-stdio` on the other machine does. */
export const leadsTo = (socketPath: string): Script => `exec '${process.execPath}' '${bridge}' '${socketPath}'`

/**
 * A program `ssh` on the PATH until the scope closes: a mock, because no real one hangs or fails on command. The real one
 * is met in test/live/context.test.ts.
 */
export const fakeSsh = (script: Script): Effect.Effect<FakeSsh, never, Scope.Scope> =>
  Effect.gen(function* () {
    const folder = yield* temporaryFolder
    const log = NodePath.join(folder, "calls")
    NodeFs.writeFileSync(log, "")
    const program = NodePath.join(folder, "ssh")
    NodeFs.writeFileSync(program, `#!/bin/sh\necho "$$ $*" >> '${log}'\n${script}\n`, { mode: 0o755 })
    const saved = process.env["PATH"]
    process.env["PATH"] = `${folder}${NodePath.delimiter}${saved}`
    yield* Effect.addFinalizer(() =>
      Effect.sync(() => {
        process.env["PATH"] = saved
      })
    )
    const lines = () => NodeFs.readFileSync(log, "utf8").split("\n").slice(0, -1)
    return {
      calls: () => lines().map((line) => line.replace(/^\d+ /, "")),
      running: () =>
        lines()
          .map((line) => Number(line.split(" ")[0]))
          .filter(isRunning)
    }
  })

/** Waits for another process, which no clock of a test moves. */
export const eventually = (condition: () => boolean): Effect.Effect<void> =>
  Effect.promise(async () => {
    while (!condition()) await setTimeout(5)
  })
