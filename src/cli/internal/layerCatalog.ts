import type * as FileSystem from "@effect/platform/FileSystem"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Record from "effect/Record"
import * as Redacted from "effect/Redacted"
import * as GantryFile from "../../config/GantryFile.ts"
import * as ConnectorCatalog from "../../connector/ConnectorCatalog.ts"
import type { Keychain } from "../../credential/Keychain.ts"
import type { ImageReference } from "../../reference/ImageReference.ts"
import * as RegistryUri from "../../reference/RegistryUri.ts"
import * as Authentication from "../../registry/Authentication.ts"
import * as RegistryCatalog from "../../registry/RegistryCatalog.ts"
import { PushTransport } from "../../transport/PushTransport.ts"
import type { Machine } from "../Machine.ts"
import type { ConnectionSettings } from "../RegistryOptions.ts"
import { Stdio } from "../Stdio.ts"
import { UsageError } from "../UsageError.ts"
import { type LoadedFile, registriesOf } from "./loadFile.ts"

/**
 * The registries of the file, and besides them those at `others`, by `hostKey`. What the options say of a host holds for
 * all registries on it. Reads the password when there is one to be read.
 */
export const layerCatalog = (
  settings: ConnectionSettings,
  file: Option.Option<LoadedFile>,
  others: ReadonlyArray<RegistryUri.RegistryUri>
): Layer.Layer<RegistryCatalog.RegistryCatalog, UsageError, PushTransport | Keychain | Stdio | FileSystem.FileSystem> =>
  Layer.unwrapEffect(
    Effect.gen(function* () {
      const { stdin } = yield* Stdio
      const login = yield* authentication(settings)
      const registries: GantryFile.GantryFile["registries"] = {
        ...registriesOf(file),
        ...Object.fromEntries(others.map((uri) => [hostKey(uri), { uri }]))
      }
      const content = Option.getOrElse(file, () => ({ connectors: {}, secrets: {} }))
      return Layer.provide(
        RegistryCatalog.layer(
          GantryFile.registryOptions(
            { registries: Record.map(registries, (registry) => withTls(registry, settings)) },
            login
          )
        ),
        Layer.merge(GantryFile.layerSecrets(content, { stdin }), layerConnectors(content, stdin))
      )
    })
  ).pipe(
    Layer.mapError((error) => (error._tag === "UsageError" ? error : new UsageError({ problems: [error.message] })))
  )

/** What speaks HTTP to the connectors' services is loaded when there is a connector: most files have none. */
export const layerConnectors = (
  file: Pick<GantryFile.GantryFile, "connectors">,
  stdin: Effect.Effect<Option.Option<string>>
): Layer.Layer<ConnectorCatalog.ConnectorCatalog, never, FileSystem.FileSystem> =>
  Record.isEmptyRecord({ ...file.connectors })
    ? Layer.succeed(ConnectorCatalog.ConnectorCatalog, ConnectorCatalog.make(new Map()))
    : Layer.provide(GantryFile.layerConnectors(file, { stdin }), Layer.unwrapEffect(httpClient))

const httpClient = Effect.map(
  Effect.promise(() => import("@effect/platform/FetchHttpClient")),
  ({ layer }) => layer
)

/** The key of a registry that has no name; no name looks like it. */
export const hostKey = (uri: RegistryUri.RegistryUri): string => `//${uri}`

/** The hosts of the images that no registry of the file owns, as registries. */
export const hostsBeside = (
  file: Option.Option<LoadedFile>,
  images: ReadonlyArray<ImageReference>
): ReadonlyArray<RegistryUri.RegistryUri> => {
  const registries = Object.values(registriesOf(file))
  const hosts = images
    .filter((image) => !registries.some(({ uri }) => RegistryUri.owns(uri, image)))
    .map(({ registry }) => registry)
  return Array.from(new Set(hosts), RegistryUri.unsafeParse)
}

/** As `layerCatalog`, for commands that only ask: they look for no engine. */
export const layerAsking = (
  settings: ConnectionSettings,
  file: Option.Option<LoadedFile>,
  others: ReadonlyArray<RegistryUri.RegistryUri>,
  machine: Machine
) =>
  Layer.provide(
    layerCatalog(settings, file, others),
    Layer.merge(
      layerNoTransport,
      Layer.mapError(machine.keychain, (error) => new UsageError({ problems: [String(error)] }))
    )
  )

const layerNoTransport: Layer.Layer<PushTransport> = Layer.succeed(PushTransport, {
  push: () => Effect.dieMessage("this command does not push"),
  compare: () => Effect.dieMessage("this command does not push")
})

const authentication = (
  settings: ConnectionSettings
): Effect.Effect<Authentication.Authentication<Keychain>, UsageError, Stdio> =>
  Option.match(settings.username, {
    onNone: () => Effect.succeed(Authentication.keychain),
    onSome: (username) =>
      Effect.map(
        password,
        (password): Authentication.Authentication<Keychain> => Authentication.usernamePassword(username, password)
      )
  })

const noPassword = (detail: string) =>
  new UsageError({
    problems: [`--password-stdin: ${detail}, as in \`pass show registry | gantry … --password-stdin\``]
  })

/** What is piped in, without the line's end that `echo` and editors leave. */
const password: Effect.Effect<Redacted.Redacted, UsageError, Stdio> = Effect.gen(function* () {
  const { stdin } = yield* Stdio
  const input = yield* stdin
  if (Option.isNone(input)) return yield* noPassword("standard input is a terminal. Pipe the password in")
  const text = input.value.replace(/\r?\n$/, "")
  return text === "" ? yield* noPassword("standard input is empty. Pipe the password in") : Redacted.make(text)
})

const withTls = (registry: GantryFile.FileRegistry, settings: ConnectionSettings): GantryFile.FileRegistry => {
  if (settings.plainHttp.includes(registry.uri.host)) return { ...registry, tls: "off" }
  return settings.tlsSkipVerify.includes(registry.uri.host) ? { ...registry, tls: "skip-verify" } : registry
}
