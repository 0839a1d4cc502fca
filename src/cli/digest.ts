/**
 * `gantry digest TARGET`
 */
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import { type Command, oneWord } from "./Command.ts"
import { decode, type Settings } from "./OptionTable.ts"
import { output } from "./PushOptions.ts"
import { connectionOptions, diagnosticOptions, fileOptions } from "./RegistryOptions.ts"
import * as TargetWord from "./TargetWord.ts"
import { UsageError } from "./UsageError.ts"

const digestOptions = {
  output: output("What stdout gets: the digest (text), or one document (json). Default: text."),
  ...fileOptions,
  ...connectionOptions,
  ...diagnosticOptions
}

export type DigestSettings = Settings<typeof digestOptions>

/** What asking needs is loaded when there is something to ask. */
const runtime = Effect.promise(() => import("./DigestRun.ts"))

const parseTarget = (text: string) =>
  Either.mapLeft(TargetWord.parse(text), (problem) => new UsageError({ problems: [`TARGET ${problem}`] }))

export const digest: Command = {
  options: digestOptions,
  words: oneWord("TARGET"),
  about: "Print the digest that a tag has in its registry.",
  notes: [
    "A TARGET is an image reference, or @NAME/repository[:tag] for a registry of the configuration file. Without a tag it is latest.",
    "Example: gantry digest registry.example.com/team/app:1",
    "Exit codes: 0 found, 1 no such tag, 2 wrong usage or file, 3 authentication, 5 worth trying again."
  ],
  run: Effect.fnUntraced(function* ({ given, words: [text = ""] }, machine) {
    const settings = yield* decode(digestOptions, given)
    const target = yield* parseTarget(text)
    const { run } = yield* runtime
    return yield* run({ target, settings }, yield* machine)
  })
}
