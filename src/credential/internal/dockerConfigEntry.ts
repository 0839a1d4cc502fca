import * as Either from "effect/Either"
import * as Option from "effect/Option"
import * as Predicate from "effect/Predicate"
import * as Redacted from "effect/Redacted"
import { CredentialKind } from "../Credential.ts"
import { DockerConfigError } from "../CredentialError.ts"

const fields = ["auth", "identitytoken", "registrytoken", "username", "password"] as const

type Field = (typeof fields)[number]

const base64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/

/**
 * `auth` is the padded base64 of `username:password`. NULs around the password are padding of Docker's oldest versions.
 */
const decodeAuth = (auth: string): Option.Option<{ readonly username: string; readonly password: string }> => {
  if (!base64.test(auth)) {
    return Option.none()
  }
  const text = Buffer.from(auth, "base64").toString("utf8")
  const colon = text.indexOf(":")
  return colon < 1
    ? Option.none()
    : Option.some({ username: text.slice(0, colon), password: text.slice(colon + 1).replace(/^\0+|\0+$/g, "") })
}

/**
 * Decodes one entry of `auths`; `None` for a marker that says a helper holds the credential.
 *
 * A registry token comes before an identity token, and both before a password, as in the engine.
 */
export const decodeEntry = (
  path: string,
  host: string,
  entry: unknown
): Either.Either<Option.Option<CredentialKind>, DockerConfigError> => {
  const invalid = (problem: string) =>
    Either.left(
      new DockerConfigError({ path, reason: "invalid-entry", detail: `in the entry for ${host}, ${problem}` })
    )

  if (!Predicate.isReadonlyRecord(entry)) {
    return invalid("there must be an object")
  }
  const value = (field: Field): string => {
    const found = entry[field]
    return Predicate.isString(found) ? found : ""
  }
  const wrong = fields.find((field) => Predicate.isNotNullable(entry[field]) && !Predicate.isString(entry[field]))
  if (wrong !== undefined) {
    return invalid(`"${wrong}" must be a string`)
  }
  if (value("registrytoken") !== "") {
    return Either.right(Option.some(CredentialKind.RegistryToken({ token: Redacted.make(value("registrytoken")) })))
  }
  const login =
    value("auth") === ""
      ? Option.some({ username: value("username"), password: value("password") })
      : decodeAuth(value("auth"))
  if (Option.isNone(login)) {
    return invalid(`"auth" must be the base64 of username:password`)
  }
  const { password, username } = login.value
  if (value("identitytoken") !== "") {
    return Either.right(
      Option.some(
        CredentialKind.IdentityToken({
          username: Option.liftPredicate(username, (name) => name !== ""),
          token: Redacted.make(value("identitytoken"))
        })
      )
    )
  }
  if (username === "" && password === "") {
    return Either.right(Option.none())
  }
  return username === ""
    ? invalid("there is a password without a username")
    : Either.right(Option.some(CredentialKind.UsernamePassword({ username, password: Redacted.make(password) })))
}
