/**
 * Another program that runs in gantry's place: with its streams, its signals and its exit code.
 */
import * as ChildProcess from "node:child_process"
import { constants } from "node:os"
import * as FileSystem from "@effect/platform/FileSystem"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as Queue from "effect/Queue"
import type { RelayedSignal } from "../Signals.ts"

/** How long a program may take to end after the second signal. */
const patience = "4 seconds"

/** `code` is the system's, as in `ENOENT`. */
export class ProgramNotRun extends Data.TaggedError("ProgramNotRun")<{
  readonly program: string
  readonly code: string
}> {
  /** As shells have it: 127 for a program that is not there, 126 for one that can not be run. */
  get exitCode(): number {
    return this.code === "ENOENT" ? 127 : 126
  }
  override get message(): string {
    return this.code === "ENOENT"
      ? `there is no program ${this.program}. Install it, or write its path if it is not in a folder of PATH.`
      : `${this.program} can not be run (${this.code}). Check that it is a program and that this user may run it.`
  }
}

const start = (
  [program = "", ...args]: ReadonlyArray<string>,
  environment: Readonly<Record<string, string | undefined>>
): Effect.Effect<ChildProcess.ChildProcess, ProgramNotRun> =>
  Effect.async((resume) => {
    const child = ChildProcess.spawn(program, args, { stdio: "inherit", env: { ...process.env, ...environment } })
    child.once("spawn", () => resume(Effect.succeed(child)))
    child.once("error", ({ code, name }: NodeJS.ErrnoException) =>
      resume(new ProgramNotRun({ program, code: code ?? name }))
    )
  })

const codeOf = (status: number | null, signal: NodeJS.Signals | null): number =>
  signal === null ? (status ?? 1) : 128 + constants.signals[signal]

const ended = (child: ChildProcess.ChildProcess): Effect.Effect<number> =>
  Effect.async((resume) => {
    const end = () => resume(Effect.succeed(codeOf(child.exitCode, child.signalCode)))
    if (child.exitCode !== null || child.signalCode !== null) return end()
    child.once("exit", end)
  })

/** What a terminal sends to all who run in it, the other program included, when a key is pressed. */
const typed: ReadonlyArray<RelayedSignal> = ["SIGINT", "SIGQUIT"]

const hasTerminal = Effect.flatMap(FileSystem.FileSystem, (fileSystem) =>
  Effect.isSuccess(Effect.scoped(fileSystem.open("/dev/tty")))
)

/** Hands signals on. With the second one the program's time begins to run out. */
const relay = Effect.fnUntraced(function* (child: ChildProcess.ChildProcess, signals: Queue.Dequeue<RelayedSignal>) {
  const isTyped = (yield* hasTerminal) ? typed : []
  const send = Effect.map(Queue.take(signals), (signal) => isTyped.includes(signal) || child.kill(signal))
  yield* send
  yield* send
  yield* Effect.forkScoped(
    Effect.delay(
      Effect.sync(() => child.kill("SIGKILL")),
      patience
    )
  )
  return yield* Effect.forever(send)
})

/**
 * Runs a program to its exit code, which is 128 and the signal's number when a signal ended it. gantry itself ends with
 * the program, however long that takes after one signal, and within 5 seconds after a second one.
 */
export const run = Effect.fn("OtherProgram.run")(function* (options: {
  readonly program: ReadonlyArray<string>
  readonly environment: Readonly<Record<string, string | undefined>>
  readonly signals: Queue.Dequeue<RelayedSignal>
}) {
  const child = yield* start(options.program, options.environment)
  yield* Effect.forkScoped(relay(child, options.signals))
  return yield* ended(child)
}, Effect.scoped)
