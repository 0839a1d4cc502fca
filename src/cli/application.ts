/**
 * The whole command line as one effect: arguments in, exit code out.
 */
import * as CliConfig from "@effect/cli/CliConfig"
import * as Command from "@effect/cli/Command"
import * as HelpDoc from "@effect/cli/HelpDoc"
import * as ValidationError from "@effect/cli/ValidationError"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Ref from "effect/Ref"
import { ExitStatus } from "./ExitStatus.ts"
import { exitCode } from "./exitCode.ts"
import { flavors, flavorsOptions } from "./flavors.ts"
import { normalizeArguments } from "./internal/argv.ts"
import { plainConsole } from "./internal/plainConsole.ts"
import { oneLine } from "./internal/text.ts"
import { pushOptions } from "./PushOptions.ts"
import type { Machine } from "./PushRun.ts"
import { push } from "./push.ts"
import { Stdio } from "./Stdio.ts"
import { UsageError } from "./UsageError.ts"

const shapes = {
  push: { options: pushOptions, words: "SOURCE" },
  flavors: { options: flavorsOptions, words: undefined }
}

const footer = HelpDoc.p(
  "Every option can be given by an environment variable as well: --stall-timeout is GANTRY_STALL_TIMEOUT, and values of an option that repeats are separated by commas. An option beats its variable."
)

const commandOf = (machine: Effect.Effect<Machine>) =>
  Command.make("gantry").pipe(
    Command.withDescription("Push images to container registries."),
    Command.withSubcommands([push(machine), flavors])
  )

/** Runs the arguments (those after the program's name) to an exit code. What is wrong with them is told on stderr. */
export const run = Effect.fn("gantry")(function* (
  args: ReadonlyArray<string>,
  options: { readonly version: string; readonly machine: Effect.Effect<Machine> }
) {
  const status = yield* Ref.make(0)
  const start = Command.run(commandOf(options.machine), { name: "gantry", version: options.version, footer })
  const program = Either.mapLeft(normalizeArguments(args, shapes), (problems) => new UsageError({ problems })).pipe(
    // @effect/cli leaves out the first two, as `process.argv` has them.
    Effect.flatMap((normal) => start(["node", "gantry", ...normal])),
    Effect.zipRight(Ref.get(status)),
    Effect.catchTag("UsageError", tell),
    // @effect/cli has said already what it could not read.
    Effect.catchIf(ValidationError.isValidationError, () => Effect.succeed(misused))
  )
  return yield* program.pipe(
    Effect.withConsole(yield* plainConsole),
    Effect.provideService(ExitStatus, status),
    Effect.provide(CliConfig.layer({ isCaseSensitive: true, showBuiltIns: false, showTypes: false }))
  )
})

const misused = exitCode({ _tag: "Misused" }, [])

const tell = Effect.fnUntraced(function* ({ problems }: UsageError) {
  const { stderr } = yield* Stdio
  const lines = [
    ...problems.map((problem) => `gantry: ${oneLine(problem)}`),
    "Nothing was sent. See `gantry --help` and `gantry push --help`."
  ]
  yield* stderr(lines.map((line) => `${line}\n`).join(""))
  return misused
})
