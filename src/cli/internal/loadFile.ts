import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as GantryFile from "../../config/GantryFile.ts"
import type { GantryFileInvalid, GantryFileNotFound, GantryFileUnreadable } from "../../config/GantryFileError.ts"
import type { FileSettings } from "../RegistryOptions.ts"
import { UsageError } from "../UsageError.ts"

/** A file that was read, and where it is. */
export interface LoadedFile extends GantryFile.GantryFile {
  readonly path: string
}

/** The path of the file that is named, configured or found. */
export const findFile = (named: Option.Option<string>) =>
  Effect.mapError(
    GantryFile.find(Option.getOrUndefined(named)),
    (error) => new UsageError({ problems: [String(error)] })
  )

export const variables = (set: FileSettings["set"]): Readonly<Record<string, string>> => Object.fromEntries(set)

/** What is wrong with a file is wrong with the command. */
export const asUsageError = (
  error: UsageError | GantryFileInvalid | GantryFileNotFound | GantryFileUnreadable
): UsageError => {
  if (error._tag === "UsageError") return error
  return new UsageError({ problems: error._tag === "GantryFileInvalid" ? error.lines : [error.message] })
}

/** The file that is named, configured or found; what is wrong with it is wrong with the command. */
export const loadFile = Effect.fnUntraced(function* (settings: FileSettings) {
  const found = yield* findFile(settings.config)
  if (Option.isNone(found)) return Option.none<LoadedFile>()
  const path = found.value
  const file = yield* Effect.mapError(GantryFile.load(path, { variables: variables(settings.set) }), asUsageError)
  return Option.some<LoadedFile>({ ...file, path })
})

/** The registries that may be named. */
export const registriesOf = (file: Option.Option<LoadedFile>): GantryFile.GantryFile["registries"] =>
  Option.match(file, { onNone: () => ({}), onSome: ({ registries }) => registries })
