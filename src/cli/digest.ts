/**
 * `gantry digest TARGET`
 */
import * as Args from "@effect/cli/Args"
import * as Command from "@effect/cli/Command"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as ExitStatus from "./ExitStatus.ts"
import { type CommandShape, oneWord } from "./internal/argv.ts"
import type { Machine } from "./Machine.ts"
import { decode, type Settings, toOptions } from "./OptionTable.ts"
import { output } from "./PushOptions.ts"
import { connectionOptions, fileOptions } from "./RegistryOptions.ts"
import * as TargetWord from "./TargetWord.ts"
import { UsageError } from "./UsageError.ts"

const digestOptions = {
  output: output("What stdout gets: the digest (text), or one document (json). Default: text."),
  ...fileOptions,
  ...connectionOptions
}

export type DigestSettings = Settings<typeof digestOptions>

export const digestShape: CommandShape = {
  options: digestOptions,
  words: oneWord("TARGET"),
  about: "Print the digest that a tag has in its registry.",
  notes: [
    "A TARGET is an image reference, or @NAME/repository[:tag] for a registry of the configuration file. Without a tag it is latest.",
    "Example: gantry digest registry.example.com/team/app:1",
    "Exit codes: 0 found, 1 no such tag, 2 wrong usage or file, 3 authentication, 5 worth trying again."
  ]
}

/** What asking needs is loaded when there is something to ask. */
const runtime = Effect.promise(() => import("./DigestRun.ts"))

const parseTarget = (text: string) =>
  Either.mapLeft(TargetWord.parse(text), (problem) => new UsageError({ problems: [`TARGET ${problem}`] }))

export const digest = (machine: Effect.Effect<Machine>) =>
  Command.make("digest", { text: Args.text({ name: "TARGET" }), given: toOptions(digestOptions) }, ({ given, text }) =>
    Effect.gen(function* () {
      const settings = yield* decode(digestOptions, given)
      const target = yield* parseTarget(text)
      const { run } = yield* runtime
      yield* ExitStatus.set(yield* run({ target, settings }, yield* machine))
    })
  )
