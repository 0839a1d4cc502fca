/**
 * How fast one registry host is worked.
 *
 * When it asks for fewer requests the host pauses, and its limit of pushes at once halves; eight pushes later, if it has
 * not asked again, the limit grows by one (https://www.rfc-editor.org/rfc/rfc5681#section-3.1 does so with a network).
 */
import type * as Clock from "effect/Clock"
import * as DateTime from "effect/DateTime"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type * as Fiber from "effect/Fiber"
import * as FiberId from "effect/FiberId"
import type { LazyArg } from "effect/Function"
import * as Option from "effect/Option"
import * as Random from "effect/Random"
import type { PushEvent } from "../../push/PushEvent.ts"
import type { ImageReference } from "../../reference/ImageReference.ts"
import type { Slowdown } from "./retryPolicy.ts"
import type { ThrottleInquiry } from "./throttleInquiry.ts"

export type RegistryPausedEvent = Extract<PushEvent, { readonly _tag: "RegistryPaused" }>

export interface RegistryPace {
  /** Pushes that may run at once: fewer than `concurrency` right after a pause, none in it. */
  readonly limit: LazyArg<number>
  readonly concurrency: LazyArg<number>
  /** The event that told of the pause, or of its last prolongation, while it lasts. */
  readonly pause: LazyArg<RegistryPausedEvent | undefined>
  /** The registry asked for fewer requests when `target` was pushed. */
  readonly slowDown: (slowdown: Slowdown, target: ImageReference) => void
  /** A push went through. */
  readonly succeeded: LazyArg<void>
}

export interface RegistryPaceOptions {
  readonly registry: string
  readonly clock: Clock.Clock
  readonly concurrency: number
  readonly fork: (effect: Effect.Effect<void>) => Fiber.RuntimeFiber<void>
  readonly publish: (event: PushEvent) => void
  readonly ask: ThrottleInquiry
  /** Whether a push waits for the pause to end. */
  readonly isAwaited: LazyArg<boolean>
  /** Called when `limit` may have changed. */
  readonly onChange: LazyArg<void>
}

const SUCCESSES_TO_GROW = 8

// An engine shows no header, so its pauses are guessed: reference/engine.md fact 11.
const FIRST_ESTIMATE = Duration.seconds(5)
const LONGEST_ESTIMATE = Duration.minutes(2)

/** `Retry-After` counts in seconds, and a date may have passed by this machine's clock. */
const SHORTEST_PAUSE = Duration.seconds(1)

/** After a pause one push starts at once and each other one within this time of the one before. */
const LONGEST_GAP = Duration.seconds(1)

interface Pause {
  readonly target: ImageReference
  /** The one that told of it, or of its last prolongation. */
  event: RegistryPausedEvent
}

export const endOf = ({ at, delay }: RegistryPausedEvent): DateTime.Utc => DateTime.addDuration(at, delay)

export const make = (options: RegistryPaceOptions): RegistryPace => {
  const { clock, registry } = options
  let concurrency = options.concurrency
  /** How many may run so shortly after a pause. */
  let opened = Number.POSITIVE_INFINITY
  let successes = 0
  let estimates = 0
  let paused: Pause | undefined
  let pacing: Fiber.RuntimeFiber<void> | undefined

  const now = () => DateTime.unsafeMake(clock.unsafeCurrentTimeMillis())

  const nextEstimate = () => {
    estimates++
    return Duration.min(Duration.times(FIRST_ESTIMATE, 2 ** (estimates - 1)), LONGEST_ESTIMATE)
  }

  const announce = ({ retryAfter }: Slowdown): RegistryPausedEvent => {
    const event: RegistryPausedEvent = {
      _tag: "RegistryPaused",
      at: now(),
      registry,
      ...Option.match(retryAfter, {
        onNone: () => ({ delay: nextEstimate(), source: "estimate" as const }),
        onSome: (asked) => ({ delay: Duration.max(asked, SHORTEST_PAUSE), source: "retry-after" as const })
      })
    }
    options.publish(event)
    options.onChange()
    return event
  }

  const left = (pause: Pause) => endOf(pause.event).epochMillis - clock.unsafeCurrentTimeMillis()

  const prolong = (pause: Pause, slowdown: Slowdown) => {
    pause.event = announce(slowdown)
  }

  /** However often it is prolonged meanwhile. */
  const elapse = (pause: Pause): Effect.Effect<void> =>
    Effect.suspend(() =>
      left(pause) > 0 ? Effect.zipRight(clock.sleep(Duration.millis(left(pause))), elapse(pause)) : Effect.void
    )

  /** The registry's own word is taken; a guess is put to it before anybody starts. */
  const wait = (pause: Pause): Effect.Effect<void> =>
    Effect.gen(function* () {
      yield* elapse(pause)
      if (pause.event.source === "estimate" && options.isAwaited()) {
        const slowdown = yield* options.ask(pause.target)
        if (Option.isSome(slowdown)) prolong(pause, slowdown.value)
        if (left(pause) > 0) yield* wait(pause)
      }
    })

  const openOneByOne = Effect.gen(function* () {
    while (opened < concurrency) {
      // Whole milliseconds are all that a clock knows.
      yield* clock.sleep(Duration.millis(Math.round(Duration.toMillis(LONGEST_GAP) * (yield* Random.next))))
      opened++
      options.onChange()
    }
    opened = Number.POSITIVE_INFINITY
  })

  const resume = Effect.sync(() => {
    paused = undefined
    opened = 1
    options.publish({ _tag: "RegistryResumed", at: now(), registry })
    options.onChange()
  })

  const begin = (slowdown: Slowdown, target: ImageReference) => {
    const pause: Pause = { target, event: announce(slowdown) }
    paused = pause
    concurrency = Math.max(1, Math.floor(concurrency / 2))
    successes = 0
    pacing?.unsafeInterruptAsFork(FiberId.none)
    pacing = options.fork(Effect.zipRight(wait(pause), Effect.zipRight(resume, openOneByOne)))
  }

  /** Another push that was under way is throttled: that is the same trouble, unless the registry names a later time. */
  const hear = (pause: Pause, slowdown: Slowdown) => {
    if (Option.exists(slowdown.retryAfter, (asked) => Duration.toMillis(asked) > left(pause))) {
      prolong(pause, slowdown)
    }
  }

  return {
    limit: () => (paused === undefined ? Math.min(concurrency, opened) : 0),
    concurrency: () => concurrency,
    pause: () => paused?.event,
    slowDown: (slowdown, target) => {
      if (paused === undefined) {
        begin(slowdown, target)
      } else {
        hear(paused, slowdown)
      }
    },
    succeeded: () => {
      // What was under way when the registry asked for less proves nothing.
      if (paused !== undefined) {
        return
      }
      estimates = 0
      if (concurrency === options.concurrency) {
        return
      }
      successes++
      if (successes === SUCCESSES_TO_GROW) {
        successes = 0
        concurrency++
        options.onChange()
      }
    }
  }
}
