/** Programs that the examples consist of, run to their end, with what they said. */
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as ProcessGroup from "../ProcessGroup.ts"

/** An example does not do what its readers are told. */
export class ExampleFailed extends Data.TaggedError("ExampleFailed")<{ readonly message: string }> {}

export interface Ended {
  readonly code: number
  /** What it said to stdout, and after that what it said to stderr. */
  readonly output: string
}

/** Runs a program to its end, whatever that is. */
export const run = (command: ProcessGroup.Command): Effect.Effect<Ended, ProcessGroup.NotStarted> =>
  Effect.map(ProcessGroup.run(command), ({ code, stderr, stdout }) => ({ code, output: stdout + stderr }))

/** Runs a program that has to end well, and gives what it said. */
export const output = (command: ProcessGroup.Command): Effect.Effect<string, ExampleFailed | ProcessGroup.NotStarted> =>
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
