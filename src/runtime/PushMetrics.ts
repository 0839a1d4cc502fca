/**
 * What supervised pushes count, for any reader of effect's metrics.
 *
 * Every metric has the label `gantry.registry` (the host), and those that say so one more, then those that the supervisor
 * was made with (`Effect.tagMetrics`); who reads one names its labels in this order. Metrics are the process's own: several
 * supervisors add to the same ones.
 *
 * @since 0.1.0
 */
import * as Metric from "effect/Metric"
import * as MetricBoundaries from "effect/MetricBoundaries"
import * as MetricKey from "effect/MetricKey"

const counter = (name: string, description: string) => Metric.counter(name, { description, incremental: true })

/** The label that effect's OpenTelemetry exporter takes for the unit. */
const unit = (name: string) => ["unit", name] as const

/**
 * `gantry.pushes`: pushes that have ended, by `gantry.push.outcome` (`pushed`, `unchanged`, `skipped`, `failed`,
 * `cancelled`, `crashed`).
 *
 * @since 0.1.0
 * @category metrics
 * @example
 * import { PushMetrics } from "gantry"
 * import { Metric } from "effect"
 *
 * export const failed = PushMetrics.pushes.pipe(
 *   Metric.tagged("gantry.registry", "registry.example.com"),
 *   Metric.tagged("gantry.push.outcome", "failed"),
 *   Metric.value
 * )
 */
export const pushes: Metric.Metric.Counter<number> = counter("gantry.pushes", "Pushes that have ended, by outcome")

/**
 * `gantry.pushes.in_flight`: pushes that have not ended, by `gantry.push.status` (`queued` until their first attempt, then
 * `running`).
 *
 * @since 0.1.0
 * @category metrics
 */
export const pushesInFlight: Metric.Metric.Gauge<number> = Metric.gauge("gantry.pushes.in_flight", {
  description: "Pushes that have not ended, by status"
})

/** An unchanged image takes a round trip, a small one seconds, a large layer on a slow line an hour. */
const seconds = [0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 600, 1800, 3600]

/**
 * `gantry.push.duration`: seconds from a push's first attempt to its end, retries and pauses included, by
 * `gantry.push.outcome`. A push that never started has none. The boundaries lie between 50 ms (an unchanged image takes one
 * round trip) and an hour.
 *
 * @since 0.1.0
 * @category metrics
 */
export const pushDuration: ReturnType<typeof Metric.histogram> = Metric.fromMetricKey(
  MetricKey.tagged(
    MetricKey.histogram(
      "gantry.push.duration",
      MetricBoundaries.fromIterable(seconds),
      "Time from a push's first attempt to its end, retries and pauses included, by outcome"
    ),
    ...unit("s")
  )
)

/**
 * `gantry.push.bytes`: compressed bytes of the layers of images that went through, by `gantry.layer.outcome` (`uploaded`,
 * `mounted`, `existing`). Bytes that nobody told count nowhere.
 *
 * @since 0.1.0
 * @category metrics
 */
export const pushBytes: Metric.Metric.Counter<number> = Metric.fromMetricKey(
  MetricKey.tagged(
    MetricKey.counter("gantry.push.bytes", {
      description: "Compressed bytes of pushed layers, by what became of them",
      incremental: true
    }),
    ...unit("By")
  )
)

/**
 * `gantry.push.retries`: attempts after the first, by `error.type`, the `_tag` of what the attempt before them failed with.
 *
 * @since 0.1.0
 * @category metrics
 */
export const pushRetries: Metric.Metric.Counter<number> = counter(
  "gantry.push.retries",
  "Attempts after the first, by the error that came before"
)

/**
 * `gantry.push.reauthentications`: credentials that were issued anew because the last one was refused or had expired.
 *
 * @since 0.1.0
 * @category metrics
 */
export const reauthentications: Metric.Metric.Counter<number> = counter(
  "gantry.push.reauthentications",
  "Credentials that were issued anew because the last one was refused or had expired"
)

/**
 * `gantry.registry.pauses`: how often a registry paused, by `gantry.pause.source` (`retry-after`, `estimate`). A pause that
 * is prolonged is one.
 *
 * @since 0.1.0
 * @category metrics
 */
export const registryPauses: Metric.Metric.Counter<number> = counter(
  "gantry.registry.pauses",
  "Times a registry paused because it asked for fewer requests"
)

/**
 * `gantry.registry.paused`: how many supervisors hold a registry paused now; with one it is 1 or 0.
 *
 * @since 0.1.0
 * @category metrics
 */
export const registryPaused: Metric.Metric.Gauge<number> = Metric.gauge("gantry.registry.paused", {
  description: "1 while a registry is paused, else 0"
})
