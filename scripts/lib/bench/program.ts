/** Programs run as processes, with the time that a person would wait for them. */
import { spawn } from "node:child_process"
import * as Effect from "effect/Effect"
import * as ProcessGroup from "../ProcessGroup.ts"
import { BenchError } from "./Bench.ts"

export interface Program {
  readonly command: string
  readonly arguments: ReadonlyArray<string>
  readonly environment?: Readonly<Record<string, string>>
  readonly stdin?: string
}

/** Milliseconds from the start of a program to its end; fails when it does. */
export const timed = (program: Program): Effect.Effect<number, BenchError> =>
  Effect.async((resume) => {
    const startedAt = performance.now()
    const child = spawn(program.command, program.arguments, {
      env: { PATH: process.env["PATH"], ...program.environment },
      detached: true,
      stdio: ["pipe", "ignore", "pipe"]
    })
    let stderr = ""
    child.stderr.on("data", (chunk) => {
      stderr += chunk
    })
    child.on("error", (error) => resume(new BenchError({ message: error.message })))
    child.on("close", (code) => {
      const elapsed = performance.now() - startedAt
      resume(
        code === 0
          ? Effect.succeed(elapsed)
          : new BenchError({ message: `${program.command}: exit code ${code}\n${stderr}` })
      )
    })
    // A program that does not read may close its end first.
    child.stdin.on("error", () => {})
    child.stdin.end(program.stdin ?? "")
    return ProcessGroup.kill(child)
  })
