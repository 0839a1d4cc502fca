import { assert, describe, it } from "@effect/vitest"
import * as Array from "effect/Array"
import * as Cause from "effect/Cause"
import * as Config from "effect/Config"
import * as ConfigProvider from "effect/ConfigProvider"
import * as Context from "effect/Context"
import * as DateTime from "effect/DateTime"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"
import * as Random from "effect/Random"
import * as Scope from "effect/Scope"
import * as TestClock from "effect/TestClock"
import * as Lease from "../../src/credential/Lease.ts"
import * as RecordingTracer from "../support/recordingTracer.ts"
import { makeIssuer } from "./support/issuer.ts"

/** Borrows, and gives back at once. */
const glance = <A, E>(lease: Lease.Lease<A, E>) => Effect.scoped(lease.borrow)

/** Borrows until the fiber is interrupted. */
const keep = <A, E>(lease: Lease.Lease<A, E>) => Effect.scoped(Effect.zipRight(lease.borrow, Effect.never))

/** Runs forked fibers until none can go on. */
const settle = Effect.yieldNow().pipe(Effect.repeatN(50))

class Owner extends Context.Reference<Owner>()("test/Owner", { defaultValue: () => "nobody" }) {}

describe("Lease", () => {
  it.scoped(
    "issues once for 50 borrowers of an expired value, wherever the scheduler lets them yield",
    () =>
      Effect.gen(function* () {
        // With fewer operations than 10 a fiber spends them all on yielding.
        for (let operations = 12; operations < 48; operations += 4) {
          yield* Effect.gen(function* () {
            const { acquire, check, closed, state } = yield* makeIssuer
            const lease = yield* Lease.make({ acquire, check })
            yield* glance(lease)
            state.stale.add(1)
            const borrowed = yield* Effect.forEach(
              Array.range(1, 50),
              (start) => Effect.zipRight(Effect.repeatN(Effect.yieldNow(), start % 7), glance(lease)),
              { concurrency: "unbounded" }
            )
            assert.deepStrictEqual(
              new Set(borrowed.map(({ generation, value }) => `${generation} ${value}`)),
              new Set(["2 2"])
            )
            assert.strictEqual(state.issues, 2, `with ${operations} operations before a fiber yields`)
            assert.deepStrictEqual(closed, [1])
          }).pipe(Effect.withMaxOpsBeforeYield(operations))
        }
      }),
    20_000
  )

  it.scoped("gives what was issued to later borrowers while it is good", () =>
    Effect.gen(function* () {
      const { acquire, check, closed } = yield* makeIssuer
      const lease = yield* Lease.make({ acquire, check })
      assert.deepStrictEqual(yield* glance(lease), { generation: 1, value: 1 })
      assert.deepStrictEqual(yield* glance(lease), { generation: 1, value: 1 })
      assert.deepStrictEqual(closed, [])
    })
  )

  it.scoped("keeps an expired value open for those who use it, and closes it after the last of them", () =>
    Effect.gen(function* () {
      const { acquire, check, closed, state } = yield* makeIssuer
      const lease = yield* Lease.make({ acquire, check })
      const [slow, slower] = [yield* Effect.fork(keep(lease)), yield* Effect.fork(keep(lease))]
      yield* settle
      state.stale.add(1)
      assert.deepStrictEqual(yield* glance(lease), { generation: 2, value: 2 })
      yield* Fiber.interrupt(slow)
      assert.deepStrictEqual(closed, [])
      yield* Fiber.interrupt(slower)
      assert.deepStrictEqual(closed, [1])
    })
  )

  it.scoped("gives a failed issue to all who wait for it and does not remember it", () =>
    Effect.gen(function* () {
      const { acquire, check, closed, hold, state } = yield* makeIssuer
      const lease = yield* Lease.make({ acquire, check })
      const gate = yield* hold
      const waiting = yield* Effect.fork(
        Effect.all([glance(lease), glance(lease)].map(Effect.flip), { concurrency: "unbounded" })
      )
      yield* gate.reached
      yield* gate.fail("no")
      assert.deepStrictEqual(yield* Fiber.join(waiting), ["no", "no"])
      assert.deepStrictEqual(closed, [1])
      assert.strictEqual(state.issues, 1)
      assert.deepStrictEqual(yield* glance(lease), { generation: 1, value: 2 })
    })
  )

  it.scoped("begins one new issue for those who try again at once after a failed one", () =>
    Effect.gen(function* () {
      const { acquire, check, hold, state } = yield* makeIssuer
      const lease = yield* Lease.make({ acquire, check })
      const gate = yield* hold
      const retrying = Effect.retry(glance(lease), { times: 1 })
      const waiting = yield* Effect.fork(Effect.replicateEffect(retrying, 3, { concurrency: "unbounded" }))
      yield* gate.reached
      yield* gate.fail("no")
      assert.deepStrictEqual(
        (yield* Fiber.join(waiting)).map(({ value }) => value),
        [2, 2, 2]
      )
      assert.strictEqual(state.issues, 2)
    })
  )

  it.scoped("hands on a defect of an issue and does not remember it", () =>
    Effect.gen(function* () {
      let issues = 0
      const lease = yield* Lease.make({
        acquire: Effect.suspend(() => (++issues === 1 ? Effect.dieMessage("broken") : Effect.succeed(issues))),
        check: () => Effect.succeed("reuse")
      })
      const exit = yield* Effect.exit(glance(lease))
      assert.include(String(Exit.isFailure(exit) && Cause.squash(exit.cause)), "broken")
      assert.deepStrictEqual(yield* glance(lease), { generation: 1, value: 2 })
    })
  )

  it.scoped("goes on with an issue when the borrower who began it is interrupted", () =>
    Effect.gen(function* () {
      const { acquire, check, hold, state } = yield* makeIssuer
      const lease = yield* Lease.make({ acquire, check })
      const gate = yield* hold
      const first = yield* Effect.fork(glance(lease))
      yield* gate.reached
      const second = yield* Effect.fork(glance(lease))
      yield* settle
      yield* Fiber.interrupt(first)
      yield* gate.open
      assert.deepStrictEqual(yield* Fiber.join(second), { generation: 1, value: 1 })
      assert.strictEqual(state.issues, 1)
    })
  )

  it.scoped("interrupts an issue for which nobody waits any more, and closes what it had acquired", () =>
    Effect.gen(function* () {
      const { acquire, check, closed, hold, state } = yield* makeIssuer
      const lease = yield* Lease.make({ acquire, check })
      const gate = yield* hold
      const only = yield* Effect.fork(glance(lease))
      yield* gate.reached
      yield* Fiber.interrupt(only)
      assert.strictEqual(state.interrupted, 1)
      assert.deepStrictEqual(closed, [1])
      state.gate = Effect.void
      assert.deepStrictEqual(yield* glance(lease), { generation: 1, value: 2 })
    })
  )

  it.scoped("uses what was issued for a borrower without another look, however short-lived it is", () =>
    Effect.gen(function* () {
      const { acquire, state } = yield* makeIssuer
      const lease = yield* Lease.make({ acquire, check: () => Effect.as(Effect.yieldNow(), "stale" as const) })
      assert.deepStrictEqual(yield* glance(lease), { generation: 1, value: 1 })
      const borrowed = yield* Effect.replicateEffect(glance(lease), 50, { concurrency: "unbounded" })
      assert.deepStrictEqual(new Set(borrowed.map(({ value }) => value)), new Set([2]))
      assert.strictEqual(state.issues, 2)
    })
  )

  it.scoped("expires the current generation, and no other one", () =>
    Effect.gen(function* () {
      const { acquire, check, closed } = yield* makeIssuer
      const lease = yield* Lease.make({ acquire, check })
      yield* glance(lease)
      yield* lease.expire(1)
      assert.deepStrictEqual(closed, [1])
      assert.strictEqual((yield* glance(lease)).generation, 2)
      // 49 of 50 who were refused with generation 1 come too late.
      yield* lease.expire(1)
      assert.strictEqual((yield* glance(lease)).generation, 2)
      assert.deepStrictEqual(closed, [1])
    })
  )

  it.scoped("does not give a generation that is expired while a borrower looks at it", () =>
    Effect.gen(function* () {
      const { acquire, closed } = yield* makeIssuer
      const looking = yield* Deferred.make<void>()
      const looked = yield* Deferred.make<"reuse">()
      const lease = yield* Lease.make({
        acquire,
        check: () => Effect.zipRight(Deferred.succeed(looking, undefined), Deferred.await(looked))
      })
      yield* glance(lease)
      const borrower = yield* Effect.fork(glance(lease))
      yield* Deferred.await(looking)
      yield* lease.expire(1)
      assert.deepStrictEqual(closed, [])
      yield* Deferred.succeed(looked, "reuse")
      assert.strictEqual((yield* Fiber.join(borrower)).generation, 2)
      assert.deepStrictEqual(closed, [1])
    })
  )

  it.scoped("counts out a borrower who is interrupted while looking", () =>
    Effect.gen(function* () {
      const { acquire, closed } = yield* makeIssuer
      const lease = yield* Lease.make({ acquire, check: () => Effect.never })
      yield* glance(lease)
      const borrower = yield* Effect.fork(glance(lease))
      yield* settle
      yield* Fiber.interrupt(borrower)
      yield* lease.expire(1)
      assert.deepStrictEqual(closed, [1])
    })
  )

  it.scoped("fails as its check does, and keeps its value", () =>
    Effect.gen(function* () {
      const { acquire, closed } = yield* makeIssuer
      const lease = yield* Lease.make({ acquire, check: () => Effect.fail("unreadable" as const) })
      yield* glance(lease)
      assert.strictEqual(yield* Effect.flip(glance(lease)), "unreadable")
      assert.deepStrictEqual(closed, [])
      yield* lease.expire(1)
      assert.strictEqual((yield* glance(lease)).generation, 2)
    })
  )

  it.scoped("looks at the time of the Clock", () =>
    Effect.gen(function* () {
      const { acquire } = yield* makeIssuer
      const lease = yield* Lease.make({
        acquire,
        check: (_, now) => Effect.succeed(now.epochMillis > 1000 ? "stale" : "reuse")
      })
      yield* glance(lease)
      yield* TestClock.adjust("1 second")
      assert.strictEqual((yield* glance(lease)).generation, 1)
      yield* TestClock.adjust("1 millis")
      assert.strictEqual((yield* glance(lease)).generation, 2)
    })
  )

  it.scoped("issues and checks with its owner's services, never a borrower's", () =>
    Effect.gen(function* () {
      const seen: Array<string> = []
      const lease = yield* Lease.make({
        acquire: Effect.all([Owner, Effect.orDie(Config.string("WHO"))]),
        check: () =>
          Effect.map(Owner, (owner) => {
            seen.push(owner)
            return "reuse" as const
          })
      }).pipe(
        Effect.provideService(Owner, "the owner"),
        Effect.withConfigProvider(ConfigProvider.fromMap(new Map([["WHO", "the owner"]])))
      )
      const borrow = glance(lease).pipe(
        Effect.provideService(Owner, "a borrower"),
        Effect.withConfigProvider(ConfigProvider.fromMap(new Map([["WHO", "a borrower"]])))
      )
      assert.deepStrictEqual((yield* borrow).value, ["the owner", "the owner"])
      yield* borrow
      assert.deepStrictEqual(seen, ["the owner"])
    })
  )

  it.effect("closes what it holds with its scope, users or not, and dies for whoever borrows then", () =>
    Effect.gen(function* () {
      const { acquire, check, closed, state } = yield* makeIssuer
      const scope = yield* Scope.make()
      const lease = yield* Scope.extend(Lease.make({ acquire, check }), scope)
      const user = yield* Effect.fork(keep(lease))
      yield* settle
      yield* Scope.close(scope, Exit.void)
      assert.deepStrictEqual(closed, [1])
      const exit = yield* Effect.exit(glance(lease))
      assert.include(String(Exit.isFailure(exit) && Cause.squash(exit.cause)), "The lease is closed")
      assert.strictEqual(state.issues, 1)
      yield* Fiber.interrupt(user)
      assert.deepStrictEqual(closed, [1])
    })
  )

  it.effect("interrupts an issue under way when its scope closes, and dies for those who wait", () =>
    Effect.gen(function* () {
      const { acquire, check, closed, hold, state } = yield* makeIssuer
      const scope = yield* Scope.make()
      const lease = yield* Scope.extend(Lease.make({ acquire, check }), scope)
      yield* glance(lease)
      state.stale.add(1)
      const gate = yield* hold
      const waiting = yield* Effect.fork(glance(lease))
      yield* gate.reached
      yield* Scope.close(scope, Exit.void)
      const exit = yield* Fiber.await(waiting)
      assert.include(String(Exit.isFailure(exit) && Cause.squash(exit.cause)), "The lease is closed")
      assert.deepStrictEqual({ issues: state.issues, interrupted: state.interrupted }, { issues: 2, interrupted: 1 })
      assert.deepStrictEqual(closed, [1, 2])
    })
  )

  it.scoped("can interrupt an issue also when it was made where nothing is interruptible", () =>
    Effect.gen(function* () {
      const { acquire, check, hold, state } = yield* makeIssuer
      const lease = yield* Effect.uninterruptible(Lease.make({ acquire, check }))
      const gate = yield* hold
      const only = yield* Effect.fork(glance(lease))
      yield* gate.reached
      yield* Effect.forkDaemon(Fiber.interrupt(only))
      yield* settle
      assert.strictEqual(state.interrupted, 1)
    })
  )

  describe("renewal", () => {
    const at = (seconds: number) => DateTime.unsafeMake(seconds * 1000)
    const window = { from: at(60), until: at(80) }

    const makeRenewing = Effect.gen(function* () {
      const issuer = yield* makeIssuer
      const lease = yield* Lease.make({
        acquire: issuer.acquire,
        check: issuer.check,
        renewal: (issue) => (issue === 1 ? Option.some(window) : Option.none())
      }).pipe(Effect.withRandom(Random.fixed([0.5])))
      return { ...issuer, lease }
    })

    it.scoped("replaces a value in use at a random moment of its window, and nobody waits", () =>
      Effect.gen(function* () {
        const { closed, hold, lease, state } = yield* makeRenewing
        const user = yield* Effect.fork(keep(lease))
        yield* settle
        yield* TestClock.adjust("69999 millis")
        assert.strictEqual(state.issues, 1)
        const gate = yield* hold
        yield* TestClock.adjust("1 millis")
        yield* gate.reached
        assert.strictEqual((yield* glance(lease)).generation, 1)
        yield* gate.open
        yield* settle
        assert.deepStrictEqual(yield* glance(lease), { generation: 2, value: 2 })
        assert.deepStrictEqual(closed, [])
        yield* Fiber.interrupt(user)
        assert.deepStrictEqual(closed, [1])
      })
    )

    it.scoped("leaves a value alone that nobody uses", () =>
      Effect.gen(function* () {
        const { lease, state } = yield* makeRenewing
        yield* glance(lease)
        yield* TestClock.adjust("2 minutes")
        assert.strictEqual(state.issues, 1)
      })
    )

    it.scoped("issues nothing for a value that was expired before", () =>
      Effect.gen(function* () {
        const { lease, state } = yield* makeRenewing
        yield* Effect.fork(keep(lease))
        yield* settle
        yield* lease.expire(1)
        yield* glance(lease)
        yield* TestClock.adjust("2 minutes")
        assert.strictEqual(state.issues, 2)
      })
    )

    it.scoped("keeps the value when its renewal fails", () =>
      Effect.gen(function* () {
        const { closed, hold, lease, state } = yield* makeRenewing
        yield* Effect.fork(keep(lease))
        yield* settle
        const gate = yield* hold
        yield* TestClock.adjust("70 seconds")
        yield* gate.fail("no")
        yield* settle
        assert.strictEqual((yield* glance(lease)).generation, 1)
        assert.deepStrictEqual(closed, [2])
        state.stale.add(1)
        assert.deepStrictEqual(yield* glance(lease), { generation: 2, value: 3 })
      })
    )

    it.scoped("is the issue that a borrower waits for who finds the value stale meanwhile", () =>
      Effect.gen(function* () {
        const { hold, lease, state } = yield* makeRenewing
        const user = yield* Effect.fork(keep(lease))
        yield* settle
        const gate = yield* hold
        yield* TestClock.adjust("70 seconds")
        state.stale.add(1)
        const waiting = yield* Effect.fork(glance(lease))
        yield* settle
        yield* Fiber.interrupt(user)
        yield* gate.open
        assert.deepStrictEqual(yield* Fiber.join(waiting), { generation: 2, value: 2 })
        assert.strictEqual(state.issues, 2)
      })
    )

    it.scoped("closes a value that lost its last user while the renewal was under way", () =>
      Effect.gen(function* () {
        const { closed, hold, lease } = yield* makeRenewing
        const user = yield* Effect.fork(keep(lease))
        yield* settle
        const gate = yield* hold
        yield* TestClock.adjust("70 seconds")
        yield* Fiber.interrupt(user)
        yield* gate.open
        yield* settle
        assert.deepStrictEqual(closed, [1])
        assert.deepStrictEqual(yield* glance(lease), { generation: 2, value: 2 })
      })
    )

    it.scoped("is left alone when its window has begun at the issue", () =>
      Effect.gen(function* () {
        yield* TestClock.setTime(60_000)
        const { lease, state } = yield* makeRenewing
        yield* Effect.fork(keep(lease))
        yield* settle
        yield* TestClock.adjust("2 minutes")
        assert.strictEqual(state.issues, 1)
      })
    )
  })

  it.effect("looks at a value as part of what its borrower does, not of what its owner did", () => {
    const spans: Array<RecordingTracer.RecordedSpan> = []
    return Effect.gen(function* () {
      const lease = yield* Effect.withSpan(
        Lease.make({
          acquire: Effect.succeed("value"),
          check: () => Effect.withSpan(Effect.succeed("reuse" as const), "look")
        }),
        "start-up"
      )
      yield* glance(lease)
      yield* Effect.withSpan(glance(lease), "push")
      const [look, ...others] = spans.filter(({ name }) => name === "look")
      assert.deepStrictEqual(others, [])
      const borrow = Option.getOrThrow(Option.flatMap(Option.fromNullable(look), ({ parent }) => parent))
      assert.strictEqual(spans.find(({ spanId }) => spanId === borrow.spanId)?.name, "Lease.borrow")
    }).pipe(Effect.scoped, Effect.withTracer(RecordingTracer.make(spans)))
  })
})
