/**
 * The whole command line as one effect: arguments in, exit code out.
 */
import * as CliConfig from "@effect/cli/CliConfig"
import * as Command from "@effect/cli/Command"
import * as ValidationError from "@effect/cli/ValidationError"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Ref from "effect/Ref"
import { config, configCheckShape } from "./config.ts"
import { digest, digestShape } from "./digest.ts"
import { ExitStatus } from "./ExitStatus.ts"
import { exitCode } from "./exitCode.ts"
import { flavors, flavorsShape } from "./flavors.ts"
import { type CommandShapes, readArguments } from "./internal/argv.ts"
import { help } from "./internal/help.ts"
import { oneLine } from "./internal/text.ts"
import type { Machine } from "./Machine.ts"
import { push, pushShape } from "./push.ts"
import { Stdio } from "./Stdio.ts"
import { schema, schemaShape } from "./schema.ts"
import { UsageError } from "./UsageError.ts"
import { verify, verifyShape } from "./verify.ts"

const commands: CommandShapes = {
  push: pushShape,
  verify: verifyShape,
  digest: digestShape,
  "config check": configCheckShape,
  schema: schemaShape,
  flavors: flavorsShape
}

const commandOf = (machine: Effect.Effect<Machine>) =>
  Command.withSubcommands(Command.make("gantry"), [
    push(machine),
    verify(machine),
    digest(machine),
    config,
    schema,
    flavors
  ])

interface Options {
  readonly version: string
  readonly machine: Effect.Effect<Machine>
}

/** Runs the arguments (those after the program's name) to an exit code. What is wrong with them is told on stderr. */
export const run = Effect.fn("gantry")(
  function* (args: ReadonlyArray<string>, options: Options) {
    const { stdout } = yield* Stdio
    const invocation = yield* Either.mapLeft(readArguments(args, commands), (problems) => new UsageError({ problems }))
    switch (invocation._tag) {
      case "Help":
        yield* stdout(help(commands, invocation.command))
        return 0
      case "Version":
        yield* stdout(`${options.version}\n`)
        return 0
      case "Command":
        return yield* dispatch(invocation.args, options)
    }
  },
  Effect.catchTag("UsageError", (error) => tell(error))
)

const dispatch = Effect.fnUntraced(function* (args: ReadonlyArray<string>, { machine, version }: Options) {
  const status = yield* Ref.make(0)
  // @effect/cli leaves out the first two, as `process.argv` has them.
  yield* Command.run(commandOf(machine), { name: "gantry", version })(["node", "gantry", ...args]).pipe(
    Effect.provideService(ExitStatus, status),
    Effect.provide(CliConfig.layer({ isCaseSensitive: true })),
    // The arguments were read before: what @effect/cli refuses now is gantry's fault.
    Effect.catchIf(ValidationError.isValidationError, Effect.die)
  )
  return yield* Ref.get(status)
})

const misused = exitCode({ _tag: "Misused" }, [])

const tell = Effect.fnUntraced(function* ({ problems }: UsageError) {
  const { stderr } = yield* Stdio
  const lines = [
    ...problems.map((problem) => `gantry: ${oneLine(problem)}`),
    "Nothing was sent. See `gantry --help` and `gantry COMMAND --help`."
  ]
  yield* stderr(lines.map((line) => `${line}\n`).join(""))
  return misused
})
