import * as FileSystem from "@effect/platform/FileSystem"
import { assert, describe, it } from "@effect/vitest"
import * as Cause from "effect/Cause"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import * as Option from "effect/Option"
import * as Random from "effect/Random"
import * as Stream from "effect/Stream"
import * as TestClock from "effect/TestClock"
import { layerFile, Replay } from "../../src/transcript/Replay.ts"
import type { Entry } from "../../src/transcript/Transcript.ts"
import { exchange, nothingOf } from "./support.ts"

const header = { schemaVersion: 1, program: "test", startedAt: "2026-01-02T03:04:05.000Z", seed: 7 }

const playing = (entries: ReadonlyArray<Entry>, rest = "") => {
  const text = [header, ...entries].map((entry) => `${JSON.stringify(entry)}\n`).join("") + rest
  return Layer.provide(layerFile("run.ndjson"), FileSystem.layerNoop({ readFileString: () => Effect.succeed(text) }))
}

const asked = (exchange: number, at: number, request: string): Entry => ({
  _tag: "Asked",
  at,
  exchange,
  party: "engine",
  request
})

const answered = (exchange: number, at: number, answer: string): Entry => ({ _tag: "Answered", at, exchange, answer })

const ask = (request: string, hear: (piece: string) => void = () => {}) =>
  Effect.flatMap(Replay, (tape) => tape.exchange(exchange(request), () => Effect.die("nobody is asked"), hear))

/** An answer with the instant at which it came. */
const timed = (request: string) =>
  Effect.flatMap(ask(request), (answer) => Effect.map(Clock.currentTimeMillis, (at) => `${answer} at ${at}`))

const inAnHour = <A, E, R>(effect: Effect.Effect<A, E, R>) =>
  Effect.gen(function* () {
    const fiber = yield* Effect.fork(effect)
    yield* TestClock.adjust("1 hour")
    return yield* Fiber.poll(fiber)
  })

describe("Replay", () => {
  it.effect("answers each request by its name and number, as long after it as in the recorded run", () =>
    Effect.gen(function* () {
      yield* TestClock.adjust("5 seconds")
      const requests = ["b", "a", "a"].map(timed)
      const fiber = yield* Effect.fork(Effect.all(requests, { concurrency: "unbounded" }))
      yield* TestClock.adjust("1 hour")
      assert.deepStrictEqual(yield* Fiber.join(fiber), ["of b at 5700", "first of a at 6000", "second of a at 5001"])
    }).pipe(
      Effect.provide(
        playing([
          asked(0, 1000, "a"),
          asked(1, 1999, "a"),
          asked(2, 1300, "b"),
          answered(0, 2000, "first of a"),
          answered(1, 2000, "second of a"),
          answered(2, 2000, "of b")
        ])
      )
    )
  )

  it.effect("says the parts of an answer at their instants, to an effect and to a stream", () =>
    Effect.gen(function* () {
      const tape = yield* Replay
      const heard: Array<string> = []
      const note = (piece: string) => Effect.map(Clock.currentTimeMillis, (at) => heard.push(`${piece} at ${at}`))
      yield* Effect.fork(Stream.runForEach(tape.stream(nothingOf("push"), Stream.die("nobody is asked")), note))
      yield* Effect.fork(ask("again", (piece) => heard.push(piece)))
      yield* TestClock.adjust("50 millis")
      assert.deepStrictEqual(heard, ["at once", "one at 10"])
      yield* TestClock.adjust("1 second")
      assert.deepStrictEqual(heard, ["at once", "one at 10", "two at 400"])
    }).pipe(
      Effect.provide(
        playing([
          asked(0, 0, "push"),
          { _tag: "Said", at: 10, exchange: 0, said: "one" },
          { _tag: "Said", at: 400, exchange: 0, said: "two" },
          { _tag: "Answered", at: 500, exchange: 0, answer: null },
          asked(1, 500, "again"),
          { _tag: "Said", at: 500, exchange: 1, said: "at once" }
        ])
      )
    )
  )

  it.effect("gives what is known without asking at once, however slow the recording machine was", () =>
    Effect.gen(function* () {
      const tape = yield* Replay
      assert.strictEqual(yield* tape.fact(exchange("address"), "unused"), "unix:///e.sock")
    }).pipe(Effect.provide(playing([asked(0, 0, "address"), answered(0, 9, "unix:///e.sock")])))
  )

  it.effect("fails and dies as the recorded run did", () =>
    Effect.gen(function* () {
      assert.strictEqual(yield* Effect.flip(ask("refused")), "no")
      const exit = yield* Effect.exit(ask("broken"))
      assert.include(Exit.match(exit, { onFailure: Cause.pretty, onSuccess: () => "" }), "a bug")
    }).pipe(
      Effect.provide(
        playing([
          asked(0, 0, "refused"),
          { _tag: "Failed", at: 0, exchange: 0, error: "no" },
          asked(1, 0, "broken"),
          { _tag: "Died", at: 0, exchange: 1, defect: "Error: a bug" }
        ])
      )
    )
  )

  it.effect("never answers what the recorded run left, or was at when it was killed, and says of a killed one", () => {
    const logged: Array<string> = []
    const logger = Logger.replace(
      Logger.defaultLogger,
      Logger.make(({ message }) => void logged.push(String(message)))
    )
    return Effect.gen(function* () {
      assert.isTrue(Option.isNone(yield* inAnHour(ask("left"))))
      assert.isTrue(Option.isNone(yield* inAnHour(ask("killed"))))
      assert.match(logged.join(), /^The last line of run\.ndjson breaks off/)
    }).pipe(
      Effect.provide(
        playing([asked(0, 0, "left"), { _tag: "Left", at: 5, exchange: 0 }, asked(1, 0, "killed")], `{"_tag":"An`)
      ),
      Effect.provide(logger)
    )
  })

  it.effect("dies of a request that the recorded run did not make, or not so often, and names it", () =>
    Effect.gen(function* () {
      yield* ask("inspectImage app:1")
      const texts: Array<string> = []
      for (const request of ["inspectImage app:2", "inspectImage app:1"]) {
        const exit = yield* Effect.exit(ask(request))
        texts.push(Exit.match(exit, { onFailure: Cause.pretty, onSuccess: () => "" }))
      }
      assert.match(
        texts[0] ?? "",
        /asks the engine "inspectImage app:2", which the recorded run never did \(did you mean/
      )
      assert.match(texts[1] ?? "", /"inspectImage app:1", once more than the recorded run, which did so once/)
      const replay = yield* Replay
      assert.deepStrictEqual(
        (yield* replay.divergences).map(({ request }) => request),
        ["inspectImage app:2", "inspectImage app:1"]
      )
      assert.deepStrictEqual(yield* replay.unasked, ["ping"])
    }).pipe(Effect.provide(playing([asked(0, 0, "inspectImage app:1"), answered(0, 0, "it"), asked(1, 0, "ping")])))
  )

  it.effect("fails as a question says that depends on what else is in flight, when it was not recorded", () =>
    Effect.gen(function* () {
      const replay = yield* Replay
      const ask = replay.exchange(
        exchange("info", { unrecorded: "not asked" }),
        () => Effect.die("nobody is asked"),
        () => {}
      )
      assert.strictEqual(yield* ask, "it")
      assert.strictEqual(yield* Effect.flip(ask), "not asked")
      assert.deepStrictEqual(yield* replay.divergences, [])
    }).pipe(Effect.provide(playing([asked(0, 0, "info"), answered(0, 0, "it")])))
  )

  it.effect("draws the random numbers of the recorded run, and knows when that began", () =>
    Effect.gen(function* () {
      assert.strictEqual(yield* Random.next, yield* Effect.withRandom(Random.next, Random.make(7)))
      assert.strictEqual(String((yield* Replay).startedAt), "DateTime.Utc(2026-01-02T03:04:05.000Z)")
    }).pipe(Effect.provide(playing([])))
  )
})
