/** What each layer gives, may fail with, and still needs. */
import type * as FileSystem from "@effect/platform/FileSystem"
import type * as HttpClient from "@effect/platform/HttpClient"
import type * as Path from "@effect/platform/Path"
import * as Config from "effect/Config"
import type * as ConfigError from "effect/ConfigError"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import {
  Authentication,
  type ConnectorCatalog,
  ContainerRegistry,
  type Credential,
  DockerEngine,
  type EngineError,
  GantryFile,
  type GantryFileError,
  Keychain,
  PushSupervisor,
  PushTransport,
  RegistryCatalog,
  type RegistryUri,
  SecretStore,
  type ServiceConnector,
  SupervisedRegistry
} from "gantry"
import { describe, expect, test } from "tstyche"

const uri = "registry.example.com"
declare const credential: Credential.Credential

class Prod extends Context.Tag("app/Prod")<Prod, ServiceConnector.ServiceConnector>() {}
class Audit extends Context.Tag("app/Audit")<Audit, { readonly note: (image: string) => Effect.Effect<void> }>() {}

type Registry<R = never> = Layer.Layer<
  ContainerRegistry.ContainerRegistry,
  RegistryUri.InvalidRegistryUri,
  PushTransport.PushTransport | R
>

describe("ContainerRegistry.layer needs a transport, and what its authentication needs", () => {
  test("nothing else without one, or with a credential at hand", () => {
    expect(ContainerRegistry.layer({ uri })).type.toBe<Registry>()
    expect(ContainerRegistry.layer({ uri, authentication: Authentication.anonymous })).type.toBe<Registry>()
    expect(
      ContainerRegistry.layer({ uri, authentication: Authentication.credential(credential) })
    ).type.toBe<Registry>()
  })

  test("a secret's store, the machine's keychain, a connector, a connector of a tag or of a name", () => {
    expect(ContainerRegistry.layer({ uri, authentication: Authentication.secret("prod") })).type.toBe<
      Registry<SecretStore.SecretStore>
    >()
    expect(ContainerRegistry.layer({ uri, authentication: Authentication.keychain })).type.toBe<
      Registry<Keychain.Keychain>
    >()
    expect(ContainerRegistry.layer({ uri, authentication: Authentication.connector() })).type.toBe<
      Registry<ServiceConnector.ServiceConnector>
    >()
    expect(ContainerRegistry.layer({ uri, authentication: Authentication.connector(Prod) })).type.toBe<Registry<Prod>>()
    expect(ContainerRegistry.layer({ uri, authentication: Authentication.connectorNamed("prod") })).type.toBe<
      Registry<ConnectorCatalog.ConnectorCatalog>
    >()
  })

  test("all of them together, of the first that has a credential", () => {
    expect(
      Authentication.firstOf(
        Authentication.connector(Prod),
        Authentication.secret("prod"),
        Authentication.keychain,
        Authentication.anonymous
      )
    ).type.toBe<Authentication.Authentication<Prod | SecretStore.SecretStore | Keychain.Keychain>>()
  })

  test("and what its own hook needs", () => {
    expect(
      ContainerRegistry.layer({
        uri,
        prepareImagePush: (image) => Effect.flatMap(Audit, ({ note }) => note(String(image)))
      })
    ).type.toBe<Registry<Audit>>()
  })

  test("with its data from Config it may fail for a missing value too", () => {
    expect(
      ContainerRegistry.layerConfig({ uri: Config.string("REGISTRY"), authentication: Authentication.secret("prod") })
    ).type.toBe<
      Layer.Layer<
        ContainerRegistry.ContainerRegistry,
        RegistryUri.InvalidRegistryUri | ConfigError.ConfigError,
        PushTransport.PushTransport | SecretStore.SecretStore
      >
    >()
  })
})

describe("Several registries", () => {
  test("need what all of them need", () => {
    expect(
      RegistryCatalog.layer({
        prod: { uri, authentication: Authentication.connector(Prod) },
        mirror: { uri: "mirror.example.com", authentication: Authentication.secret("mirror") },
        open: { uri: "localhost:5000" }
      })
    ).type.toBe<
      Layer.Layer<
        RegistryCatalog.RegistryCatalog,
        RegistryUri.InvalidRegistryUri,
        PushTransport.PushTransport | Prod | SecretStore.SecretStore
      >
    >()
  })

  test("of one that there is, is a catalog too", () => {
    expect(RegistryCatalog.layerSingle).type.toBe<
      Layer.Layer<RegistryCatalog.RegistryCatalog, never, ContainerRegistry.ContainerRegistry>
    >()
  })
})

describe("Pushes", () => {
  test("through an engine need one, and an engine needs nothing", () => {
    expect(PushTransport.layerEngine).type.toBe<
      Layer.Layer<PushTransport.PushTransport, never, DockerEngine.DockerEngine>
    >()
    expect(DockerEngine.layer()).type.toBe<Layer.Layer<DockerEngine.DockerEngine, EngineError.EngineContextInvalid>>()
    expect(DockerEngine.layerFromEnv).type.toBe<
      Layer.Layer<DockerEngine.DockerEngine, EngineError.EngineContextInvalid | ConfigError.ConfigError>
    >()
  })

  test("are supervised over a catalog", () => {
    expect(PushSupervisor.layer()).type.toBe<
      Layer.Layer<PushSupervisor.PushSupervisor, never, RegistryCatalog.RegistryCatalog>
    >()
    expect(PushSupervisor.layerConfig({ concurrency: Config.integer("CONCURRENCY") })).type.toBe<
      Layer.Layer<PushSupervisor.PushSupervisor, ConfigError.ConfigError, RegistryCatalog.RegistryCatalog>
    >()
  })

  test("of one registry come with their supervisor", () => {
    expect(SupervisedRegistry.layer({ uri, authentication: Authentication.keychain })).type.toBe<
      Layer.Layer<
        ContainerRegistry.ContainerRegistry | PushSupervisor.PushSupervisor,
        RegistryUri.InvalidRegistryUri,
        PushTransport.PushTransport | Keychain.Keychain
      >
    >()
  })
})

describe("Secrets and keychains", () => {
  test("need files only where they are in files", () => {
    expect(SecretStore.layerMemory({})).type.toBe<Layer.Layer<SecretStore.SecretStore>>()
    expect(SecretStore.layerConfig).type.toBe<Layer.Layer<SecretStore.SecretStore>>()
    expect(SecretStore.layerFolder("/run/secrets")).type.toBe<
      Layer.Layer<SecretStore.SecretStore, never, FileSystem.FileSystem | Path.Path>
    >()
    expect(Keychain.layerMemory([])).type.toBe<Layer.Layer<Keychain.Keychain>>()
    expect(Keychain.layer).type.toBe<
      Layer.Layer<Keychain.Keychain, ConfigError.ConfigError, FileSystem.FileSystem | Path.Path>
    >()
  })
})

describe("Layers of a gantry.yaml", () => {
  type Unreadable =
    | GantryFileError.GantryFileInvalid
    | GantryFileError.GantryFileNotFound
    | GantryFileError.GantryFileUnreadable

  test("its registries need a transport, its file and its connectors' network, and not its own secrets", () => {
    type Catalog<R = never> = Layer.Layer<
      RegistryCatalog.RegistryCatalog,
      Unreadable | RegistryUri.InvalidRegistryUri,
      PushTransport.PushTransport | FileSystem.FileSystem | Path.Path | HttpClient.HttpClient | R
    >
    expect(GantryFile.layerCatalog("gantry.yaml")).type.toBe<Catalog>()
    expect(
      GantryFile.layerCatalog("gantry.yaml", {
        authentication: Authentication.firstOf(Authentication.secret("prod"), Authentication.connectorNamed("prod"))
      })
    ).type.toBe<Catalog>()
    expect(GantryFile.layerCatalog("gantry.yaml", { authentication: Authentication.keychain })).type.toBe<
      Catalog<Keychain.Keychain>
    >()
  })

  test("its secrets need files, its connectors the network as well", () => {
    const file = { secrets: {}, connectors: {} }
    expect(GantryFile.layerSecrets(file)).type.toBe<
      Layer.Layer<SecretStore.SecretStore, never, FileSystem.FileSystem>
    >()
    expect(GantryFile.layerConnectors(file)).type.toBe<
      Layer.Layer<ConnectorCatalog.ConnectorCatalog, never, FileSystem.FileSystem | HttpClient.HttpClient>
    >()
  })
})

describe("A service that is missing", () => {
  const program = Effect.flatMap(PushSupervisor.PushSupervisor, ({ drain }) => drain)
  const registries = RegistryCatalog.layer({ prod: { uri, authentication: Authentication.connector() } })
  const supervised = Layer.provideMerge(PushSupervisor.layer(), registries)

  test("is a compile error that names it", () => {
    // @ts-expect-error Type 'PushSupervisor' is not assignable to type 'never'
    Effect.runPromise(program)
    // @ts-expect-error Type 'PushTransport' is not assignable to type 'never'
    Effect.runPromise(Effect.provide(program, Layer.provide(supervised, ServiceConnectorLive)))
    // @ts-expect-error Type 'ServiceConnector' is not assignable to type 'never'
    Effect.runPromise(Effect.provide(program, Layer.provide(supervised, TransportLive)))
    // @ts-expect-error Type 'DockerEngine' is not assignable to type 'never'
    Layer.launch(Layer.provide(supervised, [PushTransport.layerEngine, ServiceConnectorLive])).pipe(Effect.runPromise)
  })

  test("and none is missing when all are there", () => {
    Effect.runPromise(Effect.provide(program, Layer.provide(supervised, [TransportLive, ServiceConnectorLive])))
  })
})

declare const ServiceConnectorLive: Layer.Layer<ServiceConnector.ServiceConnector>
declare const TransportLive: Layer.Layer<PushTransport.PushTransport>
