/**
 * The options of `gantry verify`.
 */
import { flag, optional, type Settings } from "./OptionTable.ts"
import { output } from "./PushOptions.ts"
import { connectionOptions, diagnosticOptions, fileOptions, text } from "./RegistryOptions.ts"

export const verifyOptions = {
  all: flag("Verify every registry of the configuration file."),
  list: flag("Show the registries that each connector of the configuration file may use, and verify none."),
  write: optional({
    placeholder: "REPOSITORY",
    about: "Prove the right to push there by opening and cancelling one upload.",
    decode: text
  }),
  output: output("What stdout gets: a line a registry (text), or one document (json). Default: text."),
  ...fileOptions,
  ...connectionOptions,
  ...diagnosticOptions
}

export type VerifySettings = Settings<typeof verifyOptions>
