/** Programs that the examples consist of, run to their end, with what they said. */
import { execFile } from "node:child_process"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"

/** An example does not do what its readers are told. */
export class ExampleFailed extends Data.TaggedError("ExampleFailed")<{ readonly message: string }> {}

export interface Command {
  readonly program: string
  readonly arguments: ReadonlyArray<string>
  readonly folder: string
  readonly environment: NodeJS.ProcessEnv
}

export interface Ended {
  readonly code: number
  /** What it said to stdout, and after that what it said to stderr. */
  readonly output: string
}

/** Runs a program to its end, whatever that is. Interruption stops it, and waits until it writes no more. */
export const run = (command: Command): Effect.Effect<Ended, ExampleFailed> =>
  Effect.async((resume) => {
    const options = { cwd: command.folder, env: command.environment, maxBuffer: 2 ** 26 }
    const child = execFile(command.program, command.arguments, options, (error, stdout, stderr) => {
      const code = error === null ? 0 : error.code
      resume(
        typeof code === "number"
          ? Effect.succeed({ code, output: stdout + stderr })
          : new ExampleFailed({ message: `${command.program}: ${error?.message}` })
      )
    })
    return Effect.async<void>((stopped) => {
      child.once("close", () => stopped(Effect.void))
      child.kill()
    })
  })

/** Runs a program that has to end well, and gives what it said. */
export const output = (command: Command): Effect.Effect<string, ExampleFailed> =>
  Effect.flatMap(run(command), ({ code, output }) =>
    code === 0
      ? Effect.succeed(output)
      : new ExampleFailed({
          message: `${[command.program, ...command.arguments].join(" ")}: exit code ${code}\n${output}`
        })
  )

/** Fails unless something is as it has to be; `output` is shown then. */
export const expect = (what: string, is: boolean, output: string): Effect.Effect<void, ExampleFailed> =>
  is ? Effect.void : new ExampleFailed({ message: `Not so: ${what}\n${output}` })
