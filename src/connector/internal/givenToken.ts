import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Redacted from "effect/Redacted"
import * as Credential from "../../credential/Credential.ts"
import * as RegistryUri from "../../reference/RegistryUri.ts"
import { ConnectorError } from "../ConnectorError.ts"

/** Who sends a token, and what it is. */
export interface Login {
  readonly username: string
  readonly token: Redacted.Redacted
}

/** What a token is made of: https://www.rfc-editor.org/rfc/rfc6750#section-2.1, and real ones are less strict. */
export const tokenText = /^[\x21-\x7e]+$/

/**
 * A credential of a token that somebody else issued. When it ends is not known: it is looked at again after a while, and
 * a variable or a file may hold another one by then.
 */
export const credentialOf = Effect.fnUntraced(function* (connector: string, resource: string, login: Login) {
  if (!tokenText.test(Redacted.value(login.token))) {
    const detail = "the token is empty, or has blanks or line breaks in it"
    return yield* new ConnectorError({ connector, reason: "misconfigured", resource, detail })
  }
  return Credential.usernamePassword({
    host: RegistryUri.unsafeParse(resource).host,
    username: login.username,
    password: login.token,
    expiry: Credential.Expiry.Unknown({ issuedAt: yield* DateTime.now })
  })
})

/** The host that a connector issues for, in its canonical form. */
export const registryHost = (connector: string, host: string): Either.Either<string, ConnectorError> =>
  Either.flatMap(
    Either.mapLeft(
      RegistryUri.parse(host),
      ({ message }) => new ConnectorError({ connector, reason: "misconfigured", detail: message })
    ),
    (uri) =>
      uri.path === ""
        ? Either.right(uri.host)
        : Either.left(
            new ConnectorError({
              connector,
              reason: "misconfigured",
              detail: `host is a registry's host alone, as ${uri.host}; the path belongs into the registry's own address`
            })
          )
  )

/**
 * A resource id of one host and no other: what is issued for a host is sent to nobody else. `segments` is how much of the
 * path belongs to the id, all of it unless given.
 */
export const resourceIdOn =
  (host: string, segments?: number) =>
  (text: string): Either.Either<string, { readonly message: string }> =>
    Either.flatMap(RegistryUri.parse(text), (uri) =>
      uri.host === host
        ? Either.right([uri.host, ...uri.path.split("/", segments)].filter((part) => part !== "").join("/"))
        : Either.left({
            message: `it is for ${host} alone, and was asked for ${uri.host}; set host to that registry's`
          })
    )
