import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Option from "effect/Option"
import * as Predicate from "effect/Predicate"
import type { NamedRegistries } from "../../push/PushTarget.ts"
import * as RegistryUri from "../../reference/RegistryUri.ts"
import * as Interpolation from "../Interpolation.ts"

/** How registries, secrets and connectors are named. */
export const namePattern = /^[a-z][a-z0-9-]*$/

/**
 * What one part of a file must know of the others to be decoded: the names that may be referred to, the values of
 * variables. Taken from the file as it was written, so that a mistake in one part hides none in another.
 */
export class FileScope extends Context.Tag("gantry/config/FileScope")<
  FileScope,
  {
    readonly lookup: Interpolation.Lookup
    readonly registries: NamedRegistries
    readonly secrets: Readonly<Record<string, unknown>>
    /** The type of each connector, as it is written. */
    readonly connectors: Readonly<Record<string, unknown>>
    /** How many fields of secrets and connectors come from standard input, which can be read once. */
    readonly stdinFields: number
    /** Makes a path of the file absolute: it counts from the file's folder. */
    readonly resolvePath: (path: string) => string
  }
>() {}

/** A key that is no name is not offered in messages: what stands in its place may be anything. */
const named = (value: unknown): ReadonlyArray<readonly [name: string, entry: unknown]> =>
  Object.entries(record(value)).filter(([name]) => namePattern.test(name))

const record = (value: unknown): Readonly<Record<string, unknown>> =>
  Predicate.isReadonlyRecord(value) ? { ...value } : {}

const field = (value: unknown, name: string): unknown => record(value)[name]

/** Stands for a registry whose address is wrong: what is decoded with it is never given out, for the address is refused. */
const standIn = RegistryUri.unsafeParse("registry.invalid")

const registryOf = (entry: unknown, lookup: Interpolation.Lookup) => {
  const text = field(entry, "uri")
  return Effect.map(Effect.option(Interpolation.expand(typeof text === "string" ? text : "", lookup)), (expanded) => ({
    uri: Option.getOrElse(
      Option.flatMap(expanded, (uri) => Either.getRight(RegistryUri.parse(uri))),
      () => standIn
    )
  }))
}

export const makeFileScope = Effect.fnUntraced(function* (
  content: unknown,
  options: { readonly lookup: Interpolation.Lookup; readonly resolvePath: (path: string) => string }
) {
  const secrets = named(field(content, "secrets"))
  const connectors = named(field(content, "connectors"))
  const fields = [...secrets, ...connectors].flatMap(([, entry]) => Object.values(record(entry)))
  const registries = yield* Effect.forEach(named(field(content, "registries")), ([name, entry]) =>
    Effect.map(registryOf(entry, options.lookup), (registry) => [name, registry] as const)
  )
  return FileScope.of({
    lookup: options.lookup,
    registries: Object.fromEntries(registries),
    secrets: Object.fromEntries(secrets),
    connectors: Object.fromEntries(connectors.map(([name, connector]) => [name, field(connector, "type")])),
    stdinFields: fields.filter((source) => field(source, "stdin") === true).length,
    resolvePath: options.resolvePath
  })
})
