/**
 * A TARGET as an argument: an image reference, or `@NAME/repository[:tag]`, which can be read with the file only.
 */
import * as Either from "effect/Either"
import * as Option from "effect/Option"
import * as PushTarget from "../push/PushTarget.ts"
import type { ImageReference } from "../reference/ImageReference.ts"

export type NamedTarget = `@${string}`

export type TargetWord = ImageReference | NamedTarget

const isNamed = (text: string): text is NamedTarget => text.startsWith("@")

const parseWith = (text: string, registries: PushTarget.NamedRegistries) =>
  Either.mapLeft(PushTarget.parse(text, registries), (error) => error.message)

/** Reads what can be read without the file; fails with what is wrong. */
export const parse = (text: string): Either.Either<TargetWord, string> =>
  isNamed(text) ? Either.right(text) : parseWith(text, {})

/** The reference that a word stands for; fails with what is wrong. */
export const resolve = (
  word: TargetWord,
  registries: PushTarget.NamedRegistries
): Either.Either<ImageReference, string> =>
  typeof word === "string" ? parseWith(word, registries) : Either.right(word)

/** The name of the registry that a word names. */
export const nameOf = (word: TargetWord): Option.Option<string> =>
  typeof word === "string" ? PushTarget.nameOf(word) : Option.none()
