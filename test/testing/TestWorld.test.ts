/** An application's tests as its authors would write them: nothing but `gantry` and `gantry/testing`. */
import { assert, describe, it } from "@effect/vitest"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as TestClock from "effect/TestClock"
import { Authentication, ImageReference, PushRequest, PushSupervisor, RegistryError } from "gantry"
import { TestConnector, TestEngine, TestEvents, TestTransport, TestWorld } from "gantry/testing"

const prod = "prod.example.com"
const app = `${prod}/app:1.4.0`
const worker = `${prod}/worker:1.4.0`

/** The application: what its authors wrote, and do not change for tests. */
const release = (...targets: ReadonlyArray<string>) =>
  Effect.flatMap(PushSupervisor.PushSupervisor, (supervisor) =>
    supervisor.pushAll(targets.map((target) => PushRequest.make({ target: ImageReference.unsafeParse(target) })))
  )

const registries = { prod: { uri: prod } }

describe("A world of scripted attempts", () => {
  it.effect("pushes what an application releases", () =>
    Effect.gen(function* () {
      yield* release(app, worker)
      const events = yield* TestEvents.TestEvents
      yield* events.expectPushed(app, { status: "pushed", attempts: 1 })
      yield* events.expectPushed(worker)
    }).pipe(Effect.provide(TestWorld.layer({ registries })))
  )

  it.effect("goes on with another credential when the first expires in the middle of a batch", () =>
    Effect.gen(function* () {
      const batch = Array.from({ length: 3 }, (_, index) => `${prod}/app-${index}:1`)
      yield* TestWorld.within("20 minutes")(release(...batch))
      const events = yield* TestEvents.TestEvents
      yield* Effect.forEach(batch, (image) => events.expectPushed(image, { attempts: 1 }))
      yield* events.expectOrder(
        `PushCompleted ${prod}/app-1:1`,
        `Reauthenticated ${prod}/app-2:1`,
        `PushCompleted ${prod}/app-2:1`
      )
      // The third was refused after its 2 minutes, when the login's 5.5 were over, and sent again.
      const transport = yield* TestTransport.TestTransport
      const sent = (yield* transport.calls).map(({ target }) => String(target))
      assert.deepStrictEqual(
        sent,
        [0, 1, 2, 2].map((index) => `${prod}/app-${index}:1`)
      )
      const connector = yield* TestConnector.TestConnector
      assert.strictEqual(yield* connector.issues, 2)
    }).pipe(
      Effect.provide(
        TestWorld.layer({
          registries: { prod: { uri: prod, authentication: Authentication.connector() } },
          supervisor: { concurrency: 1 },
          push: TestTransport.refusingExpired(TestTransport.delayed("2 minutes", TestTransport.pushed()))
        }).pipe(Layer.provideMerge(TestConnector.layer({ lifetime: "330 seconds" })))
      )
    )
  )

  it.effect("waits as long as a registry that throttles asks for, and then goes on", () =>
    Effect.gen(function* () {
      yield* TestWorld.within("1 minute")(release(app))
      const events = yield* TestEvents.TestEvents
      yield* events.expectOrder(
        `PushStarted ${app}`,
        `RegistryPaused ${prod}`,
        `RegistryResumed ${prod}`,
        `PushCompleted ${app}`
      )
      yield* events.expectPushed(app, { attempts: 2 })
    }).pipe(
      Effect.provide(
        TestWorld.layer({
          registries,
          push: TestTransport.inOrder(
            TestTransport.failed(
              new RegistryError.RegistryRateLimited({ registry: prod, text: "", retryAfter: Duration.seconds(30) })
            ),
            TestTransport.pushed()
          )
        })
      )
    )
  )

  it.effect("sends nothing for an image that no registry owns", () =>
    Effect.gen(function* () {
      yield* release("prod.example.org/app:1.4.0")
      const events = yield* TestEvents.TestEvents
      const error = yield* events.expectFailed("prod.example.org/app:1.4.0", "NoMatchingRegistry")
      assert.deepStrictEqual(error["registries"], [prod])
      const transport = yield* TestTransport.TestTransport
      assert.deepStrictEqual(yield* transport.calls, [])
    }).pipe(Effect.provide(TestWorld.layer({ registries })))
  )

  it.effect("stops the pushes that a shutdown finds still running after its time to drain", () =>
    Effect.gen(function* () {
      const released = yield* Effect.fork(release(app, worker))
      const events = yield* TestEvents.TestEvents
      yield* events.waitFor(`PushStarted ${app}`)
      const { shutdown } = yield* TestWorld.TestWorld
      yield* TestWorld.within("30 seconds")(shutdown)
      yield* events.expectCancelled(app, "shutdown")
      yield* events.expectPushed(worker)
      yield* events.expectOrder(`PushCompleted ${worker}`, `PushCancelled ${app}`, "RuntimeDrained")
      assert.strictEqual((yield* Fiber.join(released)).length, 2)
    }).pipe(
      Effect.provide(
        TestWorld.layer({
          registries,
          push: (call) => (String(call.target) === app ? Effect.never : TestTransport.pushed()(call))
        })
      )
    )
  )

  it.effect("ends with its test, whatever is in flight", () =>
    Effect.gen(function* () {
      yield* Effect.fork(release(app, worker))
      const events = yield* TestEvents.TestEvents
      yield* events.waitFor(`PushStarted ${app}`)
    }).pipe(
      Effect.provide(TestWorld.layer({ registries, supervisor: { concurrency: 1 }, push: () => Effect.never })),
      Effect.zipRight(TestClock.currentTimeMillis),
      Effect.map((now) => assert.strictEqual(now, 0))
    )
  )

  it.effect("says what came of an effect that time does not bring to its end", () =>
    Effect.gen(function* () {
      const defect = yield* release(app).pipe(TestWorld.within("1 minute"), Effect.sandbox, Effect.flip)
      assert.include(String(defect), "Expected an end within 1m on the TestClock,")
      assert.include(String(defect), `+0  PushStarted ${app}`)
    }).pipe(Effect.provide(TestWorld.layer({ registries, push: () => Effect.never })))
  )

  it.effect("takes a malformed address for a mistake of the test", () =>
    Effect.gen(function* () {
      const exit = yield* Effect.exit(
        Effect.provide(Effect.void, TestWorld.layer({ registries: { prod: { uri: "not a registry" } } }))
      )
      assert.include(String(exit), "InvalidRegistryUri")
    })
  )
})

describe("A world with a scripted engine", () => {
  it.effect("makes of an engine's words what production makes of them", () =>
    Effect.gen(function* () {
      yield* TestWorld.within("1 minute")(release(app, worker))
      const events = yield* TestEvents.TestEvents
      yield* events.expectPushed(app, { transport: "engine", attempts: 2 })
      yield* events.expectFailed(worker, "ImageNotFound")
      const engine = yield* TestEngine.TestEngine
      assert.strictEqual((yield* engine.callsTo("pushImage")).length, 2)
    }).pipe(
      Effect.provide(
        TestWorld.layerEngine({
          registries,
          images: [{ names: [app] }],
          push: TestEngine.inOrder(
            TestEngine.rejected("received unexpected HTTP status: 503 Service Unavailable"),
            TestEngine.pushed()
          )
        })
      )
    )
  )
})
