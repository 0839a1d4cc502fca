/**
 * `gantry verify [REGISTRY...] [--all] [--write REPOSITORY]`
 */
import * as Effect from "effect/Effect"
import { anyWords, type Command } from "./Command.ts"
import { decode } from "./OptionTable.ts"
import { verifyOptions } from "./VerifyOptions.ts"

/** What a verification needs is loaded when there is one. */
const runtime = Effect.promise(() => import("./VerifyRun.ts"))
const listing = Effect.promise(() => import("./ListRun.ts"))

export const verify: Command = {
  options: verifyOptions,
  words: anyWords("REGISTRY"),
  about: "Prove to each REGISTRY, without an engine, that the credentials work.",
  notes: [
    "A REGISTRY is a name of the configuration file, with or without @, or a host. Nothing is written, unless --write names a repository to open and cancel an upload in.",
    "With --list, each connector says which registries it may use, or why it can not tell, which is no failure.",
    "Each line says whether the registry answers, where the credential came from, when that expires, and whether it may push.",
    "Example: gantry verify prod ghcr.io --write team/app",
    "Exit codes: 0 all verified, 1 some failed, 2 wrong usage or file, 3 authentication, 5 worth trying again."
  ],
  run: Effect.fnUntraced(function* ({ given, words }, machine) {
    const settings = yield* decode(verifyOptions, given)
    if (settings.list) {
      const { run } = yield* listing
      return yield* run({ registries: words, settings })
    }
    const { run } = yield* runtime
    return yield* run({ registries: words, settings }, yield* machine)
  })
}
