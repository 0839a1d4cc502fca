/**
 * The one schedule of attempts: exponential, with full jitter. A registry that asks for fewer requests has its own
 * (registryPace.ts).
 */
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Random from "effect/Random"
import type { PushFailure } from "./supervisedPush.ts"

export interface RetryPolicy {
  /** Attempts after the first. */
  readonly retries: number
  /** The longest wait before the first of them. */
  readonly retryDelay: Duration.Duration
}

const MAXIMUM_BACKOFF = Duration.minutes(1)

/** Whether a push that failed at its `attempts`th attempt gets another one. */
export const allows = (policy: RetryPolicy, attempts: number, error: PushFailure): boolean =>
  error.isRetryable && attempts <= policy.retries

/** How long to wait after the `attempts`th attempt, in whole milliseconds. */
export const delay = (policy: RetryPolicy, attempts: number): Effect.Effect<Duration.Duration> =>
  Effect.map(Random.next, (fraction) => {
    const backoff = Duration.min(Duration.times(policy.retryDelay, 2 ** (attempts - 1)), MAXIMUM_BACKOFF)
    return Duration.millis(Math.round(Duration.toMillis(backoff) * fraction))
  })

/** A registry's wish for fewer requests, and when to come back if it said: an engine hides that. */
export interface Slowdown {
  readonly retryAfter: Option.Option<Duration.Duration>
}

/** Amazon's registry throttles with 503 as well as 429: https://github.com/moby/moby/issues/24473 */
export const slowdownOf = (error: PushFailure): Option.Option<Slowdown> => {
  switch (error._tag) {
    case "RegistryRateLimited":
      return Option.some({ retryAfter: Option.fromNullable(error.retryAfter) })
    case "RegistryUnavailable":
      return error.retryAfter === undefined ? Option.none() : Option.some({ retryAfter: Option.some(error.retryAfter) })
    default:
      return Option.none()
  }
}
