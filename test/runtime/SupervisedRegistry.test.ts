import { assert, describe, it } from "@effect/vitest"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Scope from "effect/Scope"
import * as TestClock from "effect/TestClock"
import { RegistryUnavailable } from "../../src/distribution/RegistryError.ts"
import type { AttemptEvent } from "../../src/push/PushEvent.ts"
import { ContainerRegistry } from "../../src/registry/ContainerRegistry.ts"
import { PushSupervisor, type PushSupervisorOptions } from "../../src/runtime/PushSupervisor.ts"
import * as SupervisedRegistry from "../../src/runtime/SupervisedRegistry.ts"
import * as TestTransport from "../../src/testing/TestTransport.ts"

const registry = (push: TestTransport.TestTransportScript["push"], supervisor?: PushSupervisorOptions) =>
  SupervisedRegistry.layer({ uri: "a.example.com", supervisor }).pipe(Layer.provideMerge(TestTransport.layer({ push })))

const afterOneSecond = () => Effect.delay(Effect.succeed(TestTransport.result()), "1 second")

describe("SupervisedRegistry", () => {
  it.scoped("equal pushes in flight are one, within the supervisor's limits", () =>
    Effect.gen(function* () {
      const { pushImage } = yield* ContainerRegistry
      const transport = yield* TestTransport.TestTransport
      const images = ["app:1", "app:1", "worker:1"].map((name) => `a.example.com/${name}`)
      const all = yield* Effect.fork(Effect.forEach(images, (image) => pushImage(image), { concurrency: "unbounded" }))
      yield* TestClock.adjust("1 millis")
      assert.strictEqual(yield* transport.pushesInFlight, 1)
      yield* TestClock.adjust("2 seconds")
      assert.deepStrictEqual(
        (yield* Fiber.join(all)).map((image) => String(image.reference)),
        images
      )
      assert.strictEqual((yield* transport.calls).length, 2)
    }).pipe(Effect.provide(registry(afterOneSecond, { concurrency: 1 })))
  )

  it.scoped("the registry still refuses what is not its own or no reference", () =>
    Effect.gen(function* () {
      const { config, pushImage } = yield* ContainerRegistry
      const transport = yield* TestTransport.TestTransport
      assert.strictEqual(config.uri.name, "a.example.com")
      assert.strictEqual((yield* Effect.flip(pushImage("b.example.com/app:1")))._tag, "ImageUriMismatch")
      assert.strictEqual((yield* Effect.flip(pushImage("a.example.com/App:1")))._tag, "InvalidImageReference")
      assert.deepStrictEqual(yield* transport.calls, [])
    }).pipe(Effect.provide(registry(undefined)))
  )

  it.scoped("a listener hears all the attempt says before the push returns", () =>
    Effect.gen(function* () {
      const { pushImage } = yield* ContainerRegistry
      const heard: Array<AttemptEvent["_tag"]> = []
      const pushing = yield* Effect.fork(
        pushImage("a.example.com/app:1", { emit: (event) => heard.push(event._tag), platform: "linux/arm64" })
      )
      yield* TestClock.adjust("1 second")
      yield* Fiber.join(pushing)
      assert.deepStrictEqual(heard, ["LayerProgress", "LayerPushed"])
    }).pipe(
      Effect.provide(
        registry(({ emit }) =>
          Effect.andThen(
            Effect.sync(() => {
              emit({ _tag: "LayerProgress", layer: "layer-1", current: 1 })
              emit({ _tag: "LayerPushed", layer: "layer-1", outcome: "uploaded" })
            }),
            afterOneSecond()
          )
        )
      )
    )
  )

  it.scoped("a push that is stopped fails with PushInterrupted, which interrupts nobody", () =>
    Effect.gen(function* () {
      const { pushImage } = yield* ContainerRegistry
      const supervisor = yield* PushSupervisor
      const pushing = yield* Effect.fork(Effect.flip(pushImage("a.example.com/app:1")))
      yield* TestClock.adjust("1 second")
      for (const push of (yield* supervisor.snapshot).pushes) {
        yield* supervisor.cancel(push.id)
      }
      assert.strictEqual((yield* Fiber.join(pushing))._tag, "PushInterrupted")
    }).pipe(Effect.provide(registry(() => Effect.never)))
  )

  it.scoped("a push is tried again when it may succeed later", () =>
    Effect.gen(function* () {
      const { pushImage } = yield* ContainerRegistry
      const pushing = yield* Effect.fork(pushImage("a.example.com/app"))
      yield* TestClock.adjust("1 minute")
      const image = yield* Fiber.join(pushing)
      assert.strictEqual(image.attempts, 2)
      assert.strictEqual(String(image.reference), "a.example.com/app:latest")
    }).pipe(
      Effect.provide(
        registry((call) =>
          call.attempt === 1
            ? new RegistryUnavailable({ registry: "a.example.com", reason: "reset", text: "" })
            : Effect.succeed(TestTransport.result())
        )
      )
    )
  )

  it.scoped("who waits for a push that outlives the layer learns that it was stopped", () =>
    Effect.gen(function* () {
      const scope = yield* Scope.make()
      const services = yield* Layer.buildWithScope(
        registry(() => Effect.never, { drainTimeout: "5 seconds" }),
        scope
      )
      const { pushImage } = Context.get(services, ContainerRegistry)
      const pushing = yield* Effect.fork(Effect.flip(pushImage("a.example.com/app:1")))
      yield* TestClock.adjust("1 second")
      const closing = yield* Effect.fork(Scope.close(scope, Exit.void))
      yield* TestClock.adjust("5 seconds")
      yield* Fiber.join(closing)
      const error = yield* Fiber.join(pushing)
      assert.strictEqual(error._tag === "PushInterrupted" ? error.reason : error._tag, "shutdown")
    })
  )
})
