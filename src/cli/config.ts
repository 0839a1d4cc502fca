/**
 * `gantry config check [FILE]`
 */
import * as Args from "@effect/cli/Args"
import * as Command from "@effect/cli/Command"
import * as Effect from "effect/Effect"
import * as ExitStatus from "./ExitStatus.ts"
import { type CommandShape, optionalWord } from "./internal/argv.ts"
import { decode, toOptions } from "./OptionTable.ts"
import { set } from "./RegistryOptions.ts"

const checkOptions = { set }

export const configCheckShape: CommandShape = {
  options: checkOptions,
  words: optionalWord("FILE"),
  about: "Say everything that is wrong with a configuration file, with its line and column.",
  notes: [
    "Without FILE it is the one that GANTRY_CONFIG names, else gantry.yaml, gantry.yml or gantry.json here or in a folder above. Secrets are not read.",
    "Exit codes: 0 nothing is wrong, 2 something is."
  ]
}

/** What reading a file needs is loaded when there is one to read. */
const runtime = Effect.promise(() => import("./ConfigCheck.ts"))

const check = Command.make(
  "check",
  { file: Args.optional(Args.text({ name: "FILE" })), given: toOptions(checkOptions) },
  ({ file, given }) =>
    Effect.gen(function* () {
      const settings = yield* decode(checkOptions, given)
      const { run } = yield* runtime
      yield* ExitStatus.set(yield* run(file, settings))
    })
)

export const config = Command.withSubcommands(Command.make("config"), [check])
