/**
 * `gantry.yaml`: registries, connectors, secrets and pushes in one file, for the command line, CI and applications alike.
 *
 * @since 0.1.0
 */
import type { PlatformError } from "@effect/platform/Error"
import * as FileSystem from "@effect/platform/FileSystem"
import type * as HttpClient from "@effect/platform/HttpClient"
import * as Path from "@effect/platform/Path"
import * as Arr from "effect/Array"
import * as Config from "effect/Config"
import * as Effect from "effect/Effect"
import * as JSONSchema from "effect/JSONSchema"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Record from "effect/Record"
import * as Schema from "effect/Schema"
import * as ConnectorCatalog from "../connector/ConnectorCatalog.ts"
import { SecretStore } from "../credential/SecretStore.ts"
import * as PushRequest from "../push/PushRequest.ts"
import type { InvalidRegistryUri } from "../reference/RegistryUri.ts"
import * as Authentication from "../registry/Authentication.ts"
import * as ContainerRegistry from "../registry/ContainerRegistry.ts"
import * as RegistryCatalog from "../registry/RegistryCatalog.ts"
import type { PushTransport } from "../transport/PushTransport.ts"
import { GantryFileInvalid, GantryFileNotFound, GantryFileUnreadable } from "./GantryFileError.ts"
import * as Interpolation from "./Interpolation.ts"
import { makeFileConnectors } from "./internal/fileConnectors.ts"
import * as internal from "./internal/fileSchema.ts"
import { FileScope, makeFileScope } from "./internal/fileScope.ts"
import { makeFileSecrets } from "./internal/fileSecrets.ts"
import { issueProblems } from "./internal/issueProblems.ts"
import type { YamlDocument } from "./internal/yamlDocument.ts"

/**
 * The whole file. Its context is what one part of a file must know of the others, and `parse` gives it.
 *
 * @since 0.1.0
 * @category schemas
 */
export const GantryFile = internal.GantryFile

/**
 * A file that was read: variables are put in, addresses and references parsed, flavors known, each push has all its
 * targets with their tags, and paths of secrets are absolute. Secrets are not read yet.
 *
 * @since 0.1.0
 * @category models
 */
export type GantryFile = internal.GantryFile

/**
 * What a file says of one registry.
 *
 * @since 0.1.0
 * @category models
 */
export type FileRegistry = internal.FileRegistry

/**
 * What a file says of one connector: its type, its method, and the method's fields, secrets by where they are.
 *
 * @since 0.1.0
 * @category models
 */
export type FileConnector = internal.FileConnector

/**
 * What a file says of one secret: where its values are.
 *
 * @since 0.1.0
 * @category models
 */
export type FileSecret = internal.FileSecret

/**
 * One image of a file's `pushes`, with every name it gets.
 *
 * @since 0.1.0
 * @category models
 */
export type FilePush = internal.Push

/**
 * How a file is read.
 *
 * @since 0.1.0
 * @category models
 */
export interface ReadOptions {
  /** Values of variables, which win over the configuration; `--set` of the command line. */
  readonly variables?: Readonly<Record<string, string>> | undefined
}

/**
 * The JSON Schema (draft 7) of the file as it is written, for editors.
 *
 * @since 0.1.0
 * @category schemas
 */
export const jsonSchema = (): JSONSchema.JsonSchema7Root => JSONSchema.make(GantryFile)

/** A reader of YAML is loaded when there is a file: most pushes have none. */
const yamlReader = Effect.promise(() => import("./internal/yamlDocument.ts"))

/**
 * Reads a file's text.
 *
 * @param text YAML 1.2, of which JSON is a part
 * @param options where the text is from, and the values of its variables
 * @returns the file; fails with `GantryFileInvalid`, which has everything that is wrong and repeats no value
 * @since 0.1.0
 * @category parsing
 */
export const parse = Effect.fn("GantryFile.parse")(function* (text: string, options: TextOptions) {
  const document = yield* readDocument(text, options)
  return yield* decode(GantryFile, document, yield* scopeOf(document.value, options), options)
})

/**
 * What is known of a text.
 *
 * @since 0.1.0
 * @category models
 */
export interface TextOptions extends ReadOptions {
  /** Where the text is from, for errors and for the paths within it, which count from its folder. */
  readonly path: string
}

const readDocument = Effect.fnUntraced(function* (text: string, { path }: TextOptions) {
  const { readYaml } = yield* yamlReader
  return yield* Effect.mapError(readYaml(text), (problems) => new GantryFileInvalid({ path, problems }))
})

const scopeOf = Effect.fnUntraced(function* (content: unknown, options: TextOptions) {
  const path = yield* Path.Path
  const folder = path.dirname(path.resolve(options.path))
  return yield* makeFileScope(content, {
    lookup: Interpolation.lookup(options.variables ?? {}),
    resolvePath: (file) => path.resolve(folder, file)
  })
})

const decode = <A, I>(
  schema: Schema.Schema<A, I, FileScope>,
  document: YamlDocument,
  scope: typeof FileScope.Service,
  { path }: TextOptions
): Effect.Effect<A, GantryFileInvalid> =>
  Schema.decodeUnknown(schema, { errors: "all", onExcessProperty: "error" })(document.value).pipe(
    Effect.mapError(({ issue }) => new GantryFileInvalid({ path, problems: issueProblems(issue, document.place) })),
    Effect.provideService(FileScope, scope)
  )

/**
 * Reads the text of a batch: a whole file, or a list alone, of what a file has under `pushes`.
 *
 * @param text YAML 1.2, of which JSON is a part
 * @param options as of `parse`; `file`: gives the file whose registries a list's targets may name, and is run for a list only
 * @returns the file, or that of the options with the list as its pushes; fails with `GantryFileInvalid`, and as `file` does
 * @since 0.1.0
 * @category parsing
 */
export const parseBatch = Effect.fn("GantryFile.parseBatch")(function* <E, R>(
  text: string,
  options: TextOptions & { readonly file: Effect.Effect<GantryFile, E, R> }
) {
  const document = yield* readDocument(text, options)
  const scope = yield* scopeOf(document.value, options)
  if (!Array.isArray(document.value)) return yield* decode(GantryFile, document, scope, options)
  const file = yield* options.file
  const pushes = yield* decode(internal.Pushes, document, { ...scope, registries: file.registries }, options)
  return { ...file, pushes }
})

const unreadable = (path: string) => (error: PlatformError) => {
  if (error._tag === "SystemError" && error.reason === "NotFound") return new GantryFileNotFound({ path })
  const isForbidden = error._tag === "SystemError" && error.reason === "PermissionDenied"
  return new GantryFileUnreadable({
    path,
    detail: isForbidden ? "permission denied" : (error.description ?? error.module)
  })
}

/**
 * Reads a file.
 *
 * @param path the file's path
 * @returns the file; fails with `GantryFileNotFound`, `GantryFileUnreadable` or `GantryFileInvalid`
 * @since 0.1.0
 * @category loading
 * @example
 * import { GantryFile } from "gantry"
 * import { Effect } from "effect"
 *
 * const program = Effect.gen(function* () {
 *   const file = yield* GantryFile.load("gantry.yaml", { variables: { VERSION: "1.4.2" } })
 *   return GantryFile.requests(file)
 * })
 */
export const load = Effect.fn("GantryFile.load")(function* (path: string, options?: ReadOptions) {
  return yield* parse(yield* readText(path), { ...options, path })
})

/**
 * Reads a file's text, for `parse` and `parseBatch`. Fails with `GantryFileNotFound` or `GantryFileUnreadable`.
 *
 * @since 0.1.0
 * @category loading
 */
export const readText = Effect.fn("GantryFile.readText")(function* (path: string) {
  const fileSystem = yield* FileSystem.FileSystem
  const bytes = yield* Effect.mapError(fileSystem.readFile(path), unreadable(path))
  return yield* Effect.try({
    try: () => utf8.decode(bytes),
    catch: () => new GantryFileUnreadable({ path, detail: "it is not UTF-8 text" })
  })
})

const utf8 = new TextDecoder("utf-8", { fatal: true })

const fileNames = ["gantry.yaml", "gantry.yml", "gantry.json"]

/** The working directory and what is above it, up to the root. */
const folders = Effect.map(Path.Path, (path) =>
  Arr.unfold(Option.some(path.resolve(".")), (folder) =>
    Option.map(folder, (here) => {
      const above = path.dirname(here)
      return [here, above === here ? Option.none() : Option.some(above)] as const
    })
  )
)

/**
 * Finds the file: the named one, else the one that `GANTRY_CONFIG` names, else the first `gantry.yaml`, `gantry.yml` or
 * `gantry.json` in the working directory or a folder above it.
 *
 * A named file is not looked for: `load` fails when it is missing. A folder above that can not be looked into is passed.
 *
 * @param named a path from the command line
 * @returns the path; `None` when nothing names a file and none is found
 * @since 0.1.0
 * @category loading
 */
export const find = Effect.fn("GantryFile.find")(function* (named?: string) {
  const fileSystem = yield* FileSystem.FileSystem
  const path = yield* Path.Path
  const configured = yield* Config.option(Config.nonEmptyString("GANTRY_CONFIG"))
  const given = Option.orElse(Option.fromNullable(named), () => configured)
  if (Option.isSome(given)) return given
  const candidates = (yield* folders).flatMap((folder) => fileNames.map((name) => path.join(folder, name)))
  return yield* Effect.findFirst(candidates, (candidate) =>
    Effect.orElseSucceed(fileSystem.exists(candidate), () => false)
  )
})

/**
 * The pushes of a file, sources × targets × tags, in the order of the file. A target without a tag has its source's,
 * else `latest`.
 *
 * @since 0.1.0
 * @category accessors
 */
export const requests = (file: Pick<GantryFile, "pushes">): ReadonlyArray<PushRequest.PushRequest> =>
  file.pushes.flatMap(({ source, targets }) => targets.map((target) => PushRequest.make({ source, target })))

/**
 * The limits of a file by registry host, as `PushSupervisor` takes them: the smallest of a host's registries.
 *
 * @since 0.1.0
 * @category accessors
 */
export const registryConcurrency = (file: Pick<GantryFile, "registries">): Readonly<Record<string, number>> =>
  Record.map(
    Arr.groupBy(
      Object.values(file.registries).flatMap(({ concurrency, uri }) =>
        concurrency === undefined ? [] : [{ concurrency, host: uri.host }]
      ),
      ({ host }) => host
    ),
    (limits) => Math.min(...limits.map(({ concurrency }) => concurrency))
  )

/**
 * A registry's options whose way to authenticate is chosen.
 *
 * @since 0.1.0
 * @category models
 */
export interface FileRegistryOptions<R>
  extends Omit<ContainerRegistry.ContainerRegistryOptions<R>, "authentication" | "prepareImagePush"> {
  readonly authentication: Authentication.Authentication<R>
}

/**
 * A file's registries as `RegistryCatalog.layer` takes them. A registry with a secret or a connector uses that and nothing
 * else.
 *
 * @param authentication for the registries with neither
 * @since 0.1.0
 * @category accessors
 */
export const registryOptions = <R = never>(
  file: Pick<GantryFile, "registries">,
  authentication: Authentication.Authentication<R>
): Readonly<Record<string, FileRegistryOptions<R | SecretStore | ConnectorCatalog.ConnectorCatalog>>> =>
  Record.map({ ...file.registries }, ({ defaultRepository, flavor, protect, tls, uri, ...login }) => ({
    uri,
    flavor,
    tls,
    defaultRepository,
    protect,
    authentication: authenticationOf(login, authentication)
  }))

const authenticationOf = <R>(
  { connector, secret }: Pick<FileRegistry, "connector" | "secret">,
  otherwise: Authentication.Authentication<R>
): Authentication.Authentication<R | SecretStore | ConnectorCatalog.ConnectorCatalog> => {
  if (secret !== undefined) return Authentication.secret(secret)
  return connector === undefined ? otherwise : Authentication.connectorNamed(connector)
}

/**
 * Where `{ stdin: true }` reads from.
 *
 * @since 0.1.0
 * @category models
 */
export interface SecretOptions {
  /** Everything that is piped in, `None` for a terminal; without it, secrets that want standard input are `SecretInvalid`. */
  readonly stdin?: Effect.Effect<Option.Option<string>> | undefined
}

/**
 * A file's secrets. Variables and files are read anew at each `get`, standard input once.
 *
 * `get` fails with `SecretInvalid`, which names the secret, the field and the place, when a value can not be read.
 *
 * @since 0.1.0
 * @category layers
 */
export const layerSecrets = (
  file: Pick<GantryFile, "secrets">,
  options?: SecretOptions
): Layer.Layer<SecretStore, never, FileSystem.FileSystem> =>
  Layer.scoped(
    SecretStore,
    Effect.map(makeFileSecrets(file.secrets, options?.stdin ?? Effect.succeedNone), (get) => ({
      label: "the secrets of the gantry file",
      get: Effect.fn("SecretStore.get")(get)
    }))
  )

/**
 * A file's connectors by their names. Each is made when it is first used, and made anew when one of its secrets has
 * changed: variables and files are read for each credential that is issued, standard input once. Registries that name
 * one connector share it.
 *
 * Issuing fails with a `ConnectorError` (`misconfigured`) when a secret can not be read or the connector not be made.
 *
 * @since 0.1.0
 * @category layers
 */
export const layerConnectors = (
  file: Pick<GantryFile, "connectors">,
  options?: SecretOptions
): Layer.Layer<ConnectorCatalog.ConnectorCatalog, never, FileSystem.FileSystem | HttpClient.HttpClient> =>
  Layer.scoped(
    ConnectorCatalog.ConnectorCatalog,
    Effect.map(makeFileConnectors(file.connectors, options?.stdin ?? Effect.succeedNone), ConnectorCatalog.make)
  )

/**
 * The registries of a file, with its secrets and connectors: an application and CI share one file.
 *
 * Fails with what `load` fails with.
 *
 * @param path the file's path
 * @param options `authentication`: for the registries without a secret and a connector, anonymous unless given
 * @since 0.1.0
 * @category layers
 * @example
 * import { Authentication, GantryFile } from "gantry"
 *
 * const live = GantryFile.layerCatalog("gantry.yaml", { authentication: Authentication.keychain })
 */
export const layerCatalog = <R = never>(
  path: string,
  options?: ReadOptions & SecretOptions & { readonly authentication?: Authentication.Authentication<R> | undefined }
): Layer.Layer<
  RegistryCatalog.RegistryCatalog,
  GantryFileInvalid | GantryFileNotFound | GantryFileUnreadable | InvalidRegistryUri,
  | Exclude<R, SecretStore | ConnectorCatalog.ConnectorCatalog>
  | PushTransport
  | FileSystem.FileSystem
  | Path.Path
  | HttpClient.HttpClient
> =>
  Layer.unwrapEffect(
    Effect.map(load(path, options), (file) =>
      Layer.provide(
        layerRegistries(registryOptions<R>(file, options?.authentication ?? Authentication.anonymous)),
        Layer.merge(layerSecrets(file, options), layerConnectors(file, options))
      )
    )
  )

/** `RegistryCatalog.layer` infers what a record written out in the source needs; this record's one `R` it can not see. */
const layerRegistries = <R>(registries: Readonly<Record<string, FileRegistryOptions<R>>>) =>
  Layer.scoped(
    RegistryCatalog.RegistryCatalog,
    Effect.map(
      Effect.forEach(Object.entries(registries), ([name, options]) =>
        Effect.map(ContainerRegistry.make<R>(options), (registry) => [name, registry] as const)
      ),
      (entries) => RegistryCatalog.make(new Map(entries))
    )
  )
