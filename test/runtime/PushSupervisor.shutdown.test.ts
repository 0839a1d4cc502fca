import { assert, describe, it } from "@effect/vitest"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Scope from "effect/Scope"
import * as TestClock from "effect/TestClock"
import { PushSupervisor, type PushSupervisorOptions } from "../../src/runtime/PushSupervisor.ts"
import * as TestTransport from "../../src/testing/TestTransport.ts"
import { recordedEvents, request, requests, supervised, timeline } from "../support/supervisor.ts"

/** A supervisor in a scope that the test closes, and its events, read in the test's own scope. */
const opened = (push: TestTransport.TestTransportScript["push"], options?: PushSupervisorOptions) =>
  Effect.gen(function* () {
    const scope = yield* Scope.make()
    const services = yield* Layer.buildWithScope(supervised(push, options), scope)
    return {
      scope,
      supervisor: Context.get(services, PushSupervisor),
      transport: Context.get(services, TestTransport.TestTransport),
      events: yield* Effect.provide(recordedEvents, services)
    }
  })

const afterOneSecond = () => Effect.delay(Effect.succeed(TestTransport.result()), "1 second")

describe("PushSupervisor's end", () => {
  it.scoped("a closing scope refuses new work and lets what was accepted finish", () =>
    Effect.gen(function* () {
      const { events, scope, supervisor } = yield* opened(afterOneSecond, { concurrency: 1 })
      yield* supervisor.submitAll(requests("a.example.com", 2))
      const closing = yield* Effect.fork(Scope.close(scope, Exit.void))
      yield* TestClock.adjust("1 second")
      assert.strictEqual(
        (yield* Effect.flip(supervisor.submit(request("a.example.com/late:1"))))._tag,
        "SupervisorClosed"
      )
      yield* TestClock.adjust("1 second")
      yield* Fiber.join(closing)
      assert.deepStrictEqual(timeline(yield* events), [
        "0 PushQueued",
        "0 PushQueued",
        "0 PushStarted",
        "1000 PushCompleted",
        "1000 PushStarted",
        "2000 PushCompleted",
        "2000 RuntimeDrained"
      ])
    })
  )

  it.scoped("what has not ended by drainTimeout is stopped, and says so before the streams end", () =>
    Effect.gen(function* () {
      const { events, scope, supervisor, transport } = yield* opened(() => Effect.never, {
        concurrency: 1,
        drainTimeout: "10 seconds"
      })
      const [running, queued] = yield* supervisor.submitAll(requests("a.example.com", 2))
      const waiting = yield* Effect.fork(Effect.flip(running?.await ?? Effect.never))
      const closing = yield* Effect.fork(Scope.close(scope, Exit.void))
      yield* TestClock.adjust("9999 millis")
      assert.isTrue(Option.isNone(yield* Fiber.poll(closing)))
      yield* TestClock.adjust("1 millis")
      yield* Fiber.join(closing)
      const seen = yield* events
      assert.deepStrictEqual(timeline(seen), [
        "0 PushQueued",
        "0 PushQueued",
        "0 PushStarted",
        "10000 PushCancelled",
        "10000 PushCancelled",
        "10000 RuntimeDrained"
      ])
      assert.deepStrictEqual(
        seen.flatMap((event) => (event._tag === "PushCancelled" ? [`${event.pushId} ${event.reason}`] : [])).sort(),
        [`${running?.id} shutdown`, `${queued?.id} shutdown`].sort()
      )
      const error = yield* Fiber.join(waiting)
      assert.strictEqual(error._tag === "PushInterrupted" ? error.reason : error._tag, "shutdown")
      assert.strictEqual(yield* transport.pushesInFlight, 0)
    })
  )

  it.scoped("the wait is bounded too when the program itself is interrupted", () =>
    Effect.gen(function* () {
      const program = Effect.gen(function* () {
        const supervisor = yield* PushSupervisor
        yield* supervisor.push(request("a.example.com/app:1"))
      }).pipe(Effect.provide(supervised(() => Effect.never, { drainTimeout: "10 seconds" })))
      const fiber = yield* Effect.fork(program)
      yield* TestClock.adjust("1 second")
      const stopping = yield* Effect.fork(Fiber.interrupt(fiber))
      yield* TestClock.adjust("9 seconds")
      assert.isTrue(Option.isNone(yield* Fiber.poll(stopping)))
      yield* TestClock.adjust("1 second")
      assert.isTrue(Exit.isInterrupted(yield* Fiber.join(stopping)))
    })
  )

  it.scoped("an interrupted program lets its pushes finish within drainTimeout", () =>
    Effect.gen(function* () {
      const program = Effect.gen(function* () {
        const supervisor = yield* PushSupervisor
        yield* supervisor.push(request("a.example.com/app:1"))
      }).pipe(Effect.provide(supervised(afterOneSecond)))
      const fiber = yield* Effect.fork(program)
      yield* TestClock.adjust("500 millis")
      const stopping = yield* Effect.fork(Fiber.interrupt(fiber))
      yield* TestClock.adjust("499 millis")
      assert.isTrue(Option.isNone(yield* Fiber.poll(stopping)))
      yield* TestClock.adjust("1 millis")
      assert.isTrue(Exit.isInterrupted(yield* Fiber.join(stopping)))
    })
  )

  it.scoped("drain waits for what is in flight, and whoever stops waiting leaves the supervisor closed", () =>
    Effect.gen(function* () {
      const { events, supervisor } = yield* opened(afterOneSecond)
      yield* supervisor.submit(request("a.example.com/app:1"))
      const draining = yield* Effect.fork(supervisor.drain)
      yield* TestClock.adjust("500 millis")
      yield* Fiber.interrupt(draining)
      assert.strictEqual(
        (yield* Effect.flip(supervisor.submit(request("a.example.com/late:1"))))._tag,
        "SupervisorClosed"
      )
      yield* TestClock.adjust("500 millis")
      yield* supervisor.drain
      yield* supervisor.drain
      assert.deepStrictEqual(timeline(yield* events).slice(-2), ["1000 PushCompleted", "1000 RuntimeDrained"])
    })
  )

  it.scoped("a supervisor that was drained closes without another event", () =>
    Effect.gen(function* () {
      const { events, scope, supervisor } = yield* opened(afterOneSecond)
      yield* supervisor.drain
      yield* Scope.close(scope, Exit.void)
      assert.deepStrictEqual(timeline(yield* events), ["0 RuntimeDrained"])
    })
  )
})
