import * as FileSystem from "@effect/platform/FileSystem"
import * as Path from "@effect/platform/Path"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import { SecretInvalid } from "../CredentialError.ts"
import { checkSecretName } from "./secretName.ts"

const utf8 = new TextDecoder("utf-8", { fatal: true })

/**
 * Reads a folder that holds a folder for each secret with a file for each field, as Docker and Kubernetes mount them.
 */
export const makeSecretFolder = Effect.fnUntraced(function* (root: string) {
  const fileSystem = yield* FileSystem.FileSystem
  const path = yield* Path.Path

  const readField = Effect.fnUntraced(function* (secret: string, field: string) {
    const unusable = (expected: string) => new SecretInvalid({ secret, field, expected })
    const file = path.join(root, secret, field)
    const unreadable = () => unusable(`a file that can be read at ${file}`)
    const info = yield* Effect.mapError(fileSystem.stat(file), unreadable)
    if (info.type !== "File") {
      return Option.none<readonly [string, Redacted.Redacted]>()
    }
    const bytes = yield* Effect.mapError(fileSystem.readFile(file), unreadable)
    const text = yield* Effect.try({ try: () => utf8.decode(bytes), catch: () => unusable("UTF-8 text") })
    return Option.some([field, Redacted.make(text.replace(/\r?\n$/, ""))] as const)
  })

  return Effect.fnUntraced(function* (name: string) {
    const secret = yield* checkSecretName(name)
    const folder = path.join(root, secret)
    const names = yield* fileSystem.readDirectory(folder).pipe(
      Effect.asSome,
      Effect.catchIf(
        (error) => error._tag === "SystemError" && error.reason === "NotFound",
        () => Effect.succeedNone
      ),
      Effect.mapError(() => new SecretInvalid({ secret, expected: `a folder that can be read at ${folder}` }))
    )
    if (Option.isNone(names)) {
      return Option.none()
    }
    // Kubernetes keeps the versions of a mounted secret in entries that begin with two dots.
    const fields = yield* Effect.forEach(
      names.value.filter((field) => !field.startsWith(".")),
      (field) => readField(secret, field)
    )
    return Option.some(Object.fromEntries(fields.flatMap(Option.toArray)))
  })
})
