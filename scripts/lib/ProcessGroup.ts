/** Programs that run in a group of their own, and are ended with all that they have started. */
import { type ChildProcess, spawn } from "node:child_process"
import * as os from "node:os"
import { text } from "node:stream/consumers"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"

/** A program that could not be started. */
export class NotStarted extends Data.TaggedError("NotStarted")<{ readonly message: string }> {}

export interface Command {
  readonly program: string
  readonly arguments: ReadonlyArray<string>
  readonly folder: string
  readonly environment: NodeJS.ProcessEnv
}

export interface Ended {
  /** 128 and the signal's number for one that a signal ended, as shells have it. */
  readonly code: number
  readonly stdout: string
  readonly stderr: string
}

/** Kills a group by the process that leads it, which was started with `detached`. */
export const kill = ({ pid }: ChildProcess): Effect.Effect<void> =>
  Effect.sync(() => {
    if (pid === undefined) return
    try {
      process.kill(-pid, "SIGKILL")
    } catch {
      // It has ended already.
    }
  })

const codeOf = (code: number | null, signal: NodeJS.Signals | null): number =>
  code ?? 128 + (signal === null ? 0 : os.constants.signals[signal])

/** Runs a program to its end, whatever that is. Interruption kills its group, and waits until it writes no more. */
export const run = (command: Command): Effect.Effect<Ended, NotStarted> =>
  Effect.async((resume) => {
    const child = spawn(command.program, command.arguments, {
      cwd: command.folder,
      env: command.environment,
      detached: true,
      stdio: ["ignore", "pipe", "pipe"]
    })
    const said = Promise.all([text(child.stdout), text(child.stderr)])
    child.once("error", ({ message }) => resume(new NotStarted({ message })))
    child.once("close", (code, signal) =>
      resume(
        Effect.map(
          Effect.promise(() => said),
          ([stdout, stderr]) => ({ code: codeOf(code, signal), stdout, stderr })
        )
      )
    )
    const closed = Effect.async<void>((stopped) => void child.once("close", () => stopped(Effect.void)))
    return Effect.zipRight(kill(child), closed)
  })
