/**
 * The one schedule of attempts: exponential, with full jitter, and never sooner than the registry asked for.
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

/** No backoff of gantry's own is longer; a registry may ask for more. */
const MAXIMUM_BACKOFF = Duration.minutes(1)

/** Whether a push that failed at its `attempts`th attempt gets another one. */
export const allows = (policy: RetryPolicy, attempts: number, error: PushFailure): boolean =>
  error.isRetryable && attempts <= policy.retries

/** How long to wait after the `attempts`th attempt, in whole milliseconds. */
export const delay = (policy: RetryPolicy, attempts: number, error: PushFailure): Effect.Effect<Duration.Duration> =>
  Effect.map(Random.next, (fraction) => {
    const backoff = Duration.min(Duration.times(policy.retryDelay, 2 ** (attempts - 1)), MAXIMUM_BACKOFF)
    const jittered = Duration.millis(Math.round(Duration.toMillis(backoff) * fraction))
    return Duration.max(
      jittered,
      Option.getOrElse(retryAfter(error), () => Duration.zero)
    )
  })

const retryAfter = (error: PushFailure): Option.Option<Duration.Duration> =>
  error._tag === "RegistryRateLimited" || error._tag === "RegistryUnavailable"
    ? Option.fromNullable(error.retryAfter)
    : Option.none()
