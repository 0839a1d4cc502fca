/** What each operation needs and may fail with. Those of a service need nothing: it took what it needs when it was made. */
import type * as Effect from "effect/Effect"
import type * as Either from "effect/Either"
import type * as Option from "effect/Option"
import type * as Scope from "effect/Scope"
import type * as Stream from "effect/Stream"
import {
  type AuthenticatedEngine,
  Authentication,
  ContainerRegistry,
  type Digest,
  type DockerEngine,
  type EngineError,
  type PulledImage,
  type PushError,
  type PushEvent,
  type PushedImage,
  type PushRequest,
  type PushSupervisor,
  type PushTransport,
  type RegistryCatalog,
  type RegistryCheck,
  type RegistryError,
  type RegistryUri,
  type SecretStore
} from "gantry"
import { describe, expect, test } from "tstyche"

declare const registry: ContainerRegistry.ContainerRegistry
declare const supervisor: PushSupervisor.PushSupervisor["Type"]
declare const catalog: RegistryCatalog.RegistryCatalog["Type"]
declare const transport: PushTransport.PushTransport["Type"]
declare const request: PushRequest.PushRequest

interface Broken {
  readonly _tag: "Broken"
}
interface Builder {
  readonly build: Effect.Effect<void>
}
declare const build: Effect.Effect<"done", Broken, Builder>

describe("A registry", () => {
  test("is made over a transport, in a scope", () => {
    expect(
      ContainerRegistry.make({ uri: "registry.example.com", authentication: Authentication.secret("prod") })
    ).type.toBe<
      Effect.Effect<
        ContainerRegistry.ContainerRegistry,
        RegistryUri.InvalidRegistryUri,
        PushTransport.PushTransport | SecretStore.SecretStore | Scope.Scope
      >
    >()
  })

  test("pushes and asks without needing anything more", () => {
    expect(registry.pushImage("app:1")).type.toBe<
      Effect.Effect<PushedImage.PushedImage, PushError.PushError | PushError.PushInterrupted>
    >()
    expect(registry.digest("app:1")).type.toBe<Effect.Effect<Option.Option<Digest.Digest>, PushError.PushError>>()
    expect(registry.verify).type.toBe<
      Effect.Effect<RegistryCheck.RegistryCheck, Authentication.AuthenticationError | RegistryError.RegistryError>
    >()
  })

  test("lends its credential for a scope", () => {
    expect(registry.lease.borrow).type.toBeAssignableTo<
      Effect.Effect<unknown, Authentication.AuthenticationError, Scope.Scope>
    >()
    expect(registry.lease.borrow).type.not.toBeAssignableTo<
      Effect.Effect<unknown, Authentication.AuthenticationError>
    >()
  })

  test("needs the engine for what only an engine does", () => {
    expect(registry.pullImage("app:1")).type.toBe<
      Effect.Effect<PulledImage.PulledImage, PushError.PushError, DockerEngine.DockerEngine>
    >()
    expect(ContainerRegistry.dockerClient(registry)).type.toBe<
      Effect.Effect<
        AuthenticatedEngine.AuthenticatedEngine,
        Authentication.AuthenticationError,
        DockerEngine.DockerEngine | Scope.Scope
      >
    >()
  })

  test("adds nothing but the engine and its authentication to who borrows its client", () => {
    expect(ContainerRegistry.withDockerClient(registry, () => build)).type.toBe<
      Effect.Effect<"done", Broken | Authentication.AuthenticationError, Builder | DockerEngine.DockerEngine>
    >()
  })
})

describe("A catalog", () => {
  test("finds the owner of an image or says that there is none", () => {
    expect(catalog.forImage(request.target)).type.toBe<
      Effect.Effect<ContainerRegistry.ContainerRegistry, PushError.NoMatchingRegistry>
    >()
  })
})

describe("A supervisor", () => {
  type End = PushError.PushError | PushError.PushInterrupted

  test("fails to submit only once it is closed", () => {
    expect(supervisor.submit(request)).type.toBe<
      Effect.Effect<PushSupervisor.PushHandle, PushSupervisor.SupervisorClosed>
    >()
    expect(supervisor.push(request)).type.toBe<
      Effect.Effect<PushedImage.PushedImage, End | PushSupervisor.SupervisorClosed>
    >()
  })

  test("gives an end for each of many", () => {
    expect(supervisor.pushAll([request])).type.toBe<
      Effect.Effect<ReadonlyArray<Either.Either<PushedImage.PushedImage, End>>, PushSupervisor.SupervisorClosed>
    >()
  })

  test("tells of events that can not fail", () => {
    expect(supervisor.events).type.toBe<Stream.Stream<PushEvent.PushEvent>>()
    expect(supervisor.subscribe).type.toBe<Effect.Effect<Stream.Stream<PushEvent.PushEvent>, never, Scope.Scope>>()
    expect(supervisor.drain).type.toBe<Effect.Effect<void>>()
  })
})

describe("A transport", () => {
  test("fails with what a push fails with, and needs nothing", () => {
    type Push = PushTransport.PushTransport["Type"]["push"]
    expect(transport.compare).type.toBeAssignableTo<
      (request: PushTransport.TransportRequest) => Effect.Effect<unknown, PushError.PushError>
    >()
    expect<ReturnType<Push>>().type.toBe<Effect.Effect<PushTransport.TransportResult, PushError.PushError>>()
  })

  test("of errors, an engine's and a registry's among them", () => {
    expect<EngineError.EngineError | RegistryError.RegistryError>().type.toBeAssignableTo<PushError.PushError>()
  })
})
