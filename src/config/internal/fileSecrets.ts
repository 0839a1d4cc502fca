import * as FileSystem from "@effect/platform/FileSystem"
import * as Config from "effect/Config"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"
import * as Record from "effect/Record"
import * as Redacted from "effect/Redacted"
import { SecretInvalid } from "../../credential/CredentialError.ts"
import type { FileSecret } from "./fileSchema.ts"
import type { SecretSource } from "./secretSource.ts"

const utf8 = new TextDecoder("utf-8", { fatal: true })

/** `echo` and editors end a text with a newline, which is no part of the secret. */
const withoutLineEnd = (text: string): string => text.replace(/\r?\n$/, "")

/**
 * Reads what a file says where it is, anew at each call; standard input is read once, by the first that needs it. Fails
 * with what was expected, as in `in the environment variable X, which is not set`.
 */
export const makeSecretReader = Effect.fnUntraced(function* (stdin: Effect.Effect<Option.Option<string>>) {
  const fileSystem = yield* FileSystem.FileSystem
  const provider = yield* Effect.configProviderWith(Effect.succeed)
  const scope = yield* Effect.scope
  // The reading belongs to the reader and not to whoever asks first and may be interrupted.
  const reading = yield* Effect.cached(Effect.forkIn(stdin, scope))

  return (source: SecretSource): Effect.Effect<Redacted.Redacted, string> => {
    if ("env" in source) {
      return Effect.mapError(
        provider.load(Config.redacted(source.env)),
        () => `in the environment variable ${source.env}, which is not set`
      )
    }
    if ("file" in source) {
      return Effect.flatMap(
        Effect.mapError(fileSystem.readFile(source.file), () => `in the file ${source.file}, which can not be read`),
        (bytes) =>
          Effect.try({
            try: () => Redacted.make(withoutLineEnd(utf8.decode(bytes))),
            catch: () => `UTF-8 text in the file ${source.file}`
          })
      )
    }
    return Effect.flatMap(
      Effect.flatMap(reading, Fiber.join),
      Option.match({
        onNone: () => Effect.fail("piped into standard input, where there is nothing"),
        onSome: (text) => Effect.succeed(Redacted.make(withoutLineEnd(text)))
      })
    )
  }
})

/** Reads the secrets of a file by their names. */
export const makeFileSecrets = Effect.fnUntraced(function* (
  secrets: Readonly<Record<string, FileSecret>>,
  stdin: Effect.Effect<Option.Option<string>>
) {
  const read = yield* makeSecretReader(stdin)
  return (name: string) =>
    Effect.transposeOption(
      Option.map(Record.get(secrets, name), (secret) =>
        Effect.all(
          Record.map({ ...secret }, (source, field) =>
            typeof source === "string"
              ? Effect.succeed(Redacted.make(source))
              : Effect.mapError(read(source), (expected) => new SecretInvalid({ secret: name, field, expected }))
          )
        )
      )
    )
})
