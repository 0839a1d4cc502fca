import { assert, describe, it } from "@effect/vitest"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Stream from "effect/Stream"
import * as TestClock from "effect/TestClock"
import { PushSupervisor, type PushSupervisorOptions } from "../../src/runtime/PushSupervisor.ts"
import * as TestTransport from "../../src/testing/TestTransport.ts"
import { requests, supervised } from "../support/supervisor.ts"

/** Pushes to `a.example.com` hang; to any other registry they take a second. */
const aHangs = (call: TestTransport.PushCall) =>
  call.target.registry === "a.example.com"
    ? Effect.never
    : Effect.delay(Effect.succeed(TestTransport.result()), "1 second")

/** The instants at which pushes complete. */
const completions = (hosts: Readonly<Record<string, number>>, options: PushSupervisorOptions) =>
  Effect.scoped(
    Effect.gen(function* () {
      const supervisor = yield* PushSupervisor
      const completed: Array<number> = []
      yield* (yield* supervisor.subscribe).pipe(
        Stream.filter((event) => event._tag === "PushCompleted"),
        Stream.runForEach((event) => Effect.sync(() => completed.push(event.at.epochMillis))),
        Effect.forkScoped
      )
      const startedAt = yield* Clock.currentTimeMillis
      yield* supervisor.submitAll(Object.entries(hosts).flatMap(([host, count]) => requests(host, count)))
      yield* TestClock.adjust("20 seconds")
      return completed.map((at) => at - startedAt)
    }).pipe(Effect.provide(supervised(aHangs, { ...options, drainTimeout: 0 })))
  )

describe("PushSupervisor's fairness", () => {
  const cases: ReadonlyArray<readonly [string, PushSupervisorOptions]> = [
    ["each registry limited to half the cap", { maxInFlight: 4, concurrency: 2 }],
    [
      "only the cap holding the one that hangs back",
      { maxInFlight: 4, concurrency: 1_000, registryConcurrency: { "b.example.com": 1 } }
    ]
  ]
  for (const [title, options] of cases) {
    it.effect(
      `a registry that hangs with 1,000 queued moves no other's instants: ${title}`,
      () =>
        Effect.gen(function* () {
          const alone = yield* completions({ "b.example.com": 10 }, options)
          const together = yield* completions({ "a.example.com": 1_000, "b.example.com": 10 }, options)
          assert.strictEqual(alone.length, 10)
          assert.deepStrictEqual(together, alone)
        }),
      30_000
    )
  }

  it.scoped("with more registries than permits, each gets its turn", () =>
    Effect.gen(function* () {
      const supervisor = yield* PushSupervisor
      const transport = yield* TestTransport.TestTransport
      const all = yield* Effect.fork(
        supervisor.pushAll([
          ...requests("b.example.com", 6),
          ...requests("c.example.com", 2),
          ...requests("d.example.com", 2)
        ])
      )
      yield* TestClock.adjust("1 minute")
      yield* Fiber.join(all)
      assert.deepStrictEqual(
        (yield* transport.calls).map((call) => call.target.registry[0]),
        ["b", "c", "b", "c", "b", "b", "b", "b"]
      )
    }).pipe(Effect.provide(supervised(aHangs, { maxInFlight: 1 })))
  )
})
