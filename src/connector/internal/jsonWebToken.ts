import * as DateTime from "effect/DateTime"
import * as Either from "effect/Either"
import * as Encoding from "effect/Encoding"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"

const compact = /^[\w-]+\.[\w-]+\.[\w-]*$/

/** Whether a text has the compact form of a JSON Web Token: https://www.rfc-editor.org/rfc/rfc7519#section-3. */
export const isJsonWebToken = (text: string): boolean => compact.test(text)

const Claims = Schema.parseJson(Schema.Struct({ exp: Schema.Number }))

/**
 * When a token says that it is over; none when it does not say. Nothing is verified: for messages and expiries, and not for
 * deciding whom to trust.
 */
export const expiresAt = (token: Redacted.Redacted): Option.Option<DateTime.Utc> =>
  Encoding.decodeBase64UrlString(Redacted.value(token).split(".")[1] ?? "").pipe(
    Either.flatMap(Schema.decodeEither(Claims)),
    Either.getRight,
    Option.flatMap(({ exp }) => DateTime.make(exp * 1000))
  )
