import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Scope from "effect/Scope"
import * as TestClock from "effect/TestClock"
import { RegistryUnavailable } from "../../src/distribution/RegistryError.ts"
import type { AttemptEvent } from "../../src/push/PushEvent.ts"
import * as Digest from "../../src/reference/Digest.ts"
import * as ContainerRegistry from "../../src/registry/ContainerRegistry.ts"
import { PushSupervisor } from "../../src/runtime/PushSupervisor.ts"
import * as SupervisedRegistry from "../../src/runtime/SupervisedRegistry.ts"
import { PushTransport } from "../../src/transport/PushTransport.ts"

const digest = Digest.unsafeParse(`sha256:${"a".repeat(64)}`)
const unavailable = new RegistryUnavailable({ registry: "reg.io", reason: "reset", text: "" })

/** Answers the nth attempt with the nth of these, and the last one from then on. */
const attempts = (...answers: ReadonlyArray<"good" | "broken" | "hangs">) => {
  let count = 0
  return Layer.succeed(PushTransport, {
    push: ({ emit }) =>
      Effect.suspend(() => {
        const answer = answers[Math.min(count++, answers.length - 1)]
        if (answer === "hangs") return Effect.never
        if (answer === "broken") return Effect.fail(unavailable)
        emit({ _tag: "LayerPushed", layer: "abc", outcome: "uploaded" })
        return Effect.succeed({ digest, status: "pushed" as const, transport: "engine" as const })
      }),
    compare: () => Effect.succeed({ _tag: "Absent" as const })
  })
}

const registry = (...answers: Parameters<typeof attempts>) =>
  SupervisedRegistry.layer({ uri: "reg.io", supervisor: { drainTimeout: "5 seconds" } }).pipe(
    Layer.provide(attempts(...answers))
  )

describe("SupervisedRegistry", () => {
  it.effect("tries a push again that may succeed later, and hands on what its attempts report", () =>
    Effect.gen(function* () {
      const { pushImage } = yield* ContainerRegistry.ContainerRegistry
      const events: Array<AttemptEvent> = []
      const fiber = yield* Effect.fork(pushImage("reg.io/app", { emit: (event) => events.push(event) }))
      yield* TestClock.adjust("1 minute")
      const pushed = yield* Fiber.join(fiber)
      assert.strictEqual(pushed.attempts, 2)
      assert.strictEqual(pushed.repoDigest, `reg.io/app@${digest}`)
      assert.deepStrictEqual(
        events.map(({ _tag }) => _tag),
        ["LayerPushed"]
      )
    }).pipe(Effect.provide(registry("broken", "good")))
  )

  it.effect("makes equal pushes at the same time one push", () =>
    Effect.gen(function* () {
      const { pushImage } = yield* ContainerRegistry.ContainerRegistry
      const { snapshot } = yield* PushSupervisor
      yield* Effect.fork(pushImage("reg.io/app:1"))
      yield* Effect.fork(pushImage("reg.io/app:1"))
      yield* TestClock.adjust("1 second")
      assert.strictEqual((yield* snapshot).pushes.length, 1)
    }).pipe(Effect.provide(registry("hangs")))
  )

  it.effect("refuses an image of another registry as the registry does", () =>
    Effect.gen(function* () {
      const { pushImage } = yield* ContainerRegistry.ContainerRegistry
      assert.strictEqual((yield* Effect.flip(pushImage("other.io/app:1")))._tag, "ImageUriMismatch")
      assert.strictEqual((yield* Effect.flip(pushImage("Not a name")))._tag, "InvalidImageReference")
    }).pipe(Effect.provide(registry("good")))
  )

  it.effect("interrupts who waits for a push that outlives the layer", () =>
    Effect.gen(function* () {
      const scope = yield* Scope.make()
      const context = yield* Layer.buildWithScope(registry("hangs"), scope)
      const push = Effect.flatMap(ContainerRegistry.ContainerRegistry, (_) => _.pushImage("reg.io/app:1"))
      const fiber = yield* Effect.fork(Effect.provide(push, context))
      yield* TestClock.adjust("1 second")
      const closing = yield* Effect.fork(Scope.close(scope, Exit.void))
      yield* TestClock.adjust("5 seconds")
      yield* Fiber.join(closing)
      const exit = yield* Fiber.await(fiber)
      assert.isTrue(Exit.isInterrupted(exit))
    })
  )
})
