/**
 * A service account's key, exchanged for a token where the key itself says: Google's library posts to one address whatever
 * the key's `token_uri` is (reference/auth.md section 0, fact 11).
 */
import type { KeyObject } from "node:crypto"
import * as HttpClientRequest from "@effect/platform/HttpClientRequest"
import * as DateTime from "effect/DateTime"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import type { ConnectorError } from "../ConnectorError.ts"
import { askToken, SCOPE } from "./gcpClient.ts"
import { misconfigured } from "./gcpFailure.ts"
import { readSigningKey, sign } from "./jsonWebToken.ts"
import { readServiceUrl } from "./serviceUrl.ts"

export interface Key {
  readonly email: string
  readonly key: KeyObject
  readonly keyId: string | undefined
  readonly tokenUri: string
}

/** https://cloud.google.com/iam/docs/keys-create-delete */
const KeyFile = Schema.parseJson(
  Schema.Struct({
    type: Schema.Literal("service_account"),
    client_email: Schema.NonEmptyString,
    private_key: Schema.Redacted(Schema.String),
    private_key_id: Schema.optional(Schema.String),
    token_uri: Schema.optionalWith(Schema.String, { default: () => "https://oauth2.googleapis.com/token" })
  })
)

const form = "the key is no service account's key, the JSON text with type, client_email and private_key"

export const readKey = (text: Redacted.Redacted): Either.Either<Key, ConnectorError> =>
  Either.gen(function* () {
    const file = yield* Either.mapLeft(Schema.decodeEither(KeyFile)(Redacted.value(text)), () => misconfigured(form))
    const key = yield* Either.mapLeft(readSigningKey(file.private_key), misconfigured)
    yield* Either.mapLeft(readServiceUrl("the key's token_uri", file.token_uri), misconfigured)
    return { email: file.client_email, key, keyId: file.private_key_id, tokenUri: file.token_uri }
  })

/** Google's clock may be behind this one, and it takes no assertion of more than an hour. */
const ISSUED_BEFORE = Duration.toSeconds("60 seconds")
const GOOD_FOR = Duration.toSeconds("1 hour")

/** https://developers.google.com/identity/protocols/oauth2/service-account#authorizingrequests */
export const exchange = Effect.fnUntraced(function* ({ email, key, keyId, tokenUri }: Key, resource: string) {
  const now = yield* DateTime.now
  const iat = Math.floor(now.epochMillis / 1000) - ISSUED_BEFORE
  const claims = { iss: email, scope: SCOPE, aud: tokenUri, iat, exp: iat + GOOD_FOR }
  const assertion = sign(key, { claims, keyId })
  const request = HttpClientRequest.bodyUrlParams(HttpClientRequest.post(tokenUri), {
    grant_type: "urn:ietf:params:oauth:grant-type:jwt-bearer",
    assertion: Redacted.value(assertion)
  })
  const advice = `check that ${email} is enabled, and that its key was not deleted`
  return yield* askToken(request, { resource, secrets: [assertion], advice })
})
