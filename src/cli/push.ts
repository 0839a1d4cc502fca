/**
 * `gantry push SOURCE... [--to TARGET]...`
 */
import * as Arr from "effect/Array"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as ImageSource from "../image/ImageSource.ts"
import { type Command, someWords } from "./Command.ts"
import { decode } from "./OptionTable.ts"
import { pushOptions } from "./PushOptions.ts"
import { UsageError } from "./UsageError.ts"

const parseSources = (texts: ReadonlyArray<string>) => {
  const [problems, parsed] = Arr.partitionMap(texts, (text) =>
    Either.mapLeft(ImageSource.parse(text), (error) => `SOURCE ${error.message}`)
  )
  return problems.length > 0 ? Effect.fail(new UsageError({ problems })) : Effect.succeed(parsed)
}

const problemsOf = <A>(checked: Either.Either<A, UsageError>): ReadonlyArray<string> =>
  Either.match(checked, { onLeft: ({ problems }) => problems, onRight: () => [] })

/** What a push needs is loaded when there is one: `--help` is not to wait for it. */
const runtime = Effect.promise(() => Promise.all([import("./PushWords.ts"), import("./PushRun.ts")]))

export const push: Command = {
  options: pushOptions,
  words: someWords("SOURCE"),
  about: "Push each SOURCE to its own name, or to every --to.",
  notes: [
    "A SOURCE is an image in the engine: app:1, or docker://app:1. Its digest goes to stdout, everything else to stderr.",
    "Example: gantry push app:1 --to registry.example.com/team/app --to localhost:5000/app",
    "Exit codes: 0 all pushed, unchanged or skipped, 1 some failed, 2 wrong usage, 3 authentication, 4 engine, 5 worth trying again."
  ],
  run: Effect.fnUntraced(function* ({ given, words }, machine) {
    const settings = yield* Effect.either(decode(pushOptions, given))
    const sources = yield* Effect.either(parseSources(words))
    if (Either.isLeft(settings) || Either.isLeft(sources)) {
      return yield* new UsageError({ problems: [...problemsOf(sources), ...problemsOf(settings)] })
    }
    const [[{ plan }, { run }], here] = yield* Effect.all([runtime, machine], { concurrency: "unbounded" })
    const planned = plan(sources.right, settings.right)
    return yield* run({ name: "push", settings: settings.right, planned }, here)
  })
}
