import type * as HttpClientError from "@effect/platform/HttpClientError"
import type * as HttpClientResponse from "@effect/platform/HttpClientResponse"
import * as DateTime from "effect/DateTime"
import * as Duration from "effect/Duration"
import * as Option from "effect/Option"
import * as Predicate from "effect/Predicate"

/** What a client's error says least about, and what it was about: the system's own error, deep within. */
export const rootCause = (error: HttpClientError.HttpClientError): unknown => {
  let cause: unknown = error
  while (Predicate.hasProperty(cause, "cause") && Predicate.isNotNullable(cause.cause)) cause = cause.cause
  return error._tag === "RequestError" ? cause : error
}

/** Whether the same request may be answered later: a fault of the service, or too many requests at once. */
export const isPassing = ({ headers, status }: HttpClientResponse.HttpClientResponse): boolean =>
  status >= 500 ||
  status === 408 ||
  status === 429 ||
  (status === 403 && (headers["retry-after"] !== undefined || headers["x-ratelimit-remaining"] === "0"))

const LARGEST_DIFFERENCE = Duration.toMillis("60 seconds")

/** How far this machine's clock is off, by a service's answer, when that is more than a signature may be off. */
export const clockDifference = (
  { headers }: Pick<HttpClientResponse.HttpClientResponse, "headers">,
  now: DateTime.Utc
): Option.Option<string> =>
  Option.fromNullable(headers["date"]).pipe(
    Option.flatMap((text) => DateTime.make(Date.parse(text))),
    Option.map((theirs) => DateTime.distance(theirs, now)),
    Option.filter((difference) => Math.abs(difference) > LARGEST_DIFFERENCE),
    Option.map(
      (difference) =>
        `this machine's clock is ${Duration.format(Duration.millis(Math.abs(difference)))} ${difference > 0 ? "ahead" : "behind"}`
    )
  )
