/**
 * The attempts of one push: a fiber for each, so that a stalled one can be interrupted while its push lives on, and none
 * between, so that a push without trouble costs one fiber.
 */
import * as Cause from "effect/Cause"
import type * as Clock from "effect/Clock"
import type * as Context from "effect/Context"
import * as DateTime from "effect/DateTime"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type * as Fiber from "effect/Fiber"
import * as FiberId from "effect/FiberId"
import type { LazyArg } from "effect/Function"
import * as Option from "effect/Option"
import { PushStalled, report } from "../../push/PushError.ts"
import type { AttemptEvent, PushEvent } from "../../push/PushEvent.ts"
import { type PushedImage, transportOf } from "../../push/PushedImage.ts"
import type { RegistryCatalog } from "../../registry/RegistryCatalog.ts"
import * as Attributes from "./attributes.ts"
import * as ProgressWatch from "./progressWatch.ts"
import * as RegistryPace from "./registryPace.ts"
import type { RetryBudget } from "./retryBudget.ts"
import * as RetryPolicy from "./retryPolicy.ts"
import type { StallWatchdog, Watched } from "./stallWatchdog.ts"
import type { PushFailure, SupervisedPush } from "./supervisedPush.ts"

export interface AttemptsOptions extends RetryPolicy.RetryPolicy {
  readonly catalog: Context.Tag.Service<RegistryCatalog>
  readonly clock: Clock.Clock
  readonly fork: <A, E>(effect: Effect.Effect<A, E>) => Fiber.RuntimeFiber<A, E>
  readonly publish: (event: PushEvent) => void
  readonly stallTimeout: Duration.Duration
  readonly watchdog: StallWatchdog
}

/** What all pushes to one registry share. */
export interface Manners {
  readonly pace: RegistryPace.RegistryPace
  readonly budget: RetryBudget
}

type OnEnd = (exit: Exit.Exit<PushedImage, PushFailure>) => void

export interface AttemptsEnd {
  readonly onEnd: OnEnd
  /** Another attempt is worth it, as soon as the registry is not paused: run the push again then. */
  readonly onPostpone: LazyArg<void>
}

export type RunAttempts = (push: SupervisedPush, manners: Manners, end: AttemptsEnd) => void

/** Runs a push's attempts until one succeeds, no other is worth it, or the registry is paused. */
export const make = (options: AttemptsOptions): RunAttempts => {
  const { catalog, clock, fork, publish, watchdog } = options

  const now = () => DateTime.unsafeMake(clock.unsafeCurrentTimeMillis())

  const attempt = (push: SupervisedPush, onEnd: OnEnd) => {
    const { onExisting, platform, source, target } = push.request
    const progress = ProgressWatch.make(clock)
    let stalled = false
    let ended = false

    const emit = (event: AttemptEvent) => {
      if (!ended) {
        progress.see(event)
        publish({ ...event, pushId: push.id, at: now() })
      }
    }

    push.attempts++
    const fiber = fork(
      Effect.flatMap(catalog.forImage(target), (registry) =>
        registry.pushImage(target, { source, platform: Option.getOrUndefined(platform), onExisting, emit })
      ).pipe(
        asChildOf(push),
        Effect.annotateLogs({ [Attributes.PUSH_ID]: push.id, [Attributes.REGISTRY]: target.registry })
      )
    )
    push.fiber = fiber
    const watched: Watched = {
      movedAt: progress.movedAt,
      giveUp: () => {
        stalled = true
        fiber.unsafeInterruptAsFork(FiberId.none)
      }
    }
    watchdog.watch(watched)
    fiber.addObserver((exit) => {
      ended = true
      watchdog.leave(watched)
      onEnd(stalled && Exit.isInterrupted(exit) ? Exit.fail(stall(push)) : exit)
    })
  }

  const stall = (push: SupervisedPush) =>
    new PushStalled({
      image: push.target,
      transport: transportOf(push.request.source),
      quietFor: options.stallTimeout
    })

  const tellRetry = (push: SupervisedPush, error: PushFailure, delay: Duration.Duration) =>
    publish({
      _tag: "PushRetrying",
      pushId: push.id,
      at: now(),
      attempt: push.attempts + 1,
      delay,
      error: report(error)
    })

  const backoff = (push: SupervisedPush, error: PushFailure) =>
    RetryPolicy.delay(options, push.attempts).pipe(
      Effect.tap((delay) => Effect.sync(() => tellRetry(push, error, delay))),
      Effect.flatMap((delay) => Effect.sleep(delay))
    )

  return (push, { budget, pace }, { onEnd, onPostpone }) => {
    const next = () => attempt(push, conclude)

    const conclude: OnEnd = (exit) => {
      if (Exit.isSuccess(exit)) {
        pace.succeeded()
        budget.refund(push.attempts)
        return onEnd(exit)
      }
      const failure = Cause.failureOption(exit.cause)
      return Option.isNone(failure) ? onEnd(exit) : afterFailure(failure.value, exit)
    }

    const afterFailure = (error: PushFailure, exit: Exit.Exit<PushedImage, PushFailure>) => {
      const slowdown = RetryPolicy.slowdownOf(error)
      if (Option.isSome(slowdown)) {
        pace.slowDown(slowdown.value, push.request.target)
      }
      if (!RetryPolicy.allows(options, push.attempts, error)) {
        return onEnd(exit)
      }
      if (push.stopReason !== undefined) {
        // It failed while it was being stopped, and what would have been tried again did not fail for good.
        return onEnd(Exit.interrupt(FiberId.none))
      }
      if (!budget.take()) {
        push.outOfBudget = true
        return onEnd(exit)
      }
      const pause = pace.pause()
      if (pause === undefined) {
        return tryAgain(error)
      }
      // The pause is its backoff.
      tellRetry(push, error, DateTime.distanceDuration(now(), RegistryPace.endOf(pause)))
      onPostpone()
    }

    const tryAgain = (error: PushFailure) => {
      const waiting = fork(backoff(push, error))
      push.fiber = waiting
      waiting.addObserver((exit) => {
        if (Exit.isFailure(exit)) {
          onEnd(Exit.failCause(exit.cause))
        } else if (pace.pause() === undefined) {
          next()
        } else {
          onPostpone()
        }
      })
    }

    next()
  }
}

/** A push that nobody traces is not to wait for spans. */
const asChildOf =
  ({ attempts, span }: SupervisedPush) =>
  <A, E>(attempt: Effect.Effect<A, E>): Effect.Effect<A, E> =>
    span === undefined
      ? attempt
      : Effect.withSpan(attempt, "PushSupervisor.attempt", {
          parent: span,
          attributes: { [Attributes.ATTEMPT]: attempts },
          captureStackTrace: false
        })
