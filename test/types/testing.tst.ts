/** What a test's layers give, and what they leave to be provided. */
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import {
  Authentication,
  type DockerEngine,
  type Keychain,
  type PushEvent,
  type PushSupervisor,
  type PushTransport,
  type RegistryHttp,
  type ServiceConnector
} from "gantry"
import { TestConnector, TestEngine, TestEvents, TestRegistry, TestTransport, TestWorld } from "gantry/testing"
import { describe, expect, test } from "tstyche"

const registries = { prod: { uri: "registry.example.com" } }

describe("A test's layer", () => {
  test("gives the service and the test's own view of it, needs nothing and can not fail", () => {
    expect(TestConnector.layer()).type.toBe<
      Layer.Layer<ServiceConnector.ServiceConnector | TestConnector.TestConnector>
    >()
    expect(TestEngine.layer({})).type.toBe<Layer.Layer<DockerEngine.DockerEngine | TestEngine.TestEngine>>()
    expect(TestTransport.layer()).type.toBe<Layer.Layer<PushTransport.PushTransport | TestTransport.TestTransport>>()
    expect(TestRegistry.layer()).type.toBe<Layer.Layer<TestRegistry.TestRegistry | RegistryHttp.RegistryHttp>>()
    expect(TestEvents.layer).type.toBe<Layer.Layer<TestEvents.TestEvents, never, PushSupervisor.PushSupervisor>>()
  })
})

describe("A world", () => {
  test("needs nothing for registries that nobody logs in to", () => {
    expect(TestWorld.layer({ registries })).type.toBe<Layer.Layer<TestWorld.Services | TestTransport.TestTransport>>()
    expect(TestWorld.layerEngine({ registries })).type.toBe<
      Layer.Layer<TestWorld.Services | TestEngine.TestEngine | DockerEngine.DockerEngine>
    >()
  })

  test("needs what its registries' authentications need", () => {
    expect(
      TestWorld.layer({
        registries: {
          prod: { uri: "registry.example.com", authentication: Authentication.connector() },
          mirror: { uri: "mirror.example.com", authentication: Authentication.keychain }
        }
      })
    ).type.toBe<
      Layer.Layer<
        TestWorld.Services | TestTransport.TestTransport,
        never,
        ServiceConnector.ServiceConnector | Keychain.Keychain
      >
    >()
  })

  test("names the service that a test left out", () => {
    const world = TestWorld.layer({
      registries: { prod: { uri: "registry.example.com", authentication: Authentication.connector() } }
    })
    // @ts-expect-error Type 'ServiceConnector' is not assignable to type 'never'
    Effect.runPromise(Effect.provide(Effect.void, world))
    Effect.runPromise(Effect.provide(Effect.void, Layer.provide(world, TestConnector.layer())))
  })
})

describe("Expectations", () => {
  const events = Effect.runSync(Effect.provide(TestEvents.TestEvents, TestWorld.layer({ registries })))

  test("know the events and the errors there are", () => {
    expect(events.waitFor("PushCompleted registry.example.com/app:1")).type.toBe<
      Effect.Effect<Extract<PushEvent.PushEvent, { readonly _tag: "PushCompleted" }>>
    >()
    expect(events.waitFor).type.not.toBeCallableWith("PushFinished")
    expect(events.expectOrder).type.not.toBeCallableWith("PushStarted", "Finished app:1")
    expect(events.expectFailed).type.not.toBeCallableWith("app:1", "Unauthorized")
  })

  test("let an effect that they run in time keep its type", () => {
    expect(TestWorld.within("1 hour")(Effect.fail("no" as const))).type.toBe<
      Effect.Effect<never, "no", TestEvents.TestEvents>
    >()
  })
})
