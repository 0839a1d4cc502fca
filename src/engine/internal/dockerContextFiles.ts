import { createHash } from "node:crypto"
import * as NodeFs from "node:fs/promises"
import * as NodePath from "node:path"
import * as Arr from "effect/Array"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Option from "effect/Option"
import * as Predicate from "effect/Predicate"
import * as Redacted from "effect/Redacted"
import * as Str from "effect/String"
import * as DockerConfig from "../../credential/DockerConfig.ts"
import { didYouMean } from "../../reference/internal/nearest.ts"
import type { EngineTls } from "../DockerEngine.ts"
import { EngineContextInvalid } from "../EngineError.ts"

/** What chose an engine, for messages: see `EngineContextInvalid`. */
export interface Named {
  readonly origin: string
  readonly value: string
}

/** The endpoint of a context, whose certificates are in `tlsFolder`. */
export interface ContextEndpoint {
  readonly host: Option.Option<string>
  readonly skipVerify: boolean
  readonly tlsFolder: string
}

/** The text of a file, `None` where there is none; fails with the system's code. */
const readText = (path: string): Effect.Effect<Option.Option<string>, string> =>
  Effect.tryPromise({
    try: () => NodeFs.readFile(path, "utf8"),
    catch: (error) => (Predicate.hasProperty(error, "code") ? String(error.code) : "unknown")
  }).pipe(
    Effect.asSome,
    Effect.catchIf(
      (code) => code === "ENOENT",
      () => Effect.succeedNone
    )
  )

const unreadable = (named: Named, path: string) => (code: string) =>
  new EngineContextInvalid({ ...named, detail: `${path} can not be read (${code}).` })

/** The `currentContext` of Docker's `config.json`; absent in a file that is not there. */
export const readCurrentContext = (configFile: string): Effect.Effect<Option.Option<string>, EngineContextInvalid> => {
  const named: Named = { origin: configFile, value: "" }
  return Effect.gen(function* () {
    const text = yield* Effect.mapError(readText(configFile), unreadable(named, "It"))
    const config = yield* Either.mapLeft(
      DockerConfig.parse(
        Option.getOrElse(text, () => ""),
        { path: configFile, format: "docker" }
      ),
      ({ detail, position }) =>
        new EngineContextInvalid({
          ...named,
          detail: `${Str.capitalize(detail)}${position === undefined ? "" : ` (at character ${position})`}.`
        })
    )
    return config.currentContext
  })
}

const metaFolder = (folder: string) => NodePath.join(folder, "contexts", "meta")

/** https://github.com/docker/cli/blob/v28.2.2/cli/context/store/store.go */
const idOf = (name: string): string => createHash("sha256").update(name).digest("hex")

/** Go reads the keys of JSON in any case, and takes the last of equal ones. */
const field = (value: unknown, name: string): unknown =>
  Predicate.isRecord(value)
    ? Object.entries(value).findLast(([key]) => key.toLowerCase() === name.toLowerCase())?.[1]
    : undefined

const parseJson = (text: string): Either.Either<unknown, string> =>
  Either.try({
    try: () => JSON.parse(text),
    catch: (error) => (error instanceof Error ? error.message : String(error))
  })

const metaFile = (folder: string, id: string): string => NodePath.join(metaFolder(folder), id, "meta.json")

/** The names of the contexts there are; one that can not be read has none. */
const contextNames = (folder: string): Effect.Effect<ReadonlyArray<string>> =>
  Effect.gen(function* () {
    const ids = yield* Effect.tryPromise(() => NodeFs.readdir(metaFolder(folder)))
    const texts = yield* Effect.forEach(ids, (id) => Effect.option(readText(metaFile(folder, id))))
    const metas = Arr.getRights(Arr.getSomes(texts.map(Option.flatten)).map(parseJson))
    return metas
      .map((meta) => field(meta, "Name"))
      .filter(Predicate.isString)
      .sort()
  }).pipe(Effect.orElseSucceed(() => []))

/** https://github.com/docker/cli/blob/v28.2.2/cli/context/store/store.go: what `docker context create` lets a name be. */
const isName = (name: string): boolean => /^[a-zA-Z0-9][a-zA-Z0-9_.+-]+$/.test(name)

const unknownContext = (folder: string, name: string, named: Named): Effect.Effect<never, EngineContextInvalid> =>
  Effect.flatMap(contextNames(folder), (names) => {
    const known = ["default", ...names]
    const problem = isName(name)
      ? "There is no context of this name"
      : "A context's name is two or more letters, digits and _ . + -, beginning with a letter or digit"
    const list = known.map((one) => `"${one}"`).join(", ")
    const detail = `${problem}; those in ${folder} are ${list}${didYouMean(name, known)}.`
    return new EngineContextInvalid({ ...named, detail })
  })

/** Reads a context of the folder; `named` is what asked for it. */
export const readContext = (
  folder: string,
  name: string,
  named: Named
): Effect.Effect<ContextEndpoint, EngineContextInvalid> =>
  Effect.gen(function* () {
    const id = idOf(name)
    const path = metaFile(folder, id)
    const text = yield* Effect.mapError(readText(path), unreadable(named, path))
    if (Option.isNone(text)) return yield* unknownContext(folder, name, named)
    const invalid = (problem: string) => new EngineContextInvalid({ ...named, detail: `${path} ${problem}.` })
    const meta = yield* Either.mapLeft(parseJson(text.value), (problem) => invalid(`is not valid JSON: ${problem}`))
    const endpoints = field(meta, "Endpoints")
    const endpoint = Predicate.isRecord(endpoints) ? endpoints["docker"] : undefined
    if (!Predicate.isRecord(endpoint)) return yield* invalid("names no docker endpoint")
    const host = field(endpoint, "Host") ?? ""
    const skipVerify = field(endpoint, "SkipTLSVerify") ?? false
    if (!Predicate.isString(host)) return yield* invalid("has a Host that is no text")
    if (!Predicate.isBoolean(skipVerify)) return yield* invalid("has a SkipTLSVerify that is neither true nor false")
    return {
      host: Option.liftPredicate(host, (text) => text !== ""),
      skipVerify,
      tlsFolder: NodePath.join(folder, "contexts", "tls", id, "docker")
    }
  })

/**
 * The certificates of a folder in `ca.pem`, `cert.pem` and `key.pem`, each of which may be absent, but a certificate and its
 * key only together. `None` when there is none.
 */
export const readCertificates = (
  folder: string,
  named: Named
): Effect.Effect<Option.Option<EngineTls>, EngineContextInvalid> => {
  const read = (file: string) => {
    const path = NodePath.join(folder, file)
    return Effect.mapError(readText(path), unreadable(named, path))
  }
  return Effect.gen(function* () {
    const [ca, certificate, key] = yield* Effect.all([read("ca.pem"), read("cert.pem"), read("key.pem")])
    if (Option.isSome(certificate) !== Option.isSome(key)) {
      const [present, absent] = Option.isSome(key) ? ["key.pem", "cert.pem"] : ["cert.pem", "key.pem"]
      return yield* new EngineContextInvalid({
        ...named,
        detail: `There is ${present} and no ${absent} in ${folder}: they go together.`
      })
    }
    return Option.isNone(ca) && Option.isNone(key)
      ? Option.none()
      : Option.some({
          ca: Option.getOrUndefined(ca),
          certificate: Option.getOrUndefined(certificate),
          key: Option.getOrUndefined(Option.map(key, (text) => Redacted.make(text)))
        })
  })
}
