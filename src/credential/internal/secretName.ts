import * as Effect from "effect/Effect"
import { SecretInvalid } from "../CredentialError.ts"

const plainName = /^[A-Za-z0-9][A-Za-z0-9._-]*$/

/**
 * A secret's name becomes part of a path or of a variable's name, so only plain names pass.
 */
export const checkSecretName = (secret: string): Effect.Effect<string, SecretInvalid> =>
  plainName.test(secret)
    ? Effect.succeed(secret)
    : new SecretInvalid({ secret, expected: "named with letters, digits, dots, dashes and underscores only" })
