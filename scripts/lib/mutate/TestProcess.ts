/** The process that keeps a vitest for one worktree. */
import { type ChildProcess, fork } from "node:child_process"
import { fileURLToPath } from "node:url"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import * as ProcessGroup from "../ProcessGroup.ts"
import { MutateError } from "./MutateError.ts"
import type { Outcome, TestRun } from "./Outcome.ts"

const program = fileURLToPath(new URL("./vitestProcess.ts", import.meta.url))

const start = (folder: string): Effect.Effect<ChildProcess, MutateError> =>
  Effect.async((resume) => {
    // In a group of its own: a test that loops for ever runs in a child of it, and ends only with it.
    const child = fork(program, { cwd: folder, detached: true, stdio: ["ignore", "ignore", "ignore", "ipc"] })
    child.once("message", () => resume(Effect.succeed(child)))
    child.once("error", ({ message }) => resume(new MutateError({ message })))
    child.once("exit", (code) => resume(new MutateError({ message: `vitest did not start: exit code ${code}` })))
    return ProcessGroup.kill(child)
  })

const ask = (child: ChildProcess, testRun: TestRun): Effect.Effect<Outcome> =>
  Effect.async((resume) => {
    const settle = (outcome: Outcome) => {
      child.off("message", settle)
      child.off("exit", onExit)
      resume(Effect.succeed(outcome))
    }
    const onExit = () => settle({ _tag: "Red", test: "the process of the tests ended", how: "failed" })
    child.on("message", settle)
    child.on("exit", onExit)
    child.send(testRun)
  })

export interface TestProcess {
  /** One file, or some of its tests; a run past its limit is red, and its process is replaced. */
  readonly run: (testRun: TestRun, limit: Duration.Duration) => Effect.Effect<Outcome, MutateError>
}

/** Runs the test files of a folder until the scope closes. */
export const make = (folder: string): Effect.Effect<TestProcess, MutateError, Scope.Scope> =>
  Effect.gen(function* () {
    const current = yield* Effect.acquireRelease(
      Effect.map(start(folder), (child) => ({ child })),
      ({ child }) => ProcessGroup.kill(child)
    )
    const restart = Effect.gen(function* () {
      yield* ProcessGroup.kill(current.child)
      current.child = yield* start(folder)
    })
    return {
      run: (testRun, limit) =>
        Effect.gen(function* () {
          if (current.child.exitCode !== null) yield* restart
          return yield* ask(current.child, testRun).pipe(
            Effect.timeoutTo({
              duration: limit,
              onSuccess: Effect.succeed,
              onTimeout: () =>
                Effect.as(restart, {
                  _tag: "Red" as const,
                  test: `${testRun.file}, killed after ${Math.round(Duration.toSeconds(limit))} s`,
                  how: "timed out" as const
                })
            }),
            Effect.flatten
          )
        })
    }
  })
