import { assert, describe, it } from "@effect/vitest"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Fiber from "effect/Fiber"
import * as Random from "effect/Random"
import * as Stream from "effect/Stream"
import * as TestClock from "effect/TestClock"
import { RegistryRateLimited, RegistryUnavailable } from "../../src/distribution/RegistryError.ts"
import { EngineEvent } from "../../src/engine/EngineStream.ts"
import * as Source from "../../src/image/ImageSource.ts"
import { ImageNotFound, PushStalled } from "../../src/push/PushError.ts"
import type { AttemptEvent } from "../../src/push/PushEvent.ts"
import * as PushRequest from "../../src/push/PushRequest.ts"
import * as ImageReference from "../../src/reference/ImageReference.ts"
import { PushSupervisor } from "../../src/runtime/PushSupervisor.ts"
import * as TestEngine from "../../src/testing/TestEngine.ts"
import * as TestTransport from "../../src/testing/TestTransport.ts"
import * as TestWorld from "../../src/testing/TestWorld.ts"
import { recordedEvents, request, supervised, tags, timeline } from "../support/supervisor.ts"

const app = request("a.example.com/app:1")

const unavailable = (retryAfter?: Duration.DurationInput) =>
  new RegistryUnavailable({
    registry: "a.example.com",
    text: "",
    reason: "status",
    ...(retryAfter === undefined ? {} : { retryAfter: Duration.decode(retryAfter) })
  })

const throttled = (retryAfter: Duration.DurationInput) =>
  new RegistryRateLimited({ registry: "a.example.com", text: "", retryAfter: Duration.decode(retryAfter) })

/** A Random whose every draw is the same part of one. */
const drawing = (fraction: number) => Effect.withRandom(Random.fixed([fraction]))

const layer = (text: string): PushRequest.PushRequest =>
  PushRequest.make({
    target: ImageReference.unsafeParse("a.example.com/app:1"),
    source: new Source.OciLayoutSource({ path: text, tag: ImageReference.unsafeParse("app:1").tag })
  })

/** Emits one event every minute. */
const everyMinute = (emit: (event: AttemptEvent) => void, events: ReadonlyArray<AttemptEvent>) =>
  Effect.forEach(events, (event) =>
    Effect.andThen(
      Effect.sleep("1 minute"),
      Effect.sync(() => emit(event))
    )
  )

const progress = (current: number, name = "layer-1"): AttemptEvent => ({
  _tag: "LayerProgress",
  layer: name,
  current,
  total: 100
})

const pushed: AttemptEvent = { _tag: "LayerPushed", layer: "layer-1", outcome: "uploaded" }

describe("PushSupervisor's attempts", () => {
  it.scoped("the image says how many there were and how long the whole push took", () =>
    Effect.gen(function* () {
      const supervisor = yield* PushSupervisor
      const pushing = yield* Effect.fork(supervisor.push(app))
      yield* TestClock.adjust("1 minute")
      const image = yield* Fiber.join(pushing)
      // Three attempts of a second each, and waits of half of 1 s and half of 2 s.
      assert.strictEqual(image.attempts, 3)
      assert.strictEqual(Duration.toMillis(image.duration), 4500)
    }).pipe(
      Effect.provide(
        supervised((call) =>
          Effect.delay(call.attempt < 3 ? unavailable() : Effect.succeed(TestTransport.result()), "1 second")
        )
      ),
      drawing(0.5)
    )
  )

  it.scoped("each retry is an event with its number, its delay and its reason", () =>
    Effect.gen(function* () {
      const supervisor = yield* PushSupervisor
      const events = yield* recordedEvents
      const failing = yield* Effect.fork(Effect.flip(supervisor.push(app)))
      yield* TestClock.adjust("1 hour")
      assert.strictEqual((yield* Fiber.join(failing))._tag, "RegistryUnavailable")
      yield* supervisor.drain
      const seen = yield* events
      assert.deepStrictEqual(timeline(seen), [
        "0 PushQueued",
        "0 PushStarted",
        "0 PushRetrying",
        "2000 PushRetrying",
        "6000 PushRetrying",
        "14000 PushFailed",
        "3600000 RuntimeDrained"
      ])
      const retries = seen.filter((event) => event._tag === "PushRetrying")
      assert.deepStrictEqual(
        retries.map((event) => [event.attempt, Duration.toMillis(event.delay), event.error._tag]),
        [
          [2, 2000, "RegistryUnavailable"],
          [3, 4000, "RegistryUnavailable"],
          [4, 8000, "RegistryUnavailable"]
        ]
      )
      const failed = seen.find((event) => event._tag === "PushFailed")
      assert.deepStrictEqual([failed?.attempts, failed?.error.transient], [4, true])
    }).pipe(Effect.provide(supervised(() => unavailable(), { retries: 3, retryDelay: "2 seconds" })), drawing(1))
  )

  it.scoped("the backoff is anything from nothing to the whole, and a minute at most", () =>
    Effect.gen(function* () {
      const supervisor = yield* PushSupervisor
      const events = yield* recordedEvents
      const failing = yield* Effect.fork(Effect.flip(supervisor.push(app)))
      yield* TestClock.adjust("1 day")
      yield* Fiber.join(failing)
      yield* supervisor.drain
      const delays = (yield* events)
        .filter((event) => event._tag === "PushRetrying")
        .map((event) => Duration.toMillis(event.delay))
      delays.forEach((delay, index) => {
        assert.isTrue(delay >= 0 && delay <= Math.min(1000 * 2 ** index, 60_000), `${index}: ${delay}`)
      })
      assert.strictEqual(new Set(delays).size, delays.length)
    }).pipe(Effect.provide(supervised(() => unavailable(), { retries: 20 })), Effect.withRandom(Random.make("a seed")))
  )

  it.scoped("a registry that says when to come back is not asked sooner", () =>
    Effect.gen(function* () {
      const supervisor = yield* PushSupervisor
      const transport = yield* TestTransport.TestTransport
      const pushing = yield* Effect.fork(supervisor.push(app))
      yield* TestClock.adjust("89999 millis")
      assert.strictEqual((yield* transport.calls).length, 1)
      yield* TestClock.adjust("1 millis")
      assert.strictEqual((yield* transport.calls).length, 2)
      yield* TestClock.adjust("2 seconds")
      assert.strictEqual((yield* transport.calls).length, 3)
      yield* Fiber.join(pushing)
    }).pipe(
      Effect.provide(
        supervised((call) =>
          call.attempt === 1
            ? throttled("90 seconds")
            : call.attempt === 2
              ? unavailable("1 millis")
              : Effect.succeed(TestTransport.result())
        )
      ),
      drawing(1)
    )
  )

  it.scoped("what will not pass by itself is tried once", () =>
    Effect.gen(function* () {
      const supervisor = yield* PushSupervisor
      const transport = yield* TestTransport.TestTransport
      const error = yield* Effect.flip(supervisor.push(app))
      assert.strictEqual(error._tag, "ImageNotFound")
      assert.strictEqual((yield* transport.calls).length, 1)
    }).pipe(Effect.provide(supervised(() => new ImageNotFound({ image: "app:1", where: "the engine" }))))
  )

  it.scoped("a push keeps its place while it waits for its next attempt", () =>
    Effect.gen(function* () {
      const supervisor = yield* PushSupervisor
      const transport = yield* TestTransport.TestTransport
      yield* supervisor.submitAll([app, request("a.example.com/other:1")])
      yield* TestClock.adjust("500 millis")
      assert.strictEqual((yield* transport.calls).length, 1)
      yield* TestClock.adjust("1 minute")
      assert.deepStrictEqual(
        (yield* transport.calls).map((call) => call.target.repository),
        ["app", "app", "other"]
      )
    }).pipe(
      Effect.provide(
        supervised(
          (call) =>
            call.target.repository === "app" && call.attempt === 1
              ? unavailable()
              : Effect.succeed(TestTransport.result()),
          { concurrency: 1 }
        )
      ),
      drawing(1)
    )
  )

  it.scoped("a push that is cancelled while it waits for its next attempt ends at once", () =>
    Effect.gen(function* () {
      const supervisor = yield* PushSupervisor
      const events = yield* recordedEvents
      const handle = yield* supervisor.submit(app)
      yield* TestClock.adjust("10 seconds")
      yield* handle.cancel
      yield* supervisor.drain
      assert.deepStrictEqual(timeline(yield* events).slice(-2), ["10000 PushCancelled", "10000 RuntimeDrained"])
    }).pipe(Effect.provide(supervised(() => throttled("1 hour"))))
  )

  describe("stalls", () => {
    it.scoped("an attempt without progress for stallTimeout is aborted, and is final through an engine", () =>
      Effect.gen(function* () {
        const supervisor = yield* PushSupervisor
        const transport = yield* TestTransport.TestTransport
        const failing = yield* Effect.fork(Effect.flip(supervisor.push(app)))
        yield* TestClock.adjust("299999 millis")
        assert.strictEqual(yield* transport.pushesInFlight, 1)
        yield* TestClock.adjust("1 millis")
        assert.deepStrictEqual(
          yield* Fiber.join(failing),
          new PushStalled({ image: "a.example.com/app:1", transport: "engine", quietFor: Duration.minutes(5) })
        )
        assert.strictEqual(yield* transport.pushesInFlight, 0)
        assert.strictEqual((yield* transport.calls).length, 1)
      }).pipe(Effect.provide(supervised(() => Effect.never)))
    )

    it.scoped("growing byte counts and new layer outcomes are progress", () =>
      Effect.gen(function* () {
        const supervisor = yield* PushSupervisor
        const pushing = yield* Effect.fork(supervisor.push(app))
        yield* TestClock.adjust("9 minutes")
        assert.strictEqual((yield* Fiber.join(pushing)).status, "pushed")
      }).pipe(
        Effect.provide(
          supervised(
            ({ emit }) =>
              everyMinute(emit, [
                progress(1),
                progress(2),
                // The engine sends the layer again.
                progress(0),
                progress(1),
                progress(1, "layer-2"),
                pushed,
                { ...pushed, layer: "layer-2" },
                progress(200)
              ]).pipe(Effect.andThen(Effect.sleep("1 minute")), Effect.as(TestTransport.result())),
            { stallTimeout: "121 seconds" }
          )
        )
      )
    )

    it.scoped("repeated lines, counts that fall and a new credential are no progress", () =>
      Effect.gen(function* () {
        const supervisor = yield* PushSupervisor
        const events = yield* recordedEvents
        const failing = yield* Effect.fork(Effect.flip(supervisor.push(app)))
        yield* TestClock.adjust("1 hour")
        assert.strictEqual((yield* Fiber.join(failing))._tag, "PushStalled")
        yield* supervisor.drain
        // The last progress was the layer's outcome, two minutes in.
        assert.strictEqual(timeline(yield* events).at(-2), `${120_000 + 300_000} PushFailed`)
      }).pipe(
        Effect.provide(
          supervised(({ emit }) =>
            everyMinute(emit, [
              progress(50),
              pushed,
              progress(50),
              progress(40),
              pushed,
              { _tag: "Reauthenticated", registry: "a.example.com", origin: "test" },
              progress(30),
              progress(20),
              progress(10)
            ]).pipe(Effect.andThen(Effect.never))
          )
        )
      )
    )

    it.scoped("a stalled direct push is tried again", () =>
      Effect.gen(function* () {
        const supervisor = yield* PushSupervisor
        const events = yield* recordedEvents
        const pushing = yield* Effect.fork(supervisor.push(layer("./layout")))
        yield* TestClock.adjust("10 minutes")
        assert.strictEqual((yield* Fiber.join(pushing)).attempts, 2)
        yield* supervisor.drain
        assert.deepStrictEqual(tags(yield* events), [
          "PushQueued",
          "PushStarted",
          "PushRetrying",
          "PushCompleted",
          "RuntimeDrained"
        ])
      }).pipe(
        Effect.provide(
          supervised((call) => (call.attempt === 1 ? Effect.never : Effect.succeed(TestTransport.result())))
        )
      )
    )

    it.scoped("each attempt is watched on its own, whenever it began", () =>
      Effect.gen(function* () {
        const supervisor = yield* PushSupervisor
        const events = yield* recordedEvents
        yield* supervisor.submit(app)
        yield* TestClock.adjust("2 minutes")
        yield* supervisor.submit(request("b.example.com/app:1"))
        yield* TestClock.adjust("30 minutes")
        yield* supervisor.submit(request("c.example.com/app:1"))
        yield* TestClock.adjust("30 minutes")
        yield* supervisor.drain
        assert.deepStrictEqual(
          timeline(yield* events).filter((line) => line.endsWith("PushFailed")),
          [5, 7, 37].map((minutes) => `${minutes * 60_000} PushFailed`)
        )
      }).pipe(Effect.provide(supervised(() => Effect.never)))
    )

    it.effect("a push is not stalled that waits for a layer which moves, on its way to another repository", () => {
      const layer = "ab".repeat(32)
      const line = (phase: "preparing" | "pushing", current: number | undefined) =>
        EngineEvent.LayerStatus({
          layer: layer.slice(0, 12),
          phase,
          status: phase,
          current,
          total: current === undefined ? undefined : 100,
          mountedFrom: undefined,
          retryAfterSeconds: undefined
        })
      const moving: TestEngine.Answer = (call) =>
        Stream.make(line("preparing", undefined)).pipe(
          Stream.concat(
            Stream.mapEffect(Stream.range(1, 100), (current) =>
              Effect.delay(
                Effect.sync(() => line("pushing", current)),
                "9 seconds"
              )
            )
          ),
          Stream.concat(TestEngine.pushed()(call))
        )
      const names = ["a.example.com/app:1", "a.example.com/worker:1"]
      return Effect.gen(function* () {
        const supervisor = yield* PushSupervisor
        const results = yield* TestWorld.within("1 hour")(supervisor.pushAll(names.map((name) => request(name))))
        assert.deepStrictEqual(results.map(Either.map(({ duration }) => Duration.toSeconds(duration))), [
          Either.right(900),
          Either.right(1800)
        ])
      }).pipe(
        Effect.provide(
          TestWorld.layerEngine({
            registries: { a: { uri: "a.example.com" } },
            supervisor: { stallTimeout: "11 seconds" },
            images: names.map((name) => ({ names: [name], layers: [`sha256:${layer}`] })),
            push: moving
          })
        )
      )
    })

    it.scoped("events of an attempt that has ended are dropped", () =>
      Effect.gen(function* () {
        const supervisor = yield* PushSupervisor
        const events = yield* recordedEvents
        yield* supervisor.push(app)
        yield* TestClock.adjust("2 minutes")
        yield* supervisor.drain
        assert.deepStrictEqual(tags(yield* events), ["PushQueued", "PushStarted", "PushCompleted", "RuntimeDrained"])
      }).pipe(
        Effect.provide(
          supervised(({ emit }) =>
            Effect.as(Effect.forkDaemon(everyMinute(emit, [progress(1), pushed])), TestTransport.result())
          )
        )
      )
    )
  })
})
