/**
 * Gives up what makes no progress: one fiber for all attempts, so that an attempt costs no timer.
 */
import type * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type { LazyArg } from "effect/Function"

export interface Watched {
  /** When it last made progress, in milliseconds of the Clock. */
  readonly movedAt: () => number
  readonly giveUp: LazyArg<void>
}

export interface StallWatchdog {
  readonly watch: (attempt: Watched) => void
  readonly leave: (attempt: Watched) => void
  readonly run: Effect.Effect<never>
}

export const make = (clock: Clock.Clock, timeout: Duration.Duration): StallWatchdog => {
  const patience = Duration.toMillis(timeout)
  const attempts = new Set<Watched>()
  const occupied = Effect.unsafeMakeLatch(false)

  const round = Effect.suspend(() => {
    if (attempts.size === 0) {
      occupied.unsafeClose()
      return occupied.await
    }
    const now = clock.unsafeCurrentTimeMillis()
    let next = Number.POSITIVE_INFINITY
    for (const attempt of attempts) {
      const deadline = attempt.movedAt() + patience
      if (deadline > now) {
        next = Math.min(next, deadline)
      } else {
        attempts.delete(attempt)
        attempt.giveUp()
      }
    }
    // A deadline only ever moves away, and one that comes later lies behind all of these: no need to wake before.
    return attempts.size === 0 ? Effect.void : clock.sleep(Duration.millis(next - now))
  })

  return {
    watch: (attempt) => {
      attempts.add(attempt)
      occupied.unsafeOpen()
    },
    leave: (attempt) => {
      attempts.delete(attempt)
    },
    run: Effect.forever(round)
  }
}
