import { assert, describe, it } from "@effect/vitest"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as FastCheck from "effect/FastCheck"
import * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"
import * as Random from "effect/Random"
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
const arrived = (layer: string): AttemptEvent => ({ _tag: "LayerPushed", layer: named(layer), outcome: "uploaded" })

interface Started {
  readonly repository: string
  readonly emit: Emit
  readonly end: Effect.Effect<void>
  readonly fail: Effect.Effect<void>
}

/** Pushes whose sending is in the test's hands, in the order in which they began. */
const makeWorld = (namesLayers = Effect.succeed(true)) => {
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
  it.effect("is where it is sent, and other repositories get it when it is there, although that push goes on", () =>
    Effect.gen(function* () {
      const { at, began, push } = makeWorld()
      yield* push("a", ["1", "2"])
      yield* push("b", ["1", "3"])
      yield* push("c", ["1"])
      assert.deepStrictEqual(began(), ["a"])
      at(0).emit(arrived("2"))
      yield* settled
      assert.deepStrictEqual(began(), ["a"])
      at(0).emit(arrived("1"))
      yield* TestClock.adjust("99 millis")
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
        at(0).emit({ _tag: "LayerPushed", layer: named("1"), outcome })
        yield* settled
        assert.deepStrictEqual(began(), ["a", "b"])
      }
    })
  )

  it.effect("is asked for by nobody who shares no layer, has another registry, or the same repository", () =>
    Effect.gen(function* () {
      const { began, push } = makeWorld()
      yield* push("a", ["1"])
      yield* push("b", ["2"])
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
      at(0).emit(arrived("1"))
      yield* TestClock.adjust("100 millis")
      assert.deepStrictEqual(began(), ["a", "b"])
      at(1).emit(arrived("2"))
      yield* TestClock.adjust("100 millis")
      assert.deepStrictEqual(began(), ["a", "b", "c"])
    })
  )

  it.effect("is known when its push ends well, whatever the engine has told of layers", () =>
    Effect.gen(function* () {
      const { at, began, push } = makeWorld()
      const first = yield* push("a", ["1"])
      yield* push("b", ["1"])
      yield* at(0).end
      yield* Fiber.join(first)
      yield* settled
      yield* push("c", ["1"])
      assert.deepStrictEqual(began(), ["a", "b", "c"])
    })
  )

  it.effect("is another one when its push fails or is interrupted", () =>
    Effect.gen(function* () {
      const { at, began, push } = makeWorld()
      yield* push("a", ["1"])
      const second = yield* push("b", ["1"])
      yield* push("c", ["1"])
      yield* push("d", ["1"])
      yield* at(0).fail
      yield* settled
      assert.deepStrictEqual(began(), ["a", "b"])
      yield* Fiber.interrupt(second)
      yield* settled
      assert.deepStrictEqual(began(), ["a", "b", "c"])
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
      at(0).emit(progress("1", 5))
      at(0).emit(progress("2", 7))
      assert.deepStrictEqual(seen, [`a ${named("1")} 5`, `b ${named("1")} 5`, `a ${named("2")} 7`])
    })
  )

  it.effect("is not waited for once it has not moved for 10 seconds", () =>
    Effect.gen(function* () {
      const { at, began, push } = makeWorld()
      yield* push("a", ["1", "2"])
      yield* push("b", ["1"])
      yield* push("c", ["1"])
      at(0).emit(progress("1", 0))
      yield* TestClock.adjust("9 seconds")
      at(0).emit(progress("1", 1))
      yield* TestClock.adjust("9 seconds")
      at(0).emit(progress("2", 1))
      yield* TestClock.adjust("999 millis")
      assert.deepStrictEqual(began(), ["a"])
      yield* TestClock.adjust("1 millis")
      assert.deepStrictEqual(began().toSorted(), ["a", "b", "c"], "all of them go, and none waits for the next")
    })
  )

  it.effect("is waited for only when the engine names layers, which it is asked when it matters", () =>
    Effect.gen(function* () {
      let asked = 0
      const { began, push } = makeWorld(
        Effect.delay(
          Effect.sync(() => ++asked > 1),
          "1 second"
        )
      )
      yield* push("a", ["1"])
      yield* push("b", ["2"])
      assert.strictEqual(asked, 0)
      yield* push("c", ["1"])
      yield* TestClock.adjust("1 second")
      assert.deepStrictEqual(began(), ["a", "b", "c"])
      yield* push("d", ["1"])
      yield* TestClock.adjust("1 second")
      assert.deepStrictEqual([began(), asked], [["a", "b", "c"], 2])
    })
  )

  it.effect("is remembered for the latest 4096 layers", () =>
    Effect.gen(function* () {
      const { at, began, push } = makeWorld()
      const first = yield* push(
        "a",
        Array.from({ length: 4097 }, (_, index) => `${index}x`)
      )
      yield* at(0).end
      yield* Fiber.join(first)
      yield* push("b", ["0x"])
      yield* push("c", ["0x"])
      yield* push("d", ["4096x"])
      assert.deepStrictEqual(began(), ["a", "b", "d"])
    })
  )

  const layer = FastCheck.constantFrom("1", "2", "3")
  const planned = FastCheck.record({
    repository: FastCheck.constantFrom("a", "b", "c", "d"),
    layers: FastCheck.array(layer, { maxLength: 3 }),
    delay: FastCheck.nat(30),
    ends: FastCheck.constantFrom("well", "badly", "silently")
  })

  it.effect.prop(
    "never stops a push, and is one repository at a time for a layer that moves",
    [FastCheck.array(planned, { maxLength: 12 })],
    ([plan]) =>
      Effect.gen(function* () {
        const pushLayers = FirstHome.make(Effect.succeed(true))
        const homes = new Set<string>()
        const under = new Map<string, string>()
        const begun: Array<number> = []
        const run = ({ delay, ends, layers, repository }: (typeof plan)[number], index: number) =>
          pushLayers({
            registry: "reg.io",
            repository,
            layers: layers.map(diffId),
            emit: () => {},
            send: (emit) =>
              Effect.gen(function* () {
                begun.push(index)
                const own = layers.filter((one) => !homes.has(one) && !under.has(one))
                for (const one of layers) {
                  if (!homes.has(one)) assert.strictEqual(under.get(one) ?? repository, repository)
                }
                for (const one of own) under.set(one, repository)
                for (const one of layers) emit(progress(one, 0))
                yield* Effect.sleep(yield* Random.nextIntBetween(0, 5000))
                if (ends === "well") {
                  for (const one of layers) {
                    emit(arrived(one))
                    homes.add(one)
                  }
                }
                for (const one of own) under.delete(one)
                if (ends === "badly") return yield* Effect.fail("refused")
                for (const one of own) homes.add(one)
              })
          }).pipe(Effect.ignore, Effect.delay(delay * 100))
        const fiber = yield* Effect.fork(Effect.forEach(plan, run, { concurrency: "unbounded" }))
        yield* TestClock.adjust("10 minutes")
        assert.isTrue(Option.isSome(yield* Fiber.poll(fiber)), "every push has ended")
        yield* Fiber.join(fiber)
        assert.deepStrictEqual(
          begun.toSorted((left, right) => left - right),
          Array.from(plan.keys())
        )
      }),
    { fastCheck: { numRuns: 50 } }
  )
})
