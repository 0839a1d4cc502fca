/**
 * `gantry batch [FILE|-]`
 */
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { type Command, optionalWord } from "./Command.ts"
import { decode } from "./OptionTable.ts"
import { batchOptions } from "./PushOptions.ts"

/** What a batch needs is loaded when there is one: `--help` is not to wait for it. */
const runtime = Effect.promise(() => Promise.all([import("./BatchFile.ts"), import("./PushRun.ts")]))

export const batch: Command = {
  options: batchOptions,
  words: { ...optionalWord("FILE"), usage: "[FILE|-]" },
  about: "Push everything that a file lists, checked as a whole before anything is sent.",
  notes: [
    "Without FILE it is the configuration file's pushes. FILE is a configuration file of its own, or a list of pushes alone, whose @NAME are the configuration file's; - reads it from standard input. Running it again sends only what is missing.",
    "Example: gantry batch release.yaml --set VERSION=1.4.2 --only '@prod/*' --dry-run",
    "Exit codes: 0 all pushed, unchanged or skipped, 1 some failed, 2 wrong usage or file, 3 authentication, 4 engine, 5 worth trying again."
  ],
  run: Effect.fnUntraced(function* ({ given, words: [file] }, machine) {
    const settings = yield* decode(batchOptions, given)
    const [{ plan }, { run }] = yield* runtime
    const planned = plan(Option.fromNullable(file), settings)
    return yield* run({ name: "batch", settings, planned }, yield* machine)
  })
}
