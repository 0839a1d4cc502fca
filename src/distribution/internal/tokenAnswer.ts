import * as Duration from "effect/Duration"
import * as Either from "effect/Either"
import * as Encoding from "effect/Encoding"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import type { Access, Token } from "../TokenSource.ts"
import { parseScope } from "./scope.ts"

export interface TokenAnswer {
  readonly token: Token
  /** A refresh token that replaces the one that was sent. */
  readonly refreshToken: Option.Option<Redacted.Redacted>
}

const optional = <A, I>(schema: Schema.Schema<A, I>) => Schema.optionalWith(schema, { nullable: true, as: "Option" })

// Anything a header can carry: https://www.rfc-editor.org/rfc/rfc6750#section-2.1, and real tokens are less strict.
const TokenText = Schema.String.pipe(Schema.pattern(/^[\x21-\x7e]+$/))

// https://distribution.github.io/distribution/spec/auth/token/#token-response-fields and .../auth/oauth/
const Answer = Schema.Struct({
  token: optional(TokenText),
  access_token: optional(TokenText),
  expires_in: optional(Schema.Union(Schema.Finite, Schema.NumberFromString)),
  issued_at: optional(Schema.String),
  refresh_token: optional(TokenText),
  scope: optional(Schema.String)
})

const Claims = Schema.Struct({
  exp: optional(Schema.Finite),
  access: optional(
    Schema.Array(Schema.Struct({ type: Schema.String, name: Schema.String, actions: Schema.Array(Schema.String) }))
  )
})

const AnswerText = Schema.parseJson(Answer)
const ClaimsText = Schema.parseJson(Claims)

/** What a JWT claims, read without a look at its signature: the registry checks that. */
const readClaims = (token: string): Option.Option<typeof Claims.Type> => {
  const [, payload, signature] = token.split(".")
  return payload === undefined || signature === undefined
    ? Option.none()
    : Option.flatMap(Either.getRight(Encoding.decodeBase64UrlString(payload)), (text) =>
        Schema.decodeOption(ClaimsText)(text)
      )
}

/** What a bearer token allows, when it is a token that says so. */
export const grantedBy = (token: string): Option.Option<ReadonlyArray<Access>> =>
  Option.flatMap(readClaims(token), (claims) => claims.access)

// The specification's default for an answer that does not say.
const DEFAULT_LIFETIME = Duration.toMillis("60 seconds")

/** The earliest end that anything in the answer names; without a word the default counts. */
const expiryOf = (
  answer: typeof Answer.Type,
  claims: Option.Option<typeof Claims.Type>,
  receivedAt: number
): number => {
  // The server's clock may be ahead of this one.
  const issuedAt = Option.match(answer.issued_at, {
    onNone: () => receivedAt,
    onSome: (text) => Math.min(receivedAt, Date.parse(text) || receivedAt)
  })
  const ends = [
    ...Option.toArray(Option.map(answer.expires_in, (seconds) => issuedAt + seconds * 1000)),
    ...Option.toArray(
      Option.map(
        Option.flatMap(claims, ({ exp }) => exp),
        (seconds) => seconds * 1000
      )
    )
  ]
  return ends.length === 0 ? issuedAt + DEFAULT_LIFETIME : Math.min(...ends)
}

const MAXIMUM_MARGIN = Duration.toMillis("60 seconds")

/**
 * Reads a token server's answer; none when it holds no token. The last quarter of a token's life, at most a minute, is
 * left unused: the request it goes with takes time too.
 */
export const readTokenAnswer = (body: string, receivedAt: number): Option.Option<TokenAnswer> =>
  Option.gen(function* () {
    const answer = yield* Schema.decodeOption(AnswerText)(body)
    const text = yield* Option.orElse(answer.token, () => answer.access_token)
    const claims = readClaims(text)
    const expiresAt = expiryOf(answer, claims, receivedAt)
    const scopes = Option.map(answer.scope, (list) => list.split(" ").flatMap((scope) => parseScope(scope) ?? []))
    return {
      token: {
        value: Redacted.make(text),
        renewAt: expiresAt - Math.min(MAXIMUM_MARGIN, (expiresAt - receivedAt) / 4),
        granted: Option.orElse(
          Option.flatMap(claims, ({ access }) => access),
          () => scopes
        )
      },
      refreshToken: Option.map(answer.refresh_token, Redacted.make)
    }
  })

/** The tokens in a token server's answer, which nobody may repeat; none in another answer. */
export const tokensIn = (body: string): ReadonlyArray<string> =>
  Option.match(Schema.decodeOption(AnswerText)(body), {
    onNone: () => [],
    onSome: ({ access_token, refresh_token, token }) => [token, access_token, refresh_token].flatMap(Option.toArray)
  })

const STAND_IN = "redacted"

/**
 * A token server's answer without its tokens, which lets gantry do as it would with them: it allows the same for as long.
 * None when the answer holds no token.
 */
export const standIn = (body: string, receivedAt: number): Option.Option<object> =>
  Option.gen(function* () {
    const answer = yield* Schema.decodeOption(AnswerText)(body)
    const { refreshToken, token } = yield* readTokenAnswer(body, receivedAt)
    const granted = Option.map(token.granted, (access) =>
      access.map(({ actions, name, type }) => `${type}:${name}:${actions.join(",")}`).join(" ")
    )
    const expiresAt = expiryOf(answer, readClaims(Redacted.value(token.value)), receivedAt)
    return {
      token: STAND_IN,
      expires_in: (expiresAt - receivedAt) / 1000,
      ...Option.match(granted, { onNone: () => ({}), onSome: (scope) => ({ scope }) }),
      ...Option.match(refreshToken, { onNone: () => ({}), onSome: () => ({ refresh_token: STAND_IN }) })
    }
  })
