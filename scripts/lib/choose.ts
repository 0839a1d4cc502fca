import * as Either from "effect/Either"

/** The names that contain one of the parts, or all where there is none; left are the parts that no name contains. */
export const choose = (
  names: ReadonlyArray<string>,
  parts: ReadonlyArray<string>
): Either.Either<ReadonlySet<string>, ReadonlyArray<string>> => {
  const unknown = parts.filter((part) => !names.some((name) => name.includes(part)))
  if (unknown.length > 0) return Either.left(unknown)
  return Either.right(new Set(names.filter((name) => parts.length === 0 || parts.some((part) => name.includes(part)))))
}
