import { assert, describe, it } from "@effect/vitest"
import * as DateTime from "effect/DateTime"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"
import * as Random from "effect/Random"
import * as Stream from "effect/Stream"
import * as TestClock from "effect/TestClock"
import { RegistryRateLimited, RegistryUnavailable } from "../../src/distribution/RegistryError.ts"
import type { PushEvent } from "../../src/push/PushEvent.ts"
import { PushSupervisor } from "../../src/runtime/PushSupervisor.ts"
import * as TestRegistry from "../../src/testing/TestRegistry.ts"
import * as TestTransport from "../../src/testing/TestTransport.ts"
import { collected, recordedEvents, request, requests, supervised, tags, timeline } from "../support/supervisor.ts"

const app = request("a.example.com/app:1")

/** `retryAfter` is what a header said; an engine hides it. */
const throttled = (retryAfter?: Duration.DurationInput) =>
  new RegistryRateLimited({
    registry: "a.example.com",
    text: "",
    ...(retryAfter === undefined ? {} : { retryAfter: Duration.decode(retryAfter) })
  })

const reset = new RegistryUnavailable({ registry: "a.example.com", text: "", reason: "reset" })

const success = Effect.succeed(TestTransport.result())

const afterSeconds = (seconds: number) => Effect.delay(success, Duration.seconds(seconds))

/** The first `count` attempts of each target are throttled. */
const throttling =
  (count: number, retryAfter?: Duration.DurationInput) =>
  (call: TestTransport.PushCall): ReturnType<NonNullable<TestTransport.TestTransportScript["push"]>> =>
    call.attempt <= count ? throttled(retryAfter) : success

/** A Random whose every draw is the same part of one. */
const drawing = (fraction: number) => Effect.withRandom(Random.fixed([fraction]))

const aboutPauses = (events: ReadonlyArray<PushEvent>) =>
  events.flatMap((event) => {
    const at = event.at.epochMillis
    switch (event._tag) {
      case "RegistryPaused":
        return [`${at} paused for ${Duration.toMillis(event.delay)} by ${event.source}`]
      case "RegistryResumed":
        return [`${at} resumed`]
      default:
        return []
    }
  })

const questions = Effect.flatMap(TestRegistry.TestRegistry, (registry) =>
  Effect.map(registry.requests, (asked) =>
    asked.map(({ at, method, url }) => `${at.epochMillis} ${method} ${url.host}${url.pathname}`)
  )
)

/** Runs for an hour and gives all events. */
const anHourOf = (...pushes: ReturnType<typeof requests>) =>
  Effect.gen(function* () {
    const supervisor = yield* PushSupervisor
    const events = yield* recordedEvents
    yield* supervisor.submitAll(pushes)
    yield* TestClock.adjust("1 hour")
    yield* supervisor.drain
    return yield* events
  })

describe("PushSupervisor's pauses", () => {
  describe("by the registry's own word", () => {
    it.scoped("last as long as it said, to the second, for every push of the registry, and ask nothing", () =>
      Effect.gen(function* () {
        const supervisor = yield* PushSupervisor
        const transport = yield* TestTransport.TestTransport
        const events = yield* recordedEvents
        yield* supervisor.submitAll(requests("a.example.com", 3))
        yield* TestClock.adjust("1 second")
        yield* supervisor.submit(app)
        yield* TestClock.adjust("88999 millis")
        assert.strictEqual((yield* transport.calls).length, 1)
        yield* TestClock.adjust("1 millis")
        assert.strictEqual((yield* transport.calls).length, 5)
        yield* supervisor.drain
        const seen = yield* events
        assert.deepStrictEqual(aboutPauses(seen), ["0 paused for 90000 by retry-after", "90000 resumed"])
        assert.deepStrictEqual(
          seen.flatMap((event) => (event._tag === "PushRetrying" ? [Duration.toMillis(event.delay)] : [])),
          [90_000],
          "the pause is the retry's only delay"
        )
        assert.deepStrictEqual(yield* questions, [])
      }).pipe(
        Effect.provide(
          supervised((call) => (call.target.repository === "app-0" ? throttling(1, "90 seconds")(call) : success), {
            concurrency: 1
          })
        ),
        drawing(1)
      )
    )

    it.scoped("begin also when a registry throttles with 503", () =>
      Effect.gen(function* () {
        assert.deepStrictEqual(aboutPauses(yield* anHourOf(app)), ["0 paused for 7000 by retry-after", "7000 resumed"])
      }).pipe(
        Effect.provide(
          supervised((call) =>
            call.attempt === 1
              ? new RegistryUnavailable({ ...reset, reason: "status", retryAfter: Duration.seconds(7) })
              : success
          )
        )
      )
    )

    it.scoped("are a second at least: a date may have passed by this machine's clock", () =>
      Effect.gen(function* () {
        assert.deepStrictEqual(aboutPauses(yield* anHourOf(app)), ["0 paused for 1000 by retry-after", "1000 resumed"])
      }).pipe(Effect.provide(supervised(throttling(1, 0))))
    )

    it.scoped("grow when another push is told a later time, and never shrink", () =>
      Effect.gen(function* () {
        assert.deepStrictEqual(aboutPauses(yield* anHourOf(...requests("a.example.com", 4))), [
          "0 paused for 10000 by retry-after",
          "2000 paused for 30000 by retry-after",
          "32000 resumed"
        ])
      }).pipe(
        Effect.provide(
          supervised((call) => {
            if (call.attempt > 1) return success
            const delays = ["10 seconds", "1 second", "30 seconds", undefined] as const
            const index = Number(call.target.repository.split("-")[1])
            return Effect.delay(throttled(delays[index]), Duration.seconds(index))
          })
        )
      )
    )
  })

  describe("by estimate", () => {
    it.scoped("double from 5 s to 2 minutes, and each ends with one question about the throttled manifest", () =>
      Effect.gen(function* () {
        const seen = aboutPauses(yield* anHourOf(app))
        const seconds = [5, 10, 20, 40, 80, 120, 120]
        const ends = seconds.map((_, index) => seconds.slice(0, index + 1).reduce((sum, each) => sum + each, 0))
        assert.deepStrictEqual(
          seen,
          seconds.flatMap((delay, index) => {
            const end = ends[index] ?? 0
            return [`${(end - delay) * 1000} paused for ${delay * 1000} by estimate`, `${end * 1000} resumed`]
          })
        )
        assert.deepStrictEqual(
          yield* questions,
          ends.map((end) => `${end * 1000} HEAD a.example.com/v2/app/manifests/1`)
        )
      }).pipe(Effect.provide(supervised(throttling(7), { retries: 7 })))
    )

    it.scoped("begin at 5 s again when a push has gone through", () =>
      Effect.gen(function* () {
        const pauses = aboutPauses(yield* anHourOf(...requests("a.example.com", 2)))
        assert.deepStrictEqual(
          pauses.filter((line) => line.includes("paused")),
          [
            "0 paused for 5000 by estimate",
            "5000 paused for 10000 by estimate",
            // The first has gone through, and the second is throttled.
            "15000 paused for 5000 by estimate"
          ]
        )
      }).pipe(
        Effect.provide(
          supervised((call) => (call.target.repository === "app-0" ? throttling(2)(call) : throttling(1)(call)), {
            concurrency: 1
          })
        )
      )
    )

    const answers: ReadonlyArray<readonly [title: string, headers: Readonly<Record<string, string>>, pauses: unknown]> =
      [
        [
          "go on as long as the answer's seconds say, and ask no more",
          { "retry-after": "30" },
          ["0 paused for 5000 by estimate", "5000 paused for 30000 by retry-after", "35000 resumed"]
        ],
        [
          "go on until the answer's date",
          { "retry-after": "Thu, 01 Jan 1970 00:01:05 GMT" },
          ["0 paused for 5000 by estimate", "5000 paused for 60000 by retry-after", "65000 resumed"]
        ],
        [
          "go on by the next estimate when the answer names no time, and ask again",
          {},
          ["0 paused for 5000 by estimate", "5000 paused for 10000 by estimate", "15000 resumed"]
        ]
      ]
    for (const [title, headers, pauses] of answers) {
      it.scoped(`${title}, when the question is throttled too`, () =>
        Effect.gen(function* () {
          const registry = yield* TestRegistry.TestRegistry
          yield* registry.fault({ times: 1, effect: { type: "answer", status: 429, headers } })
          assert.deepStrictEqual(aboutPauses(yield* anHourOf(app)), pauses)
          assert.strictEqual((yield* questions).length, Object.keys(headers).length === 0 ? 2 : 1)
        }).pipe(Effect.provide(supervised(throttling(1))))
      )
    }

    const troubles: ReadonlyArray<readonly [TestRegistry.TestFaultEffect, resumedAt: number]> = [
      [{ type: "answer", status: 401 }, 5000],
      [{ type: "answer", status: 500 }, 5000],
      [{ type: "disconnect" }, 5000],
      [{ type: "hang" }, 15_000]
    ]
    for (const [effect, resumedAt] of troubles) {
      it.scoped(`end when the question gets no good answer: ${JSON.stringify(effect)}`, () =>
        Effect.gen(function* () {
          const registry = yield* TestRegistry.TestRegistry
          yield* registry.fault({ effect })
          const seen = yield* anHourOf(app)
          assert.strictEqual(aboutPauses(seen).at(-1), `${resumedAt} resumed`)
          assert.strictEqual(timeline(seen).at(-2), `${resumedAt} PushCompleted`)
        }).pipe(Effect.provide(supervised(throttling(1))))
      )
    }

    it.scoped("end without a question when nobody waits, and count until then for whoever comes", () =>
      Effect.gen(function* () {
        const supervisor = yield* PushSupervisor
        const events = yield* recordedEvents
        assert.strictEqual((yield* Effect.flip(supervisor.push(app)))._tag, "RegistryRateLimited")
        yield* TestClock.adjust("2 seconds")
        const late = yield* supervisor.submit(request("a.example.com/late:1"))
        yield* TestClock.adjust("3 seconds")
        yield* late.await
        assert.strictEqual((yield* questions).length, 1)
        yield* Effect.exit(supervisor.push(app))
        yield* TestClock.adjust("1 minute")
        assert.strictEqual((yield* questions).length, 1)
        yield* supervisor.drain
        assert.deepStrictEqual(
          timeline(yield* events).filter((line) => !line.includes("Queued")),
          [
            "0 PushStarted",
            "0 RegistryPaused",
            "0 PushFailed",
            "5000 RegistryResumed",
            "5000 PushStarted",
            "5000 PushCompleted",
            "5000 PushStarted",
            "5000 RegistryPaused",
            "5000 PushFailed",
            "10000 RegistryResumed",
            "65000 RuntimeDrained"
          ]
        )
      }).pipe(
        Effect.provide(supervised((call) => (call.target.repository === "app" ? throttled() : success), { retries: 0 }))
      )
    )
  })

  it.scoped("stop no push that runs, and let none start, retries of other failures included", () =>
    Effect.gen(function* () {
      const seen = yield* anHourOf(...requests("a.example.com", 4))
      assert.deepStrictEqual(
        timeline(seen).filter((line) => !line.includes("Queued")),
        [
          "0 PushStarted",
          "0 PushStarted",
          "0 PushStarted",
          // The first is throttled, the second goes on, the third loses its connection.
          "0 RegistryPaused",
          "0 PushRetrying",
          "3000 PushRetrying",
          "4000 PushCompleted",
          "10000 RegistryResumed",
          "10000 PushCompleted",
          "10000 PushCompleted",
          "10000 PushStarted",
          "10000 PushCompleted",
          "3600000 RuntimeDrained"
        ]
      )
    }).pipe(
      Effect.provide(
        supervised(
          (call) => {
            if (call.attempt > 1) return success
            switch (call.target.repository) {
              case "app-0":
                return throttled("10 seconds")
              case "app-1":
                return afterSeconds(4)
              case "app-2":
                return Effect.delay(reset, "3 seconds")
              default:
                return success
            }
          },
          { concurrency: 3 }
        )
      ),
      drawing(1)
    )
  )

  it.scoped("catch a push that was waiting for its retry when they began", () =>
    Effect.gen(function* () {
      const transport = yield* TestTransport.TestTransport
      const supervisor = yield* PushSupervisor
      yield* supervisor.submitAll(requests("a.example.com", 2))
      yield* TestClock.adjust("9999 millis")
      assert.strictEqual((yield* transport.calls).length, 2)
      assert.strictEqual(yield* transport.pushesInFlight, 0)
      yield* TestClock.adjust("1 minute")
      assert.strictEqual((yield* transport.calls).length, 4)
    }).pipe(
      Effect.provide(
        supervised((call) => {
          if (call.attempt > 1) return success
          // Its retry would come at 1 s; the other is throttled half a second before.
          return call.target.repository === "app-0" ? reset : Effect.delay(throttled("9500 millis"), "500 millis")
        })
      ),
      drawing(1)
    )
  )

  it.scoped("move no other registry's completions", () =>
    Effect.gen(function* () {
      const completed = (events: ReadonlyArray<PushEvent>) => {
        const ids = new Set(
          events.flatMap((event) =>
            event._tag === "PushQueued" && event.registry === "b.example.com" ? [event.pushId] : []
          )
        )
        return events.flatMap((event) =>
          event._tag === "PushCompleted" && ids.has(event.pushId) ? [event.at.epochMillis] : []
        )
      }
      const runtime = supervised(
        (call) => (call.target.registry === "a.example.com" ? throttling(3)(call) : afterSeconds(1)),
        { maxInFlight: 4, concurrency: 3, retries: 3 }
      )
      const b = requests("b.example.com", 20)
      const alone = completed(yield* Effect.scoped(Effect.provide(anHourOf(...b), runtime)))
      yield* TestClock.setTime(0)
      const together = yield* Effect.scoped(Effect.provide(anHourOf(...requests("a.example.com", 20), ...b), runtime))
      assert.strictEqual(alone.length, 20)
      assert.deepStrictEqual(completed(together), alone)
      assert.isAbove(aboutPauses(together).length, 2)
    })
  )

  it.scoped("hold no place in the runtime: another registry's push takes it", () =>
    Effect.gen(function* () {
      const seen = yield* anHourOf(app, request("b.example.com/app:1"))
      assert.deepStrictEqual(
        timeline(seen).filter((line) => line.endsWith("PushCompleted")),
        ["1000 PushCompleted", "30000 PushCompleted"]
      )
    }).pipe(
      Effect.provide(
        supervised(
          (call) => (call.target.registry === "a.example.com" ? throttling(1, "30 seconds")(call) : afterSeconds(1)),
          { maxInFlight: 1 }
        )
      )
    )
  )

  it.scoped("are in the registry's state, and the first thing that a late subscriber learns of it", () =>
    Effect.gen(function* () {
      const supervisor = yield* PushSupervisor
      yield* supervisor.submitAll(requests("a.example.com", 3))
      yield* TestClock.adjust("4 seconds")
      const { pushes, registries } = yield* supervisor.snapshot
      assert.deepStrictEqual(registries, [
        {
          registry: "a.example.com",
          queued: 1,
          running: 0,
          postponed: 2,
          concurrency: 1,
          pausedUntil: Option.some(DateTime.unsafeMake(60_000))
        }
      ])
      assert.deepStrictEqual(
        pushes.map(({ attempts }) => attempts),
        [1, 1, 0]
      )
      const events = yield* collected(Stream.take(yield* supervisor.subscribe, 7))
      yield* TestClock.adjust("56 seconds")
      assert.deepStrictEqual(tags(yield* events).slice(-2), ["RegistryPaused", "RegistryResumed"])
    }).pipe(Effect.provide(supervised(throttling(1, "1 minute"), { concurrency: 2, drainTimeout: 0 })))
  )

  describe("and stopping", () => {
    it.scoped("a push that waits for the pause to end is cancelled at once, and nothing is lost with it", () =>
      Effect.gen(function* () {
        const supervisor = yield* PushSupervisor
        const events = yield* recordedEvents
        const handles = yield* supervisor.submitAll([
          ...requests("a.example.com", 2),
          // Waits behind the first one's target.
          request("a.example.com/app-0:1", "other:1")
        ])
        yield* TestClock.adjust("10 seconds")
        yield* Effect.forEach(handles.slice(0, 2), (handle) => handle.cancel)
        yield* TestClock.adjust("50 seconds")
        assert.strictEqual((yield* handles[2]?.await ?? Effect.die("no handle")).status, "pushed")
        yield* supervisor.drain
        assert.deepStrictEqual(timeline(yield* events).slice(-6), [
          "10000 PushCancelled",
          "10000 PushCancelled",
          "60000 RegistryResumed",
          "60000 PushStarted",
          "60000 PushCompleted",
          "60000 RuntimeDrained"
        ])
      }).pipe(
        Effect.provide(
          supervised((call) => (String(call.source).includes("other") ? success : throttled("1 minute")), {
            concurrency: 2,
            maxInFlight: 2
          })
        )
      )
    )

    it.effect("a closing scope waits for a pause as long as drainTimeout, and stops what waits for it", () =>
      Effect.gen(function* () {
        const events = yield* Effect.fork(
          Effect.scoped(
            Effect.gen(function* () {
              const supervisor = yield* PushSupervisor
              const heard = yield* supervisor.subscribe
              yield* supervisor.submitAll(requests("a.example.com", 3))
              yield* Effect.sleep("1 second")
              return heard
            }).pipe(
              Effect.provide(supervised(throttling(1, "1 hour"), { concurrency: 2, drainTimeout: "10 seconds" })),
              Effect.asVoid
            )
          )
        )
        yield* TestClock.adjust("10999 millis")
        assert.isTrue(Option.isNone(yield* Fiber.poll(events)))
        yield* TestClock.adjust("1 millis")
        yield* Fiber.join(events)
      })
    )
  })
})
