import * as HttpClientResponse from "@effect/platform/HttpClientResponse"
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Option from "effect/Option"
import * as Predicate from "effect/Predicate"
import type * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import { ConnectorError, fromUnknown, type Reason } from "../ConnectorError.ts"
import { clockDifference, isPassing } from "./serviceAnswer.ts"

export const CONNECTOR = "gcp"

export const misconfigured = (detail: string, resource?: string): ConnectorError =>
  new ConnectorError({ connector: CONNECTOR, reason: "misconfigured", resource, detail })

/** An answer of the service that lacks what was asked for. */
export const incompleteAnswer = (resource: string, what: string): ConnectorError =>
  new ConnectorError({ connector: CONNECTOR, reason: "unavailable", resource, detail: `the answer holds no ${what}` })

/** Whom a question is for, what was shown to the service, and what to look at when it refuses. */
export interface Question {
  readonly resource: string
  readonly secrets: ReadonlyArray<Redacted.Redacted>
  readonly advice: string
}

/** https://www.rfc-editor.org/rfc/rfc6749#section-5.2 */
const OAuthRefusal = Schema.Struct({
  error: Schema.String,
  error_description: Schema.optionalWith(Schema.String, { default: () => "" })
})

/** https://cloud.google.com/apis/design/errors#http_mapping */
const ApiRefusal = Schema.Struct({ error: Schema.Struct({ status: Schema.String, message: Schema.String }) })

const AnyRefusal = Schema.Union(OAuthRefusal, ApiRefusal)
const decodeRefusal = Schema.decodeUnknownEither(Schema.Union(AnyRefusal, Schema.parseJson(AnyRefusal)))

interface Refusal {
  readonly code: string
  readonly words: string
}

const refusalOf = (body: typeof AnyRefusal.Type): Refusal =>
  "error_description" in body
    ? { code: body.error, words: body.error_description }
    : { code: body.error.status, words: body.error.message }

const isRefused = /^(invalid_grant|invalid_client|unauthorized_client|access_denied|UNAUTHENTICATED|PERMISSION_DENIED)$/
const isOver = /\b(expired|stale|short-lived|reauth|revoked)\b/i

const reasonOf = (status: number, refusal: Option.Option<Refusal>): Reason => {
  if (Option.isSome(refusal) && isRefused.test(refusal.value.code)) {
    return refusal.value.code !== "PERMISSION_DENIED" && isOver.test(refusal.value.words) ? "expired" : "denied"
  }
  if (status === 401 || status === 403) return "denied"
  return status >= 400 && status < 500 ? "misconfigured" : "unavailable"
}

const detailOf = (status: number, refusal: Option.Option<Refusal>): string => {
  const said = Option.match(refusal, {
    onNone: () => "",
    onSome: ({ code, words }) => ` (${words === "" ? code : `${code}: ${words.replace(/\.$/, "")}`})`
  })
  return `Google answered ${status}${said}`
}

/** An answer by which a service of Google's refuses, as an error. */
export const refused = Effect.fnUntraced(function* (
  response: HttpClientResponse.HttpClientResponse,
  { advice, resource, secrets }: Question
) {
  const body = yield* Effect.option(HttpClientResponse.schemaBodyJson(AnyRefusal)(response))
  const refusal = Option.map(body, refusalOf)
  const reason = isPassing(response) ? "unavailable" : reasonOf(response.status, refusal)
  const isWronglyTimed = reason === "denied" || reason === "expired"
  const clock = isWronglyTimed ? clockDifference(response, yield* DateTime.now) : Option.none()
  const why = Option.getOrElse(clock, () => (reason === "unavailable" ? undefined : advice))
  const detail = `${detailOf(response.status, refusal)}${why === undefined ? "" : `; ${why}`}`
  return fromUnknown(detail, {
    connector: CONNECTOR,
    reason: Option.isSome(clock) ? "expired" : reason,
    resource,
    secrets
  })
})

const propertyOf = (value: unknown, name: string): unknown =>
  Predicate.hasProperty(value, name) ? value[name] : undefined

const numberOf = (value: unknown): number => (Predicate.isNumber(value) ? value : 0)

/** An error of Google's library that looked for the machine's identity: nobody was asked yet. */
export const fromSearch = (error: unknown, resource: string): ConnectorError =>
  // Its words quote what could not be parsed, and that is where a key stands.
  error instanceof SyntaxError
    ? misconfigured("the file of the default credentials is no JSON", resource)
    : fromUnknown(error, { connector: CONNECTOR, reason: "misconfigured", resource })

/** A file that can not be read, or a key that is none: the library keeps its question where it asked one. */
const isOfMachine = (error: unknown): boolean =>
  Predicate.hasProperty(error, "code") && !Predicate.hasProperty(error, "config")

const withoutAnswer = (error: unknown, resource: string): ConnectorError =>
  // Its words quote what the library could not read, and that is where a token stands.
  error instanceof TypeError
    ? incompleteAnswer(resource, "access token")
    : fromUnknown(error, {
        connector: CONNECTOR,
        reason: isOfMachine(error) ? "misconfigured" : "unavailable",
        resource
      })

/** An error of Google's library that asked for a token, without what was sent and received. */
export const fromQuestion = (error: unknown, resource: string): ConnectorError => {
  const answer = propertyOf(error, "response")
  const status = numberOf(propertyOf(answer, "status"))
  if (status === 0) return withoutAnswer(error, resource)
  const refusal = Option.map(Either.getRight(decodeRefusal(propertyOf(answer, "data"))), refusalOf)
  const passes = status >= 500 || status === 408 || status === 429
  const reason = passes ? "unavailable" : reasonOf(status, refusal)
  return fromUnknown(detailOf(status, refusal), { connector: CONNECTOR, reason, resource })
}
