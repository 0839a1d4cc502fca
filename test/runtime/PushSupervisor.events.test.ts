import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import * as TestClock from "effect/TestClock"
import type { PushEvent } from "../../src/push/PushEvent.ts"
import { PushSupervisor } from "../../src/runtime/PushSupervisor.ts"
import * as TestTransport from "../../src/testing/TestTransport.ts"
import { collected, recordedEvents, request, requests, supervised, tags, timeline } from "../support/supervisor.ts"

const app = request("a.example.com/app:1")

const afterOneSecond = () => Effect.delay(Effect.succeed(TestTransport.result()), "1 second")

/** A push that reports a thousand byte counts and one layer in its second. */
const chatty = ({ emit }: TestTransport.PushCall) =>
  Effect.andThen(
    Effect.sync(() => {
      for (let current = 1; current <= 1_000; current++) {
        emit({ _tag: "LayerProgress", layer: "layer-1", current })
      }
      emit({ _tag: "LayerPushed", layer: "layer-1", outcome: "uploaded" })
    }),
    afterOneSecond()
  )

const progressOf = (events: ReadonlyArray<PushEvent>) => events.filter((event) => event._tag === "LayerProgress")

describe("PushSupervisor's events", () => {
  it.scoped("a subscriber gets all that happens, at the Clock's instants, until the runtime has drained", () =>
    Effect.gen(function* () {
      const supervisor = yield* PushSupervisor
      const events = yield* recordedEvents
      yield* TestClock.adjust("5 seconds")
      yield* supervisor.submit(app)
      yield* TestClock.adjust("5 seconds")
      yield* supervisor.drain
      assert.deepStrictEqual(timeline(yield* events), [
        "5000 PushQueued",
        "5000 PushStarted",
        "5000 LayerPushed",
        "6000 PushCompleted",
        "10000 RuntimeDrained"
      ])
    }).pipe(
      Effect.provide(
        supervised(({ emit }) =>
          Effect.andThen(
            Effect.sync(() => emit({ _tag: "LayerPushed", layer: "layer-1", outcome: "existing" })),
            afterOneSecond()
          )
        )
      )
    )
  )

  it.scoped("a transport that goes on reporting after its push has ended is not heard", () => {
    const late: Array<() => void> = []
    const leavesOneBehind = ({ emit }: TestTransport.PushCall) =>
      Effect.sync(() => {
        late.push(() => emit({ _tag: "LayerPushed", layer: "layer-1", outcome: "uploaded" }))
        return TestTransport.result()
      })
    return Effect.gen(function* () {
      const supervisor = yield* PushSupervisor
      const events = yield* recordedEvents
      const handle = yield* supervisor.submit(app)
      yield* handle.await
      assert.strictEqual(late.length, 1)
      for (const report of late) report()
      yield* supervisor.drain
      assert.deepStrictEqual(tags(yield* events), ["PushQueued", "PushStarted", "PushCompleted", "RuntimeDrained"])
    }).pipe(Effect.provide(supervised(leavesOneBehind)))
  })

  it.scoped("the queued event names the source, the target, the platform and the registry", () =>
    Effect.gen(function* () {
      const supervisor = yield* PushSupervisor
      const handle = yield* supervisor.submit(request("a.example.com/app:1", "local:2"))
      const [queued] = yield* Effect.flatten(collected(Stream.take(handle.events, 1)))
      assert.deepInclude(queued, {
        _tag: "PushQueued",
        source: "docker://docker.io/library/local:2",
        target: "a.example.com/app:1",
        registry: "a.example.com"
      })
    }).pipe(Effect.provide(supervised(() => Effect.never, { drainTimeout: 0 })))
  )

  it.scoped("a late subscriber first gets the state of what is in flight, with the instants it had", () =>
    Effect.gen(function* () {
      const supervisor = yield* PushSupervisor
      yield* supervisor.submitAll(requests("a.example.com", 3))
      yield* TestClock.adjust("1500 millis")
      const events = yield* recordedEvents
      yield* TestClock.adjust("2 seconds")
      yield* supervisor.drain
      assert.deepStrictEqual(timeline(yield* events), [
        "0 PushQueued",
        "1000 PushStarted",
        "0 PushQueued",
        "2000 PushCompleted",
        "2000 PushStarted",
        "3000 PushCompleted",
        "3500 RuntimeDrained"
      ])
      assert.deepStrictEqual(tags(yield* Effect.flatten(recordedEvents)), ["RuntimeDrained"])
    }).pipe(Effect.provide(supervised(afterOneSecond, { concurrency: 1 })))
  )

  it.scoped("a handle's events are its push's alone and end with the terminal one", () =>
    Effect.gen(function* () {
      const supervisor = yield* PushSupervisor
      const [first, second] = yield* supervisor.submitAll(requests("a.example.com", 2))
      const events = yield* collected(second?.events ?? Stream.empty)
      yield* TestClock.adjust("2 seconds")
      assert.deepStrictEqual(timeline(yield* events), ["0 PushQueued", "1000 PushStarted", "2000 PushCompleted"])
      const over = yield* Effect.flatten(collected(first?.events ?? Stream.empty))
      assert.deepStrictEqual(timeline(over), ["1000 PushCompleted"])
    }).pipe(Effect.provide(supervised(afterOneSecond, { concurrency: 1 })))
  )

  it.scoped("a slow subscriber loses progress and no other event", () =>
    Effect.gen(function* () {
      const supervisor = yield* PushSupervisor
      const slow = yield* supervisor.subscribe
      yield* supervisor.submit(app)
      yield* TestClock.adjust("1 second")
      yield* supervisor.drain
      const events = yield* Effect.flatten(collected(slow))
      assert.isBelow(progressOf(events).length, 500)
      assert.deepStrictEqual(tags(events.filter((event) => event._tag !== "LayerProgress")), [
        "PushQueued",
        "PushStarted",
        "LayerPushed",
        "PushCompleted",
        "RuntimeDrained"
      ])
    }).pipe(Effect.provide(supervised(chatty)))
  )

  it.scoped(
    "a hundred subscribers that never pull change no instant, and get each event once when they do",
    () =>
      Effect.gen(function* () {
        const supervisor = yield* PushSupervisor
        const alone = yield* Effect.fork(supervisor.pushAll(requests("a.example.com", 20)))
        const reader = yield* recordedEvents
        const idle = yield* Effect.replicateEffect(supervisor.subscribe, 100)
        yield* TestClock.adjust("1 minute")
        yield* Fiber.join(alone)
        yield* supervisor.drain
        const expected = yield* reader
        const ends = expected.filter((event) => event._tag === "PushCompleted").map((event) => event.at.epochMillis)
        assert.deepStrictEqual(
          ends,
          Array.from({ length: 20 }, (_, index) => 1000 * (1 + Math.floor(index / 4)))
        )
        const lifecycle = timeline(expected.filter((event) => event._tag !== "LayerProgress"))
        for (const stream of idle) {
          const late = yield* Effect.flatten(collected(stream))
          assert.deepStrictEqual(timeline(late.filter((event) => event._tag !== "LayerProgress")), lifecycle)
        }
      }).pipe(Effect.provide(supervised(chatty))),
    30_000
  )

  it.scoped("a subscriber's scope frees what it did not read, and ends its stream", () =>
    Effect.gen(function* () {
      const supervisor = yield* PushSupervisor
      const scope = yield* Scope.make()
      const stream = yield* Scope.extend(supervisor.subscribe, scope)
      yield* supervisor.push(app)
      yield* Scope.close(scope, Exit.void)
      assert.deepStrictEqual(yield* Effect.flatten(collected(stream)), [])
    }).pipe(Effect.provide(supervised(undefined)))
  )

  it.scoped("the bare stream can be run many times", () =>
    Effect.gen(function* () {
      const supervisor = yield* PushSupervisor
      const first = yield* collected(supervisor.events)
      const second = yield* collected(supervisor.events)
      yield* Effect.yieldNow()
      yield* supervisor.push(app)
      yield* supervisor.drain
      const seen = tags(yield* first)
      assert.deepStrictEqual(seen, ["PushQueued", "PushStarted", "PushCompleted", "RuntimeDrained"])
      assert.deepStrictEqual(tags(yield* second), seen)
    }).pipe(Effect.provide(supervised(undefined)))
  )
})
