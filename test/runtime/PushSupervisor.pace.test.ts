import { assert, describe, it } from "@effect/vitest"
import * as Array from "effect/Array"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Fiber from "effect/Fiber"
import * as Random from "effect/Random"
import * as TestClock from "effect/TestClock"
import { RegistryRateLimited, RegistryUnavailable } from "../../src/distribution/RegistryError.ts"
import { PushSupervisor } from "../../src/runtime/PushSupervisor.ts"
import * as TestTransport from "../../src/testing/TestTransport.ts"
import { collected, recordedEvents, requests, supervised, timeline } from "../support/supervisor.ts"

const throttled = (retryAfter: Duration.DurationInput) =>
  new RegistryRateLimited({ registry: "a.example.com", text: "", retryAfter: Duration.decode(retryAfter) })

const paused = throttled("10 seconds")

const broken = new RegistryUnavailable({ registry: "a.example.com", text: "", reason: "reset" })

const success = Effect.succeed(TestTransport.result())

/** A Random whose every draw is the same part of one. */
const drawing = (fraction: number) => Effect.withRandom(Random.fixed([fraction]))

const indexOf = (call: TestTransport.PushCall): number => Number(call.target.repository.split("-")[1])

const concurrency = Effect.flatMap(PushSupervisor, (supervisor) =>
  Effect.map(supervisor.snapshot, ({ registries }) => registries[0]?.concurrency)
)

describe("PushSupervisor's pace", () => {
  it.scoped("after a pause the pushes start one by one, those that were throttled first, half as many as before", () =>
    Effect.gen(function* () {
      const supervisor = yield* PushSupervisor
      const transport = yield* TestTransport.TestTransport
      const events = yield* recordedEvents
      yield* supervisor.submitAll(requests("a.example.com", 12))
      yield* TestClock.adjust("10 seconds")
      assert.strictEqual((yield* transport.calls).length, 9)
      yield* TestClock.adjust("10 minutes")
      const calls = yield* transport.calls
      assert.deepStrictEqual(calls.map((call) => `${call.target.repository} ${call.attempt}`).slice(8, 12), [
        "app-0 2",
        "app-1 2",
        "app-2 2",
        "app-3 2"
      ])
      yield* supervisor.drain
      const seen = yield* events
      // A minute each, four at once: the pushes end in the pattern in which they started.
      assert.deepStrictEqual(
        timeline(seen).filter((line) => line.endsWith("PushCompleted")),
        [0, 1, 2].flatMap((turn) =>
          [0, 500, 1000, 1500].map((gap) => `${10_000 + gap + (turn + 1) * 60_000} PushCompleted`)
        )
      )
      assert.strictEqual(seen.filter((event) => event._tag === "RegistryPaused").length, 1)
    }).pipe(
      Effect.provide(
        supervised((call) => (call.attempt === 1 && indexOf(call) < 8 ? paused : Effect.delay(success, "1 minute")), {
          concurrency: 8
        })
      ),
      drawing(0.5)
    )
  )

  it.scoped("a pause that begins while the pushes start one by one begins again with one", () =>
    Effect.gen(function* () {
      const supervisor = yield* PushSupervisor
      const transport = yield* TestTransport.TestTransport
      yield* supervisor.submitAll(requests("a.example.com", 16))
      const startsAfter = (time: Duration.DurationInput) =>
        Effect.gen(function* () {
          const before = (yield* transport.calls).length
          yield* TestClock.adjust(time)
          return (yield* transport.calls).length - before
        })
      assert.strictEqual(yield* startsAfter("1 millis"), 16)
      // At 10 s one, which is throttled at 10.4 s for a second.
      assert.strictEqual(yield* startsAfter("9999 millis"), 1)
      assert.strictEqual(yield* startsAfter("1399 millis"), 0)
      assert.strictEqual(yield* startsAfter("1 millis"), 1)
      // The second of the first row would come at 12 s.
      assert.strictEqual(yield* startsAfter("999 millis"), 0)
      assert.strictEqual(yield* startsAfter("1 millis"), 1)
    }).pipe(
      Effect.provide(
        supervised(
          (call) => {
            if (call.attempt === 1) return throttled("10 seconds")
            return call.attempt === 2 && indexOf(call) === 0
              ? Effect.delay(throttled("1 second"), "400 millis")
              : Effect.never
          },
          { concurrency: 16, drainTimeout: 0 }
        )
      ),
      drawing(1)
    )
  )

  it.scoped("the concurrency halves at each pause, is one at least, and grows by one after eight pushes", () =>
    Effect.gen(function* () {
      const supervisor = yield* PushSupervisor
      const handles = yield* supervisor.submitAll(requests("a.example.com", 120))
      const states = yield* collected(supervisor.registryStates("a.example.com"))
      // Four pauses of ten seconds; from then on one push every second while there is but one at once.
      yield* TestClock.adjust("47999 millis")
      assert.strictEqual(yield* concurrency, 1)
      yield* TestClock.adjust("1 millis")
      assert.strictEqual(yield* concurrency, 2)
      // Eight pushes, two at once.
      yield* TestClock.adjust("3999 millis")
      assert.strictEqual(yield* concurrency, 2)
      yield* TestClock.adjust("1 millis")
      assert.strictEqual(yield* concurrency, 3)
      yield* TestClock.adjust("1 minute")
      yield* Effect.forEach(handles, (handle) => handle.await)
      const seen = Array.dedupeAdjacent((yield* states).map((state) => state.concurrency))
      assert.deepStrictEqual(seen, [7, 3, 1, 2, 3, 4, 5, 6, 7])
    }).pipe(
      Effect.provide(
        supervised((call) => (call.attempt <= 4 && indexOf(call) === 0 ? paused : Effect.delay(success, "1 second")), {
          concurrency: 7,
          retries: 4,
          drainTimeout: 0
        })
      ),
      drawing(0)
    )
  )

  it.scoped("pushes that went through before another throttle do not count", () =>
    Effect.gen(function* () {
      const supervisor = yield* PushSupervisor
      const handles = yield* supervisor.submitAll(requests("a.example.com", 28))
      const states = yield* collected(supervisor.registryStates("a.example.com"))
      yield* TestClock.adjust("5 minutes")
      yield* Effect.forEach(handles, (handle) => handle.await)
      const seen = Array.dedupeAdjacent((yield* states).map((state) => state.concurrency))
      assert.deepStrictEqual(seen, [2, 1])
    }).pipe(
      Effect.provide(
        supervised(
          // Seven go through between one throttle and the next.
          (call) => (call.attempt === 1 && indexOf(call) % 7 === 0 ? paused : Effect.delay(success, "1 second")),
          { concurrency: 2, drainTimeout: 0 }
        )
      )
    )
  )

  it.scoped("nor do those that were under way when the registry asked for less", () =>
    Effect.gen(function* () {
      const supervisor = yield* PushSupervisor
      yield* supervisor.submitAll(requests("a.example.com", 20))
      yield* TestClock.adjust("9 seconds")
      assert.strictEqual(yield* concurrency, 8)
    }).pipe(
      Effect.provide(
        supervised((call) => (indexOf(call) === 0 ? paused : Effect.delay(success, "1 second")), {
          concurrency: 16,
          drainTimeout: 0
        })
      )
    )
  )

  describe("retries", () => {
    const failed = Effect.flatMap(recordedEvents, (events) =>
      Effect.succeed(
        Effect.map(events, (seen) => seen.flatMap((event) => (event._tag === "PushFailed" ? [event] : [])))
      )
    )

    it.scoped("are a hundred for all pushes to a registry, and those that got none say so", () =>
      Effect.gen(function* () {
        const supervisor = yield* PushSupervisor
        const transport = yield* TestTransport.TestTransport
        const failures = yield* failed
        const all = yield* Effect.fork(
          supervisor.pushAll([...requests("a.example.com", 200), ...requests("b.example.com", 3)])
        )
        yield* TestClock.adjust("1 hour")
        const results = yield* Fiber.join(all)
        assert.isTrue(results.every((result) => Either.isLeft(result) && result.left._tag === "RegistryUnavailable"))
        assert.strictEqual((yield* transport.calls).length, 200 + 100 + 3 * 3)
        yield* supervisor.drain
        const seen = yield* failures
        const stopped = seen.filter(({ error }) => error.message.includes("used up the retries"))
        assert.strictEqual(stopped.length, seen.filter(({ attempts }) => attempts < 3).length)
        assert.isTrue(stopped.every(({ error }) => error.message.includes("the pushes to a.example.com")))
        assert.isTrue(seen.every(({ error }) => error.transient && error.message.endsWith(error.advice)))
      }).pipe(Effect.provide(supervised(() => broken)))
    )

    it.scoped("are given back by pushes that go through: one for a retry, a fifth for a first attempt", () =>
      Effect.gen(function* () {
        const supervisor = yield* PushSupervisor
        const transport = yield* TestTransport.TestTransport
        const all = yield* Effect.fork(supervisor.pushAll(requests("a.example.com", 255)))
        yield* TestClock.adjust("1 hour")
        const results = yield* Fiber.join(all)
        // 100 use up what there is, 50 give 10 back, and 5 more their own.
        assert.strictEqual((yield* transport.calls).length, 255 + 100 + 10 + 5)
        assert.strictEqual(results.filter(Either.isRight).length, 55)
      }).pipe(
        Effect.provide(
          supervised(
            (call) => {
              const index = indexOf(call)
              if (index >= 100 && index < 150) return success
              return index >= 150 && index < 155 && call.attempt === 2 ? success : broken
            },
            { concurrency: 1, retries: 1 }
          )
        )
      )
    )
  })
})
