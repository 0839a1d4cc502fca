import { createHash } from "node:crypto"
import { assert, describe, it } from "@effect/vitest"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as FastCheck from "effect/FastCheck"
import * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"
import * as TestClock from "effect/TestClock"
import type { AttemptEvent } from "../../src/push/PushEvent.ts"
import * as FirstHome from "../../src/transport/internal/firstHome.ts"

type Emit = (event: AttemptEvent) => void

/** A layer's diff id, and what an engine calls it. */
const diffId = (layer: string) => `sha256:${layer.padEnd(64, "0")}`
const named = (layer: string) => layer.padEnd(12, "0")

const progress = (layer: string, current: number): AttemptEvent => ({
  _tag: "LayerProgress",
  layer: named(layer),
  current
})
const pushed = (layer: string, outcome: "uploaded" | "existing" | "mounted" = "uploaded"): AttemptEvent => ({
  _tag: "LayerPushed",
  layer: named(layer),
  outcome
})

interface Started {
  readonly repository: string
  readonly emit: Emit
  readonly end: Effect.Effect<void>
  readonly fail: Effect.Effect<void>
}

/** Pushes whose sending is in the test's hands, in the order in which they began. */
const makeWorld = (namesLayers = Effect.succeed(Option.some(true))) => {
  const pushLayers = FirstHome.make(namesLayers)
  const started: Array<Started> = []
  const seen: Array<string> = []
  const push = (repository: string, layers: ReadonlyArray<string>, registry = "reg.io") =>
    Effect.flatMap(Deferred.make<void, "refused">(), (over) =>
      pushLayers({
        registry,
        repository,
        layers: layers.map(diffId),
        emit: (event) =>
          seen.push(event._tag === "LayerProgress" ? `${repository} ${event.layer} ${event.current}` : event._tag),
        send: (emit) =>
          Effect.suspend(() => {
            started.push({
              repository,
              emit,
              end: Effect.asVoid(Deferred.succeed(over, undefined)),
              fail: Effect.asVoid(Deferred.fail(over, "refused"))
            })
            return Deferred.await(over)
          })
      })
    ).pipe(Effect.fork, Effect.tap(settled))
  const at = (index: number): Started => started[index] ?? assert.fail(`push ${index} has not begun`)
  return { at, began: () => started.map(({ repository }) => repository), push, seen }
}

/** Lets every fiber come to its next wait. */
const settled = Effect.asVoid(TestClock.adjust(0))

describe("a layer's first home", () => {
  it.effect("is where it is sent, and others go a second after it is there, although that push goes on", () =>
    Effect.gen(function* () {
      const { at, began, push } = makeWorld()
      yield* push("a", ["1", "2"])
      yield* push("b", ["1", "3"])
      yield* push("c", ["1"])
      at(0).emit(pushed("2"))
      yield* TestClock.adjust("1 second")
      assert.deepStrictEqual(began(), ["a"])
      at(0).emit(pushed("1"))
      yield* TestClock.adjust("999 millis")
      assert.deepStrictEqual(began(), ["a"], "the engine has still to note it")
      yield* TestClock.adjust("1 millis")
      assert.deepStrictEqual(began().toSorted(), ["a", "b", "c"])
      yield* push("d", ["1"])
      assert.strictEqual(began().length, 4, "it is remembered")
    })
  )

  it.effect("is known at once when the engine finds the layer there, or mounts it", () =>
    Effect.gen(function* () {
      for (const outcome of ["existing", "mounted"] as const) {
        const { at, began, push } = makeWorld()
        yield* push("a", ["1"])
        yield* push("b", ["1"])
        at(0).emit(pushed("1", outcome))
        yield* settled
        assert.deepStrictEqual(began(), ["a", "b"])
      }
    })
  )

  it.effect("is known when its push ends well, whatever the engine has told of layers", () =>
    Effect.gen(function* () {
      const { at, began, push } = makeWorld()
      yield* push("a", ["1"])
      yield* push("b", ["1"])
      yield* at(0).end
      yield* settled
      yield* push("c", ["1"])
      assert.deepStrictEqual(began(), ["a", "b", "c"])
    })
  )

  it.effect(
    "is waited for by nobody who shares no layer with files, has another registry, or the same repository",
    () =>
      Effect.gen(function* () {
        const { began, push } = makeWorld()
        const withoutFiles = createHash("sha256").update(Buffer.alloc(1024)).digest("hex")
        yield* push("a", ["1", withoutFiles])
        yield* push("b", ["2", withoutFiles])
        yield* push("a", ["1", "3"])
        yield* push("c", ["1"], "other.io")
        yield* push("d", [])
        assert.deepStrictEqual(began(), ["a", "b", "a", "c", "d"])
      })
  )

  it.effect("is waited for once for each layer", () =>
    Effect.gen(function* () {
      const { at, began, push } = makeWorld()
      yield* push("a", ["1"])
      yield* push("b", ["2"])
      yield* push("c", ["1", "2", "2"])
      at(0).emit(pushed("1", "existing"))
      yield* settled
      assert.deepStrictEqual(began(), ["a", "b"])
      at(1).emit(pushed("2", "existing"))
      yield* settled
      assert.deepStrictEqual(began(), ["a", "b", "c"])
    })
  )

  it.effect("is another one when its push fails soon, or is interrupted at any time", () =>
    Effect.gen(function* () {
      const { at, began, push } = makeWorld()
      yield* push("a", ["1"])
      const second = yield* push("b", ["1"])
      yield* push("c", ["1"])
      yield* push("d", ["1"])
      yield* TestClock.adjust("5 seconds")
      yield* at(0).fail
      yield* settled
      assert.deepStrictEqual(began(), ["a", "b"])
      yield* TestClock.adjust("30 seconds")
      yield* Fiber.interrupt(second)
      yield* settled
      assert.deepStrictEqual(began(), ["a", "b", "c"])
    })
  )

  it.effect(
    "is nowhere after a failure that took long: all who waited go, and who comes later waits for one of them",
    () =>
      Effect.gen(function* () {
        const { at, began, push } = makeWorld()
        for (const repository of ["a", "b", "c"]) yield* push(repository, ["1"])
        yield* TestClock.adjust("5001 millis")
        yield* at(0).fail
        yield* settled
        assert.deepStrictEqual(began(), ["a", "b", "c"])
        yield* push("d", ["1"])
        assert.strictEqual(began().length, 3)
      })
  )

  it.effect("shows its progress to all who wait for it, and to nobody else", () =>
    Effect.gen(function* () {
      const { at, push, seen } = makeWorld()
      yield* push("a", ["1", "2"])
      yield* push("b", ["1"])
      const gone = yield* push("c", ["1"])
      yield* push("d", ["3"])
      yield* Fiber.interrupt(gone)
      at(0).emit(progress("1", 0))
      at(0).emit(progress("1", 5))
      yield* settled
      at(0).emit(progress("1", 6))
      at(0).emit(progress("2", 7))
      const lines = [0, 5, 6].flatMap((count) => [`a ${named("1")} ${count}`, `b ${named("1")} ${count}`])
      assert.deepStrictEqual(seen, [...lines, `a ${named("2")} 7`])
    })
  )

  it.effect("is waited for until it has not moved for a minute, and then by nobody", () =>
    Effect.gen(function* () {
      const { at, began, push } = makeWorld()
      yield* push("a", ["1", "2"])
      yield* push("b", ["1"])
      yield* push("c", ["1"])
      for (const count of [1, 2]) {
        yield* TestClock.adjust("59 seconds")
        at(0).emit(progress("1", count))
      }
      yield* TestClock.adjust("30 seconds")
      at(0).emit(progress("1", 0))
      at(0).emit(progress("2", 1))
      yield* TestClock.adjust("29999 millis")
      assert.deepStrictEqual(began(), ["a"])
      yield* TestClock.adjust("1 millis")
      assert.deepStrictEqual(began().toSorted(), ["a", "b", "c"])
      yield* push("d", ["1"])
      assert.strictEqual(began().length, 4)
    })
  )

  it.effect("is waited for two minutes before it moves, and again when those who were given up have ended", () =>
    Effect.gen(function* () {
      const { at, began, push } = makeWorld()
      yield* push("a", ["1", "2"])
      yield* push("b", ["1"])
      yield* TestClock.adjust("119999 millis")
      at(0).emit(progress("2", 1))
      assert.deepStrictEqual(began(), ["a"])
      yield* TestClock.adjust("1 millis")
      assert.deepStrictEqual(began(), ["a", "b"])
      yield* at(1).fail
      yield* at(0).fail
      yield* settled
      yield* push("c", ["1"])
      yield* push("d", ["1"])
      assert.deepStrictEqual(began(), ["a", "b", "c"])
    })
  )

  it.effect("is known when it arrives after it was given up", () =>
    Effect.gen(function* () {
      const { at, began, push } = makeWorld()
      yield* push("a", ["1", "2"])
      yield* push("b", ["1"])
      yield* TestClock.adjust("2 minutes")
      at(0).emit(pushed("1"))
      yield* at(0).fail
      yield* at(1).fail
      yield* settled
      yield* push("c", ["1"])
      yield* push("d", ["1"])
      assert.deepStrictEqual(began(), ["a", "b", "c", "d"])
    })
  )

  it.effect("is of no use in a registry that does not mount, until it does", () =>
    Effect.gen(function* () {
      const { at, began, push } = makeWorld()
      yield* push("a", ["1"])
      yield* push("b", ["1"])
      yield* at(0).end
      yield* settled
      at(1).emit(pushed("1"))
      yield* push("c", ["2"])
      yield* push("d", ["2"])
      assert.deepStrictEqual(began(), ["a", "b", "c", "d"])
      yield* push("e", ["2"], "other.io")
      yield* push("f", ["2"], "other.io")
      assert.deepStrictEqual(began().slice(4), ["e"])
      at(3).emit(pushed("9", "mounted"))
      yield* push("g", ["2"])
      assert.deepStrictEqual(began().slice(4), ["e"])
    })
  )

  it.effect(
    "is waited for only when the engine names layers, which it is asked when it matters, and as long as it does",
    () =>
      Effect.gen(function* () {
        const answers = [Option.none(), Option.some(true)]
        let asked = 0
        const { at, began, push } = makeWorld(
          Effect.delay(
            Effect.sync(() => answers[asked++] ?? Option.none()),
            "1 second"
          )
        )
        yield* push("a", ["1"])
        yield* push("b", ["2"])
        assert.strictEqual(asked, 0)
        yield* push("c", ["1"])
        yield* TestClock.adjust("1 second")
        assert.deepStrictEqual(began(), ["a", "b", "c"])
        yield* push("d", ["2"])
        yield* at(1).end
        yield* settled
        assert.deepStrictEqual(began(), ["a", "b", "c", "d"], "the layer was there before the answer")
        yield* push("e", ["1"])
        yield* TestClock.adjust("1 second")
        yield* push("f", ["1"])
        yield* TestClock.adjust("1 second")
        assert.deepStrictEqual([began().length, asked], [4, 2])
      })
  )

  it.effect("is remembered for the latest 4096 layers", () =>
    Effect.gen(function* () {
      const { at, began, push } = makeWorld()
      yield* push(
        "a",
        Array.from({ length: 4097 }, (_, index) => `${index}x`)
      )
      yield* at(0).end
      yield* settled
      yield* push("b", ["0x"])
      yield* push("c", ["0x"])
      yield* push("d", ["4096x"])
      assert.deepStrictEqual(began(), ["a", "b", "d"])
    })
  )

  const layer = FastCheck.constantFrom("1", "2", "3")
  const planned = FastCheck.record({
    repository: FastCheck.constantFrom("a", "b", "c", "d"),
    layers: FastCheck.uniqueArray(layer),
    startsAt: FastCheck.nat(3000),
    moves: FastCheck.boolean(),
    takes: FastCheck.nat(100),
    ends: FastCheck.constantFrom("well", "badly", "silently", "interrupted")
  })

  it.effect.prop(
    "never stops a push, and is one repository at a time for a layer that is sent soon",
    [FastCheck.array(planned, { maxLength: 12 }), FastCheck.constantFrom(40, 2000)],
    ([plan, unit]) =>
      Effect.gen(function* () {
        const pushLayers = FirstHome.make(Effect.succeed(Option.some(true)))
        const isQuick = unit === 40
        const there = new Set<string>()
        const under = new Map<string, string>()
        const begun: Array<number> = []
        const twice: Array<string> = []
        const run = ({ ends, layers, moves, repository, startsAt, takes }: (typeof plan)[number], index: number) =>
          pushLayers({
            registry: "reg.io",
            repository,
            layers: layers.map(diffId),
            emit: () => {},
            send: (emit) =>
              Effect.gen(function* () {
                begun.push(index)
                const own = layers.filter((one) => !there.has(one) && !under.has(one))
                const elsewhere = layers.filter(
                  (one) => !there.has(one) && (under.get(one) ?? repository) !== repository
                )
                if (isQuick) twice.push(...elsewhere)
                const known = new Set(there)
                for (const one of own) under.set(one, repository)
                for (const one of layers) emit(progress(one, moves ? 1 : 0))
                yield* Effect.sleep(takes * unit)
                if (ends === "well") {
                  for (const one of layers) emit(pushed(one, known.has(one) ? "mounted" : "uploaded"))
                }
                if (ends === "badly") return yield* Effect.fail("refused")
                if (ends === "interrupted") return yield* Effect.interrupt
                for (const one of layers) there.add(one)
              }).pipe(
                Effect.ensuring(
                  Effect.sync(() => {
                    for (const one of layers) if (under.get(one) === repository) under.delete(one)
                  })
                )
              )
          }).pipe(Effect.exit, Effect.delay(startsAt))
        const fiber = yield* Effect.fork(Effect.forEach(plan, run, { concurrency: "unbounded" }))
        yield* TestClock.adjust("1 hour")
        assert.isTrue(Option.isSome(yield* Fiber.poll(fiber)), "every push has ended")
        yield* Fiber.join(fiber)
        assert.deepStrictEqual(twice, [], "layers that were on their way to another repository")
        assert.deepStrictEqual(
          begun.toSorted((left, right) => left - right),
          Array.from(plan.keys())
        )
      }),
    { fastCheck: { numRuns: 60 } }
  )
})
