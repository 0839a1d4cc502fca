import * as HttpClient from "@effect/platform/HttpClient"
import type * as HttpClientRequest from "@effect/platform/HttpClientRequest"
import * as HttpClientResponse from "@effect/platform/HttpClientResponse"
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import type * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import { Expiry } from "../../credential/Credential.ts"
import { type ConnectorError, fromUnknown } from "../ConnectorError.ts"
import { CONNECTOR, type Question, refused } from "./gcpFailure.ts"
import { tokenText } from "./givenToken.ts"
import { rootCause } from "./serviceAnswer.ts"

/** The scope of everything, in which the identity's roles say what it may do. */
export const SCOPE = "https://www.googleapis.com/auth/cloud-platform"

/** An access token of Google's APIs, which its registries take for a password, and until when it is good. */
export interface Session {
  readonly token: Redacted.Redacted
  readonly expiry: Expiry
}

/** A token as a service gives it out. */
export const Token = Schema.Redacted(Schema.String.pipe(Schema.pattern(tokenText)))

/** Asks a service of Google's, and reads its answer. */
export const ask = Effect.fnUntraced(function* <A, I>(
  request: HttpClientRequest.HttpClientRequest,
  answer: Schema.Schema<A, I>,
  question: Question
) {
  const { resource, secrets } = question
  const failure = (error: unknown) =>
    fromUnknown(error, { connector: CONNECTOR, reason: "unavailable", resource, secrets })
  const response = yield* Effect.mapError(HttpClient.execute(request), (error) => failure(rootCause(error)))
  return yield* response.status >= 200 && response.status < 300
    ? Effect.mapError(HttpClientResponse.schemaBodyJson(answer)(response), failure)
    : Effect.flatMap(refused(response, question), Effect.fail)
})

const TokenAnswer = Schema.Struct({ access_token: Token, expires_in: Schema.optional(Schema.Finite) })

/** The end of a token that was asked for at `issuedAt`, if it is an instant at all. */
export const expiryAt = (millis: number | undefined, issuedAt: DateTime.Utc): Expiry =>
  Option.match(Option.flatMap(Option.fromNullable(millis), DateTime.make), {
    onNone: () => Expiry.Unknown({ issuedAt }),
    onSome: (at) => Expiry.At({ at, issuedAt })
  })

/** Asks a token endpoint: https://www.rfc-editor.org/rfc/rfc6749#section-5.1. */
export const askToken = Effect.fnUntraced(function* (
  request: HttpClientRequest.HttpClientRequest,
  question: Question
): Effect.fn.Return<Session, ConnectorError, HttpClient.HttpClient> {
  const issuedAt = yield* DateTime.now
  const { access_token, expires_in } = yield* ask(request, TokenAnswer, question)
  const end = expires_in === undefined ? undefined : issuedAt.epochMillis + expires_in * 1000
  return { token: access_token, expiry: expiryAt(end, issuedAt) }
})
