/**
 * `gantry doctor`
 */
import * as Effect from "effect/Effect"
import { type Command, noWords } from "./Command.ts"
import { engineOptions } from "./EngineOptions.ts"
import { decode, type Settings } from "./OptionTable.ts"
import { output } from "./PushOptions.ts"
import { fileOptions } from "./RegistryOptions.ts"

const doctorOptions = {
  output: output(
    "What stdout gets: a line a finding and what to do about it (text), or one document (json). Default: text."
  ),
  ...fileOptions,
  ...engineOptions
}

export type DoctorSettings = Settings<typeof doctorOptions>

/** What an examination needs is loaded when there is one. */
const runtime = Effect.promise(() => import("./DoctorRun.ts"))

export const doctor: Command = {
  options: doctorOptions,
  words: noWords,
  about: "Say what works here and what to do about what does not.",
  notes: [
    "It looks at the engine and where its address comes from, the configuration file, Docker's and podman's files of credentials and their helpers, the proxies, and each registry of the file: whether it lets us in, and whether its clock agrees. Nothing is written, and no secret is shown.",
    "Example: gantry doctor --output json",
    "Exit codes: 0 nothing fails (there may be warnings), 1 something does."
  ],
  run: Effect.fnUntraced(function* ({ given }, machine) {
    const settings = yield* decode(doctorOptions, given)
    const { run } = yield* runtime
    return yield* run(settings, yield* machine)
  })
}
