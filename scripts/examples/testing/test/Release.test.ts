/** The tests of the application beside this project: no engine, no registry, no network, and no time but the TestClock's. */
import { assert, describe, it } from "@effect/vitest"
import { Duration, Effect, Fiber, Layer } from "effect"
import { Authentication, RegistryError } from "gantry"
import { TestConnector, TestEngine, TestEvents, TestTransport, TestWorld } from "gantry/testing"
import * as Release from "../../application/src/Release.ts"

const company = "registry.example.com"
const ghcr = "ghcr.io"

const registries = { company: { uri: `${company}/shop` }, public: { uri: `${ghcr}/acme` } }

const companyApp = `${company}/shop/app:1.4.2`
const companyWorker = `${company}/shop/worker:1.4.2`
const publicApp = `${ghcr}/acme/app:1.4.2`
const publicWorker = `${ghcr}/acme/worker:1.4.2`

const publish = (...components: ReadonlyArray<string>) =>
  Effect.flatMap(Release.Release, (release) => release.publish(components, "1.4.2"))

/** The application, as it is, in a world of the test's making. */
const released = <Others>(world: Layer.Layer<TestWorld.Services | Others>) =>
  Effect.provide(Layer.provideMerge(Release.layer, world))

describe("Release", () => {
  it.effect("pushes each component to each registry", () =>
    Effect.gen(function* () {
      const images = yield* publish("app", "worker")
      assert.deepStrictEqual(
        images.map(({ reference }) => String(reference)),
        [companyApp, publicApp, companyWorker, publicWorker]
      )
      const events = yield* TestEvents.TestEvents
      yield* events.expectPushed(companyApp, { status: "pushed", attempts: 1 })
      yield* events.expectPushed(publicWorker)
    }).pipe(released(TestWorld.layer({ registries })))
  )

  it.effect("goes on with a new credential when the first expires in the middle of a release", () =>
    Effect.gen(function* () {
      yield* TestWorld.within("15 minutes")(publish("app", "docs", "worker"))
      const transport = yield* TestTransport.TestTransport
      assert.deepStrictEqual(
        (yield* transport.calls).map(({ target }) => target.repository),
        ["shop/app", "shop/docs", "shop/worker", "shop/worker"]
      )
      const events = yield* TestEvents.TestEvents
      yield* events.expectOrder(
        `PushCompleted ${company}/shop/docs:1.4.2`,
        `Reauthenticated ${companyWorker}`,
        `PushCompleted ${companyWorker}`
      )
      yield* events.expectPushed(companyWorker, { attempts: 1 })
      const connector = yield* TestConnector.TestConnector
      assert.strictEqual(yield* connector.issues, 2)
    }).pipe(
      released(
        TestWorld.layer({
          registries: { company: { ...registries.company, authentication: Authentication.connector() } },
          supervisor: { concurrency: 1 },
          push: TestTransport.refusingExpired(TestTransport.delayed("2 minutes", TestTransport.pushed()))
        }).pipe(Layer.provideMerge(TestConnector.layer({ lifetime: "330 seconds" })))
      )
    )
  )

  it.effect("waits for a registry that throttles, and keeps no other waiting", () =>
    Effect.gen(function* () {
      yield* TestWorld.within("1 minute")(publish("app"))
      const events = yield* TestEvents.TestEvents
      yield* events.expectOrder(
        `RegistryPaused ${company}`,
        `PushCompleted ${publicApp}`,
        `RegistryResumed ${company}`,
        `PushCompleted ${companyApp}`
      )
      yield* events.expectPushed(companyApp, { attempts: 2 })
      yield* events.expectPushed(publicApp, { attempts: 1 })
    }).pipe(
      released(
        TestWorld.layer({
          registries,
          push: (call) =>
            call.target.registry === company && call.attempt === 1
              ? new RegistryError.RegistryRateLimited({
                  registry: company,
                  text: "slow down",
                  retryAfter: Duration.seconds(30)
                })
              : TestTransport.delayed("1 second", TestTransport.pushed())(call)
        })
      )
    )
  )

  it.effect("sends nothing when a component's name is none", () =>
    Effect.gen(function* () {
      const error = yield* Effect.flip(publish("app", "Worker"))
      assert.strictEqual(error._tag, "InvalidImageReference")
      assert.include(error.message, "Worker")
      const transport = yield* TestTransport.TestTransport
      assert.deepStrictEqual(yield* transport.calls, [])
    }).pipe(released(TestWorld.layer({ registries })))
  )

  it.effect("pushes the others when there is no image of a component, and says which", () =>
    Effect.gen(function* () {
      const error = yield* Effect.flip(publish("wroker", "app"))
      assert.strictEqual(error._tag, "ReleaseIncomplete")
      assert.include(error.message, "There is no image wroker:1.4.2")
      const events = yield* TestEvents.TestEvents
      yield* events.expectFailed(`${company}/shop/wroker:1.4.2`, "ImageNotFound")
      yield* events.expectPushed(companyApp)
      yield* events.expectPushed(publicApp)
    }).pipe(
      released(TestWorld.layerEngine({ registries, images: [{ names: ["app:1.4.2"] }], push: TestEngine.pushed() }))
    )
  )

  it.effect("says what a shutdown stopped, after its time to drain", () =>
    Effect.gen(function* () {
      const release = yield* Effect.fork(Effect.flip(publish("app", "worker")))
      const events = yield* TestEvents.TestEvents
      yield* events.waitFor(`PushStarted ${companyApp}`)
      const { shutdown } = yield* TestWorld.TestWorld
      yield* TestWorld.within("30 seconds")(shutdown)
      yield* events.expectCancelled(companyApp, "shutdown")
      yield* events.expectPushed(companyWorker)
      const error = yield* Fiber.join(release)
      assert.strictEqual(error._tag, "ReleaseIncomplete")
      assert.include(error.message, `The push of ${companyApp} was stopped (shutdown)`)
    }).pipe(
      released(
        TestWorld.layer({
          registries,
          push: (call) => (String(call.target) === companyApp ? Effect.never : TestTransport.pushed()(call))
        })
      )
    )
  )
})
