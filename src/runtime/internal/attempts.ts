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
import * as Option from "effect/Option"
import type { ImageSource } from "../../image/ImageSource.ts"
import { PushStalled, report } from "../../push/PushError.ts"
import type { AttemptEvent, PushEvent } from "../../push/PushEvent.ts"
import type { PushedImage, TransportKind } from "../../push/PushedImage.ts"
import type { RegistryCatalog } from "../../registry/RegistryCatalog.ts"
import * as ProgressWatch from "./progressWatch.ts"
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

type OnEnd = (exit: Exit.Exit<PushedImage, PushFailure>) => void

/** Runs a push's attempts until one succeeds or no other is worth it. */
export const make = (options: AttemptsOptions): ((push: SupervisedPush, onEnd: OnEnd) => void) => {
  const { catalog, clock, fork, publish, watchdog } = options

  const now = () => DateTime.unsafeMake(clock.unsafeCurrentTimeMillis())

  const attempt = (push: SupervisedPush, onEnd: OnEnd) => {
    const { platform, source, target } = push.request
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
        registry.pushImage(target, { source, platform: Option.getOrUndefined(platform), emit })
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

  const backoff = (push: SupervisedPush, error: PushFailure) =>
    RetryPolicy.delay(options, push.attempts, error).pipe(
      Effect.tap((delay) =>
        Effect.sync(() =>
          publish({
            _tag: "PushRetrying",
            pushId: push.id,
            at: now(),
            attempt: push.attempts + 1,
            delay,
            error: report(error)
          })
        )
      ),
      Effect.flatMap((delay) => Effect.sleep(delay))
    )

  return (push, onEnd) => {
    const next = () => attempt(push, conclude)

    const conclude: OnEnd = (exit) => {
      const error = Exit.isFailure(exit) ? Cause.failureOption(exit.cause) : Option.none()
      if (Option.isNone(error) || !RetryPolicy.allows(options, push.attempts, error.value)) {
        return onEnd(exit)
      }
      if (push.stopReason !== undefined) {
        // It failed while it was being stopped, and what would have been tried again did not fail for good.
        return onEnd(Exit.interrupt(FiberId.none))
      }
      const waiting = fork(backoff(push, error.value))
      push.fiber = waiting
      waiting.addObserver((exit) => (Exit.isSuccess(exit) ? next() : onEnd(Exit.failCause(exit.cause))))
    }

    next()
  }
}

/** Docker's own images go through the engine, everything else directly. */
const transportOf = (source: ImageSource): TransportKind => (source._tag === "DockerSource" ? "engine" : "direct")
