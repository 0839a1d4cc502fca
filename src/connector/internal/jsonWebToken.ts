import { createPrivateKey, type KeyObject, sign as signBytes } from "node:crypto"
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

/**
 * The RSA key in a PEM text, PKCS#1 or PKCS#8, or what is wrong with it. A variable that can not hold lines has `\n` between
 * them.
 */
export const readSigningKey = (pem: Redacted.Redacted): Either.Either<KeyObject, string> =>
  Either.try({
    try: () => createPrivateKey(Redacted.value(pem).replaceAll("\\n", "\n")),
    catch: () => "the private key is no PEM text of a private key without a passphrase"
  }).pipe(
    Either.filterOrLeft(
      (key) => key.asymmetricKeyType === "rsa",
      () => "the private key is no RSA key"
    )
  )

/** What is signed, and by which of the signer's keys. */
export interface Assertion {
  readonly claims: object
  readonly keyId?: string | undefined
}

const encode = (value: object): string => Encoding.encodeBase64Url(JSON.stringify(value))

/** A token by RS256, with which its holder says who it is: https://www.rfc-editor.org/rfc/rfc7523#section-3. */
export const sign = (key: KeyObject, { claims, keyId }: Assertion): Redacted.Redacted => {
  const content = `${encode({ alg: "RS256", typ: "JWT", kid: keyId })}.${encode(claims)}`
  return Redacted.make(`${content}.${signBytes("sha256", Buffer.from(content), key).toString("base64url")}`)
}
