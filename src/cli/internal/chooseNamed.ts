import * as Arr from "effect/Array"
import * as Either from "effect/Either"
import * as Option from "effect/Option"
import * as Record from "effect/Record"
import { type LoadedFile, registriesOf } from "./loadFile.ts"

/**
 * The file as it is for a run whose targets name these registries. Registries of one address differ by their secrets only,
 * and an image's name does not tell them apart: `@NAME` chooses one of them for the whole run. Fails with what is wrong with
 * the choice.
 */
export const chooseNamed = (
  names: ReadonlyArray<string>,
  file: Option.Option<LoadedFile>
): Either.Either<Option.Option<LoadedFile>, ReadonlyArray<string>> => {
  const registries = registriesOf(file)
  const named = Object.entries(registries).flatMap(([name, { uri }]) =>
    names.includes(name) ? [{ name, address: uri.name }] : []
  )
  const byAddress = Record.map(
    Arr.groupBy(named, ({ address }) => address),
    Arr.map(({ name }) => name)
  )
  const rivals = Object.entries(byAddress).filter(([, names]) => names.length > 1)
  if (rivals.length > 0) {
    return Either.left(
      rivals.map(
        ([address, names]) =>
          `${names.map((name) => `@${name}`).join(" and ")} are both ${address}: push to one of them at a time`
      )
    )
  }
  return Either.right(
    Option.map(file, (file) => ({
      ...file,
      registries: Record.filter({ ...registries }, ({ uri }, name) => byAddress[uri.name]?.includes(name) ?? true)
    }))
  )
}
