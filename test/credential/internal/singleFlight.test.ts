import { assert, describe, it } from "@effect/vitest"
import * as Deferred from "effect/Deferred"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Scope from "effect/Scope"
import * as TestClock from "effect/TestClock"
import { makeSingleFlight } from "../../../src/credential/internal/singleFlight.ts"

const minute = () => Duration.minutes(1)

/** Work that counts its starts and interruptions and waits for its gate. */
const makeWork = Effect.gen(function* () {
  const gate = yield* Deferred.make<string, string>()
  const started = yield* Deferred.make<void>()
  const counts = { starts: 0, interrupts: 0 }
  const run = Effect.sync(() => counts.starts++).pipe(
    Effect.zipRight(Deferred.succeed(started, undefined)),
    Effect.zipRight(Deferred.await(gate)),
    Effect.onInterrupt(() => Effect.sync(() => counts.interrupts++))
  )
  return { counts, gate, run, started: Deferred.await(started) }
})

describe("makeSingleFlight", () => {
  it.scoped("runs once for 20 fibers, wherever the scheduler lets them yield", () =>
    Effect.gen(function* () {
      // With fewer operations than 10 a fiber spends them all on yielding.
      for (let operations = 12; operations < 48; operations += 3) {
        const share = yield* makeSingleFlight<number, never>(minute)
        let starts = 0
        const run = Effect.zipRight(
          Effect.yieldNow(),
          Effect.sync(() => ++starts)
        )
        const values = yield* Effect.replicateEffect(Effect.yieldNow().pipe(Effect.zipRight(share("a", run))), 20, {
          concurrency: "unbounded"
        }).pipe(Effect.withMaxOpsBeforeYield(operations))
        assert.deepStrictEqual(new Set(values), new Set([1]))
      }
    })
  )

  it.scoped("does not mix keys", () =>
    Effect.gen(function* () {
      const share = yield* makeSingleFlight<string, never>(minute)
      const both = yield* Effect.all([share("a", Effect.succeed("a")), share("b", Effect.succeed("b"))])
      assert.deepStrictEqual(both, ["a", "b"])
    })
  )

  it.scoped("remembers a value for its time to live", () =>
    Effect.gen(function* () {
      const share = yield* makeSingleFlight<number, never>(minute)
      assert.strictEqual(yield* share("a", Effect.succeed(1)), 1)
      yield* TestClock.adjust("59999 millis")
      assert.strictEqual(yield* share("a", Effect.succeed(2)), 1)
      yield* TestClock.adjust("1 millis")
      assert.strictEqual(yield* share("a", Effect.succeed(3)), 3)
    })
  )

  it.scoped("gives a failure to all who wait and forgets it", () =>
    Effect.gen(function* () {
      const share = yield* makeSingleFlight<string, string>(minute)
      const work = yield* makeWork
      const waiting = yield* Effect.fork(
        Effect.all([share("a", work.run), share("a", work.run)].map(Effect.flip), { concurrency: 2 })
      )
      yield* work.started
      yield* Deferred.fail(work.gate, "no")
      assert.deepStrictEqual(yield* Fiber.join(waiting), ["no", "no"])
      assert.strictEqual(work.counts.starts, 1)
      assert.strictEqual(yield* share("a", Effect.succeed("yes")), "yes")
    })
  )

  it.scoped("goes on when the first who asked is interrupted", () =>
    Effect.gen(function* () {
      const share = yield* makeSingleFlight<string, string>(minute)
      const work = yield* makeWork
      const first = yield* Effect.fork(share("a", work.run))
      const second = yield* Effect.fork(share("a", work.run))
      yield* work.started
      yield* Fiber.interrupt(first)
      assert.deepStrictEqual(work.counts, { starts: 1, interrupts: 0 })
      yield* Deferred.succeed(work.gate, "yes")
      assert.strictEqual(yield* Fiber.join(second), "yes")
    })
  )

  it.scoped("ends with the last who waits, and starts anew for the next", () =>
    Effect.gen(function* () {
      const share = yield* makeSingleFlight<string, string>(minute)
      const work = yield* makeWork
      const both = yield* Effect.fork(Effect.all([share("a", work.run), share("a", work.run)], { concurrency: 2 }))
      yield* work.started
      yield* Fiber.interrupt(both)
      assert.deepStrictEqual(work.counts, { starts: 1, interrupts: 1 })
      assert.strictEqual(yield* share("a", Effect.succeed("yes")), "yes")
    })
  )

  it.effect("ends with its scope", () =>
    Effect.gen(function* () {
      const scope = yield* Scope.make()
      const share = yield* Scope.extend(makeSingleFlight<string, string>(minute), scope)
      const work = yield* makeWork
      const waiting = yield* Effect.fork(share("a", work.run))
      yield* work.started
      yield* Scope.close(scope, Exit.void)
      assert.strictEqual(work.counts.interrupts, 1)
      assert.isTrue(Exit.isInterrupted(yield* Fiber.await(waiting)))
    })
  )
})
