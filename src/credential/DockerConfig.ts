/**
 * The files in which Docker and podman keep credentials: Docker's `config.json` and podman's `auth.json`.
 *
 * gantry reads them and never writes them. Source: https://github.com/docker/cli/tree/master/cli/config and
 * https://github.com/containers/image/blob/main/docs/containers-auth.json.5.md
 *
 * @since 0.1.0
 */
import * as FileSystem from "@effect/platform/FileSystem"
import type * as Config from "effect/Config"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Option from "effect/Option"
import * as Predicate from "effect/Predicate"
import { canonicalHost } from "../reference/internal/grammar.ts"
import * as Credential from "./Credential.ts"
import { DockerConfigError } from "./CredentialError.ts"
import { decodeEntry } from "./internal/dockerConfigEntry.ts"
import { hostOfKey, namespaceOfKey } from "./internal/dockerConfigKey.ts"
import { jsonErrorPosition } from "./internal/jsonPosition.ts"
import { dockerFolder } from "./internal/machineFiles.ts"

/**
 * Whose rules a file follows. `docker`: a key stands for its host, and `credsStore` is asked for whatever has no helper of
 * its own. `containers` (podman, buildah, skopeo): a key may be a part of a host (`host/team/app`), the longest one wins,
 * and `credsStore` is not read.
 *
 * @since 0.1.0
 * @category models
 */
export type Format = "docker" | "containers"

/**
 * One parsed file. An entry that can not be used is a `Left`, so that it fails for its own key alone; `None` is a marker
 * (`{}`) that says a helper holds the credential.
 *
 * @since 0.1.0
 * @category models
 */
export interface DockerConfig {
  readonly path: string
  readonly format: Format
  readonly auths: ReadonlyMap<string, Either.Either<Option.Option<Credential.CredentialKind>, DockerConfigError>>
  readonly credHelpers: ReadonlyMap<string, string>
  readonly credsStore: Option.Option<string>
  /** The context that `docker context use` chose: the name of an engine. */
  readonly currentContext: Option.Option<string>
}

/**
 * Where a file says the credential of a host is: in the file itself, or with a helper, named without `docker-credential-`.
 *
 * @since 0.1.0
 * @category models
 */
export type Location = Data.TaggedEnum<{
  readonly InFile: { readonly credential: Credential.Credential }
  readonly WithHelper: { readonly helper: string }
}>

/**
 * @since 0.1.0
 * @category constructors
 */
export const Location = Data.taggedEnum<Location>()

/**
 * The folder in which Docker keeps `config.json` and the contexts: `DOCKER_CONFIG`, else `~/.docker`.
 *
 * @since 0.1.0
 * @category config
 */
export const folder: Config.Config<string> = dockerFolder

const sizeLimit = 1024 * 1024

/**
 * Reads the text of a file.
 *
 * @param text the file's content; nothing but whitespace is an empty file, as it is for Docker
 * @param options `path`: what errors call the file; `format`: whose rules it follows
 * @returns the file; a `DockerConfigError` with reason `malformed` and the position when it is not JSON, or not of the form
 * Docker knows, or larger than 1 MiB. No error quotes the text
 * @since 0.1.0
 * @category parsing
 */
export const parse = (
  text: string,
  options: { readonly path: string; readonly format: Format }
): Either.Either<DockerConfig, DockerConfigError> => {
  const malformed = (detail: string, position?: number) =>
    Either.left(new DockerConfigError({ path: options.path, reason: "malformed", position, detail }))

  if (text.length > sizeLimit) {
    return malformed("it is larger than 1 MiB")
  }
  const json = Either.try((): unknown => JSON.parse(text.trim() === "" ? "{}" : text))
  if (Either.isLeft(json)) {
    return malformed("it is not valid JSON", jsonErrorPosition(text))
  }
  const root = json.right
  if (!Predicate.isReadonlyRecord(root)) {
    return malformed("it must hold a JSON object", text.search(/\S/))
  }
  const { auths, credHelpers, credsStore, currentContext } = root
  if (!isOptional(auths, Predicate.isReadonlyRecord)) {
    return malformed(`"auths" must be an object`)
  }
  if (!isOptional(credHelpers, isRecordOfStrings)) {
    return malformed(`"credHelpers" must be an object of strings`)
  }
  if (!isOptional(credsStore, Predicate.isString)) {
    return malformed(`"credsStore" must be a string`)
  }
  if (!isOptional(currentContext, Predicate.isString)) {
    return malformed(`"currentContext" must be a string`)
  }
  return Either.right({
    ...options,
    auths: new Map(
      Object.entries(auths ?? {}).map(([key, entry]) => [key, decodeEntry(options.path, hostOfKey(key), entry)])
    ),
    credHelpers: new Map(Object.entries(credHelpers ?? {})),
    credsStore: Option.filter(Option.fromNullable(credsStore), (helper) => helper !== ""),
    currentContext: Option.filter(Option.fromNullable(currentContext), (name) => name !== "")
  })
}

const isOptional = <A>(value: unknown, is: Predicate.Refinement<unknown, A>): value is A | null | undefined =>
  Predicate.isNullable(value) || is(value)

const isRecordOfStrings = (value: unknown): value is Readonly<Record<string, string>> =>
  Predicate.isReadonlyRecord(value) && Object.values(value).every(Predicate.isString)

/**
 * Reads a file. A file that does not exist is an empty one.
 *
 * @param path the file
 * @param format whose rules it follows
 * @returns the file; a `DockerConfigError` with reason `unreadable` or `malformed`
 * @since 0.1.0
 * @category parsing
 */
export const load = Effect.fn("DockerConfig.load")(function* (path: string, format: Format) {
  const fileSystem = yield* FileSystem.FileSystem
  const text = yield* fileSystem.readFileString(path).pipe(
    Effect.catchIf(
      (error) => error._tag === "SystemError" && error.reason === "NotFound",
      () => Effect.succeed("")
    ),
    Effect.mapError(
      (error) =>
        new DockerConfigError({
          path,
          reason: "unreadable",
          detail: error._tag === "SystemError" ? `reading it failed (${error.reason})` : "reading it failed"
        })
    )
  )
  return yield* parse(text, { path, format })
})

/**
 * Looks up where the credential of a host is, in the order of the file's own program.
 *
 * @param config the file
 * @param host any spelling of the registry's host
 * @param repository the path of what the credential is for (`library/alpine`), for files with keys for a part of a host
 * @returns the place, `None` when the file knows none; a `DockerConfigError` with reason `invalid-entry` when the entry of
 * this very host can not be used
 * @since 0.1.0
 * @category lookup
 */
export const locate = (
  config: DockerConfig,
  host: string,
  repository?: string | undefined
): Either.Either<Option.Option<Location>, DockerConfigError> => {
  const helper = helperFor(config, host)
  if (Option.isSome(helper)) {
    return Either.right(Option.some(Location.WithHelper({ helper: helper.value })))
  }
  for (const key of keysFor(config, host, repository)) {
    const entry = config.auths.get(key) ?? Either.right(Option.none())
    if (Either.isLeft(entry)) {
      return Either.left(entry.left)
    }
    if (Option.isSome(entry.right)) {
      return Either.right(
        Option.some(Location.InFile({ credential: Credential.make({ host, kind: entry.right.value }) }))
      )
    }
  }
  return Either.right(Option.none())
}

/**
 * The host that a key of a file stands for, or the address in a question to a credential helper: without scheme and path.
 *
 * @param key such as `localhost:5000` or `https://index.docker.io/v1/`
 * @since 0.1.0
 * @category lookup
 */
export const hostOf = (key: string): string => hostOfKey(key)

/**
 * An empty name in `credHelpers` means the file itself, even where a `credsStore` is set.
 */
const helperFor = (config: DockerConfig, host: string): Option.Option<string> => {
  const key = hostKeys(config.credHelpers.keys(), host)[0]
  const named = key === undefined ? undefined : config.credHelpers.get(key)
  const store = config.format === "docker" ? config.credsStore : Option.none()
  return named === undefined ? store : Option.liftPredicate(named, (helper) => helper !== "")
}

const keysFor = (config: DockerConfig, host: string, repository: string | undefined): ReadonlyArray<string> => {
  const keys = Array.from(config.auths.keys())
  return config.format === "docker" ? hostKeys(keys, host) : namespaceKeys(keys, host, repository)
}

/**
 * The keys that stand for a host: the exact one first, then any whose host it is.
 */
const hostKeys = (keys: Iterable<string>, host: string): ReadonlyArray<string> => {
  const exact = Credential.serverAddress(host)
  const canonical = canonicalHost(host)
  const matching = Array.from(keys).filter((key) => hostOfKey(key) === canonical)
  return [...matching.filter((key) => key === exact), ...matching.filter((key) => key !== exact)]
}

/**
 * The keys that stand for a repository or for a part of the way to it, the longest first.
 */
const namespaceKeys = (keys: Iterable<string>, host: string, repository: string | undefined): ReadonlyArray<string> => {
  const wanted = `${canonicalHost(host)}/${repository ?? ""}/`
  return Array.from(keys, (key) => ({ key, namespace: namespaceOfKey(key) }))
    .filter(({ namespace }) => wanted.startsWith(`${namespace}/`))
    .sort((a, b) => b.namespace.length - a.namespace.length)
    .map(({ key }) => key)
}
