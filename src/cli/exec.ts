/**
 * `gantry exec [REGISTRY...] -- COMMAND`
 */
import * as Effect from "effect/Effect"
import { anyWords, type Command } from "./Command.ts"
import { decode, type Settings } from "./OptionTable.ts"
import { fileOptions } from "./RegistryOptions.ts"

const execOptions = fileOptions

export type ExecSettings = Settings<typeof execOptions>

/** What another program needs is loaded when there is one. */
const runtime = Effect.promise(() => import("./ExecRun.ts"))

export const exec: Command = {
  options: execOptions,
  words: anyWords("REGISTRY"),
  otherProgram: "COMMAND",
  about: "Run a command that gets its registry credentials from gantry.",
  notes: [
    "COMMAND finds a DOCKER_CONFIG that asks gantry for the credential of each REGISTRY, a name of the configuration file or a host; without one, of each registry of the file. Connectors issue a fresh token when the one before has expired. No credential is written to a file.",
    "Every other host is asked of whoever the machine's own files name. Contexts, plugins and builders are those of the machine; standard input is COMMAND's.",
    "Example: gantry exec prod -- docker buildx build --push --tag acme.azurecr.io/app:1 .",
    "Exit codes: COMMAND's own, 128 and the signal's number when a signal ended it; 127 no such COMMAND, 126 it can not be run, 2 wrong usage or file."
  ],
  run: Effect.fnUntraced(function* ({ given, otherProgram, words }, machine) {
    const settings = yield* decode(execOptions, given)
    const { run } = yield* runtime
    return yield* run({ program: otherProgram, registries: words, settings }, yield* machine)
  })
}
