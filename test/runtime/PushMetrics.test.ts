import { assert, describe, it } from "@effect/vitest"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Metric from "effect/Metric"
import * as MetricState from "effect/MetricState"
import * as Option from "effect/Option"
import * as TestClock from "effect/TestClock"
import { RegistryRateLimited, RegistryUnavailable } from "../../src/distribution/RegistryError.ts"
import { ImageNotFound } from "../../src/push/PushError.ts"
import * as PushMetrics from "../../src/runtime/PushMetrics.ts"
import { PushSupervisor } from "../../src/runtime/PushSupervisor.ts"
import * as TestTransport from "../../src/testing/TestTransport.ts"
import { request, supervised } from "../support/supervisor.ts"

const registry = "a.example.com"

const app = (tag: string) => request(`${registry}/app:${tag}`)

const unavailable = new RegistryUnavailable({ registry, text: "", reason: "status" })

const throttled = (retryAfter: Duration.DurationInput) =>
  new RegistryRateLimited({ registry, text: "", retryAfter: Duration.decode(retryAfter) })

/** Metrics are the process's own: each test has its own label, which the supervisor's fibers inherit. */
const apart =
  (test: string) =>
  <A, E, R>(effect: Effect.Effect<A, E, R>) =>
    Effect.tagMetrics(effect, "test", test)

/** Every metric of a test as `NAME LABEL…`, without those labels that all have. */
const snapshot = (test: string) =>
  Effect.map(Metric.snapshot, (pairs) =>
    Object.fromEntries(
      pairs.flatMap(({ metricKey: { name, tags }, metricState }) => {
        if (!name.startsWith("gantry.") || !tags.some(({ key, value }) => key === "test" && value === test)) return []
        const shown = tags.filter(({ key }) => !["test", "unit", "gantry.registry"].includes(key))
        return [[[name, ...shown.map(({ value }) => value)].join(" "), valueOf(metricState)]]
      })
    )
  )

const valueOf = (state: MetricState.MetricState.Untyped): unknown => {
  if (MetricState.isCounterState(state)) return state.count
  if (MetricState.isGaugeState(state)) return state.value
  return MetricState.isHistogramState(state) ? [state.count, state.sum] : state
}

describe("what pushes count", () => {
  it.effect("is each outcome, how long it took, and the bytes of what went through", () =>
    Effect.gen(function* () {
      const supervisor = yield* PushSupervisor
      const tags = ["pushed", "unchanged", "failed", "crashed"]
      yield* Effect.fork(Effect.exit(supervisor.pushAll(tags.map(app))))
      const cancelled = yield* supervisor.submit(app("cancelled"))
      yield* TestClock.adjust("2 seconds")
      yield* cancelled.cancel
      assert.deepStrictEqual(yield* snapshot("outcomes"), {
        "gantry.pushes pushed": 1,
        "gantry.pushes unchanged": 1,
        "gantry.pushes failed": 1,
        "gantry.pushes crashed": 1,
        "gantry.pushes cancelled": 1,
        "gantry.push.duration pushed": [1, 1],
        "gantry.push.duration unchanged": [1, 1],
        "gantry.push.duration failed": [1, 1],
        "gantry.push.duration crashed": [1, 1],
        "gantry.push.duration cancelled": [1, 2],
        "gantry.push.bytes uploaded": 70,
        "gantry.push.bytes mounted": 20,
        "gantry.push.bytes existing": 105,
        "gantry.pushes.in_flight queued": 0,
        "gantry.pushes.in_flight running": 0
      })
    }).pipe(
      Effect.provide(
        supervised(({ target }) => {
          const tag = Option.getOrThrow(target.tag)
          const answers = {
            pushed: Effect.succeed(TestTransport.result({ bytesUploaded: 70, bytesMounted: 20, bytesExisting: 10 })),
            unchanged: Effect.succeed(TestTransport.result({ status: "unchanged", bytesExisting: 95 })),
            failed: new ImageNotFound({ image: "app", where: "the engine" }),
            crashed: Effect.die("broken")
          }
          const answer = Object.entries(answers).find(([name]) => name === tag)?.[1] ?? Effect.never
          return Effect.delay(answer, "1 second")
        })
      ),
      apart("outcomes"),
      Effect.scoped
    )
  )

  it.effect("is how many wait and run, and no time of those that never ran", () =>
    Effect.gen(function* () {
      const supervisor = yield* PushSupervisor
      const handles = yield* supervisor.submitAll(["1", "2", "3"].map(app))
      yield* TestClock.adjust("1 second")
      const inFlight = (status: string) =>
        PushMetrics.pushesInFlight.pipe(
          Metric.tagged("gantry.registry", registry),
          Metric.tagged("gantry.push.status", status),
          Metric.value,
          Effect.map(({ value }) => value)
        )
      assert.deepStrictEqual([yield* inFlight("queued"), yield* inFlight("running")], [1, 2])
      yield* Effect.forEach(handles.toReversed(), ({ cancel }) => cancel)
      const counted = yield* snapshot("in flight")
      assert.deepStrictEqual([yield* inFlight("queued"), yield* inFlight("running")], [0, 0])
      assert.deepStrictEqual(counted["gantry.pushes cancelled"], 3)
      assert.deepStrictEqual(counted["gantry.push.duration cancelled"], [2, 2])
    }).pipe(Effect.provide(supervised(() => Effect.never, { concurrency: 2 })), apart("in flight"), Effect.scoped)
  )

  it.effect("is each retry by its reason, and each credential that was issued anew", () =>
    Effect.gen(function* () {
      const supervisor = yield* PushSupervisor
      yield* Effect.fork(supervisor.push(app("1")))
      yield* TestClock.adjust("1 minute")
      const counted = yield* snapshot("retries")
      assert.strictEqual(counted["gantry.push.retries RegistryUnavailable"], 2)
      assert.strictEqual(counted["gantry.push.reauthentications"], 3)
      assert.strictEqual(counted["gantry.pushes pushed"], 1)
    }).pipe(
      Effect.provide(
        supervised(({ attempt, emit }) => {
          emit({ _tag: "Reauthenticated", registry, origin: "a test" })
          return attempt < 3 ? unavailable : Effect.succeed(TestTransport.result())
        })
      ),
      apart("retries"),
      Effect.scoped
    )
  )

  it.effect("is each pause once, however often it is prolonged, and whether it lasts", () =>
    Effect.gen(function* () {
      const supervisor = yield* PushSupervisor
      yield* Effect.fork(supervisor.pushAll(["1", "2"].map(app)))
      yield* TestClock.adjust("2 seconds")
      const paused = yield* snapshot("pauses")
      assert.strictEqual(paused["gantry.registry.pauses retry-after"], 1)
      assert.strictEqual(paused["gantry.registry.paused"], 1)
      yield* TestClock.adjust("1 minute")
      const resumed = yield* snapshot("pauses")
      assert.strictEqual(resumed["gantry.registry.pauses retry-after"], 1)
      assert.strictEqual(resumed["gantry.registry.paused"], 0)
      assert.strictEqual(resumed["gantry.push.retries RegistryRateLimited"], 2)
    }).pipe(
      Effect.provide(
        supervised(({ attempt, target }) => {
          if (attempt > 1) return Effect.succeed(TestTransport.result())
          const isFirst = Option.contains(target.tag, "1")
          return Effect.delay(throttled(isFirst ? "10 seconds" : "30 seconds"), isFirst ? "1 second" : "1500 millis")
        })
      ),
      apart("pauses"),
      Effect.scoped
    )
  )

  it.effect("forgets a pause that its supervisor does not outlive", () =>
    Effect.gen(function* () {
      yield* Effect.gen(function* () {
        const supervisor = yield* PushSupervisor
        yield* Effect.exit(supervisor.push(app("1")))
        assert.strictEqual((yield* snapshot("drained"))["gantry.registry.paused"], 1)
      }).pipe(Effect.provide(supervised(() => throttled("1 hour"), { retries: 0 })))
      assert.strictEqual((yield* snapshot("drained"))["gantry.registry.paused"], 0)
    }).pipe(apart("drained"))
  )
})
