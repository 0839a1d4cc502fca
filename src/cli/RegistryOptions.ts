/**
 * The options of every command that speaks to registries: the file they are in, and how to log in and connect.
 */
import * as Either from "effect/Either"
import * as Option from "effect/Option"
import * as Interpolation from "../config/Interpolation.ts"
import * as RegistryUri from "../reference/RegistryUri.ts"
import { expected, flag, list, optional, type Settings } from "./OptionTable.ts"

/** A value that is taken as it is. */
export const text = (given: string): Either.Either<string> => Either.right(given)

// Only these two errors leave a URL's user and password out of what they repeat.
const host = (given: string): Either.Either<string, string> =>
  Either.flatMap(
    Either.mapLeft(RegistryUri.parse(given), (error) => error.message),
    (uri) =>
      uri.path === ""
        ? Either.right(uri.host)
        : Either.left(expected("a registry's host alone, such as registry.example.com:5000", uri.name))
  )

export const set = list({
  placeholder: "NAME=VALUE",
  about: "Give a variable of the configuration file its value, before the environment's.",
  // What was given is not repeated: it may hold what the author did not mean to show.
  decode: (given) => Either.mapLeft(Interpolation.parseAssignment(given), (what) => `expected ${what}`)
})

/** Where registries come from. */
export const fileOptions = {
  config: optional({
    placeholder: "FILE",
    about: "The configuration file. Default: gantry.yaml here or in a folder above.",
    decode: text
  }),
  set
}

export type FileSettings = Settings<typeof fileOptions>

/** How to log in and connect to registries, where the file does not say. */
export const connectionOptions = {
  username: optional({
    placeholder: "NAME",
    about: "Log in with this name, and the password from --password-stdin. All registries must be on one host.",
    decode: text
  }),
  passwordStdin: flag("Read the password from standard input."),
  plainHttp: list({ placeholder: "HOST", about: "Speak plain HTTP to this registry.", decode: host }),
  tlsSkipVerify: list({ placeholder: "HOST", about: "Accept any certificate from this registry.", decode: host })
}

/** How much is said of a failure. */
export const diagnosticOptions = {
  verbose: flag("Say of each failure what caused it, and how the attempts before it went.")
}

export type ConnectionSettings = Settings<typeof connectionOptions>

/** For commands without these options: nothing but what the file says. */
export const asTheFileSays: ConnectionSettings = {
  username: Option.none(),
  passwordStdin: false,
  plainHttp: [],
  tlsSkipVerify: []
}
