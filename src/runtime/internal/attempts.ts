/**
 * The attempts of one push: each is the registry's own `pushImage`, watched for stalls; one schedule says which failure is
 * worth another.
 */
import type * as Clock from "effect/Clock"
import type * as Context from "effect/Context"
import * as DateTime from "effect/DateTime"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Random from "effect/Random"
import * as Schedule from "effect/Schedule"
import type { ImageSource } from "../../image/ImageSource.ts"
import { PushStalled, report } from "../../push/PushError.ts"
import type { AttemptEvent, PushEvent } from "../../push/PushEvent.ts"
import type { PushedImage, TransportKind } from "../../push/PushedImage.ts"
import type { RegistryCatalog } from "../../registry/RegistryCatalog.ts"
import type { PushFailure, SupervisedPush } from "./supervisedPush.ts"

export interface AttemptOptions {
  readonly catalog: Context.Tag.Service<RegistryCatalog>
  readonly clock: Clock.Clock
  readonly publish: (event: PushEvent) => void
  readonly retries: number
  readonly retryDelay: Duration.Duration
  readonly stallTimeout: Duration.Duration
}

/** No backoff of gantry's own is longer; a registry may ask for more. */
const MAXIMUM_RETRY_DELAY = Duration.minutes(1)

export const make = (options: AttemptOptions): ((push: SupervisedPush) => Effect.Effect<PushedImage, PushFailure>) => {
  const { catalog, clock, publish, stallTimeout } = options

  const attempt = (push: SupervisedPush) =>
    Effect.suspend(() => {
      push.attempts++
      const { platform, source, target } = push.request
      const watch = progressWatch(clock)
      const emit = (event: AttemptEvent) => {
        if (watch.isOpen()) {
          watch.see(event)
          publish({ ...event, pushId: push.id, at: DateTime.unsafeMake(clock.unsafeCurrentTimeMillis()) })
        }
      }
      return catalog.forImage(target).pipe(
        Effect.flatMap((registry) =>
          registry.pushImage(target, { source, platform: Option.getOrUndefined(platform), emit })
        ),
        Effect.raceFirst(stalled(push, watch)),
        Effect.onExit(() => watch.close)
      )
    })

  const stalled = (push: SupervisedPush, watch: ProgressWatch): Effect.Effect<never, PushStalled> =>
    Effect.suspend(() => {
      const patience = Duration.subtract(stallTimeout, watch.quietFor())
      return Duration.greaterThan(patience, Duration.zero)
        ? Effect.zipRight(Effect.sleep(patience), stalled(push, watch))
        : new PushStalled({
            image: push.target,
            transport: transportOf(push.request.source),
            quietFor: watch.quietFor()
          })
    })

  const schedule = (push: SupervisedPush) =>
    Schedule.exponential(options.retryDelay).pipe(
      Schedule.intersect(Schedule.recurs(options.retries)),
      Schedule.whileInput((error: PushFailure) => error.isRetryable),
      Schedule.passthrough,
      Schedule.modifyDelayEffect((error, backoff) =>
        Effect.map(Random.next, (fraction) => {
          const jittered = Duration.times(Duration.min(backoff, MAXIMUM_RETRY_DELAY), fraction)
          const delay = Duration.max(jittered, retryAfter(error))
          publish({
            _tag: "PushRetrying",
            pushId: push.id,
            at: DateTime.unsafeMake(clock.unsafeCurrentTimeMillis()),
            attempt: push.attempts + 1,
            delay,
            error: report(error)
          })
          return delay
        })
      )
    )

  return (push) => Effect.retry(attempt(push), schedule(push))
}

/** Docker's own images go through the engine, everything else directly. */
const transportOf = (source: ImageSource): TransportKind => (source._tag === "DockerSource" ? "engine" : "direct")

const retryAfter = (error: PushFailure): Duration.Duration =>
  error._tag === "RegistryRateLimited" || error._tag === "RegistryUnavailable"
    ? (error.retryAfter ?? Duration.zero)
    : Duration.zero

/**
 * Since when an attempt makes no progress. A byte count that grows and a layer's first outcome are progress; engines
 * repeat lines, and count down to their own retries, without any (reference/engine.md).
 */
interface ProgressWatch {
  readonly see: (event: AttemptEvent) => void
  readonly quietFor: () => Duration.Duration
  readonly isOpen: () => boolean
  readonly close: Effect.Effect<void>
}

const progressWatch = (clock: Clock.Clock): ProgressWatch => {
  const bytes = new Map<string, number>()
  const outcomes = new Set<string>()
  let movedAt = clock.unsafeCurrentTimeMillis()
  let open = true

  const isProgress = (event: AttemptEvent): boolean => {
    switch (event._tag) {
      case "LayerProgress": {
        // An engine that sends a layer again begins at zero, so a count is compared with the one before it.
        const grew = event.current > (bytes.get(event.layer) ?? 0)
        bytes.set(event.layer, event.current)
        return grew
      }
      case "LayerPushed": {
        const first = !outcomes.has(event.layer)
        outcomes.add(event.layer)
        return first
      }
      case "Reauthenticated":
        return false
    }
  }

  return {
    see: (event) => {
      if (isProgress(event)) {
        movedAt = clock.unsafeCurrentTimeMillis()
      }
    },
    quietFor: () => Duration.millis(clock.unsafeCurrentTimeMillis() - movedAt),
    isOpen: () => open,
    close: Effect.sync(() => {
      open = false
    })
  }
}
