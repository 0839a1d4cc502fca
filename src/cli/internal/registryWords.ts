import * as Arr from "effect/Array"
import * as Either from "effect/Either"
import * as Option from "effect/Option"
import * as PushTarget from "../../push/PushTarget.ts"
import { type LoadedFile, registriesOf } from "./loadFile.ts"

/** The registries of the file. */
export const allOf = (file: Option.Option<LoadedFile>): ReadonlyArray<PushTarget.RegistryArgument> =>
  Object.entries(registriesOf(file)).map(([name, { uri }]) => ({ name: Option.some(name), uri }))

/** What REGISTRY words name, and what is wrong with those that name nothing. */
export const readRegistryWords = (
  words: ReadonlyArray<string>,
  file: Option.Option<LoadedFile>
): readonly [problems: ReadonlyArray<string>, registries: ReadonlyArray<PushTarget.RegistryArgument>] => {
  const [problems, named] = Arr.partitionMap(words, (word) =>
    Either.mapLeft(PushTarget.parseRegistry(word, registriesOf(file)), (error) => `REGISTRY ${error.message}`)
  )
  return [problems, named.flat()]
}

export const isSameRegistry = (left: PushTarget.RegistryArgument, right: PushTarget.RegistryArgument): boolean =>
  Option.getOrUndefined(left.name) === Option.getOrUndefined(right.name) && left.uri.name === right.uri.name
