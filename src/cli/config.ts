/**
 * `gantry config check [FILE]`
 */
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { type Command, optionalWord } from "./Command.ts"
import { decode } from "./OptionTable.ts"
import { set } from "./RegistryOptions.ts"

const checkOptions = { set }

/** What reading a file needs is loaded when there is one to read. */
const runtime = Effect.promise(() => import("./ConfigCheck.ts"))

export const configCheck: Command = {
  options: checkOptions,
  words: optionalWord("FILE"),
  about: "Say everything that is wrong with a configuration file, with its line and column.",
  notes: [
    "Without FILE it is the one that GANTRY_CONFIG names, else gantry.yaml, gantry.yml or gantry.json here or in a folder above. Secrets are not read.",
    "Exit codes: 0 nothing is wrong, 2 something is."
  ],
  run: Effect.fnUntraced(function* ({ given, words: [file] }) {
    const settings = yield* decode(checkOptions, given)
    const { run } = yield* runtime
    return yield* run(Option.fromNullable(file), settings)
  })
}
