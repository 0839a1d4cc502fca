/**
 * Where a push goes, as people write it: an image reference, or `@NAME/repository[:tag]` for a registry of the file.
 *
 * @since 0.1.0
 */
import * as Arr from "effect/Array"
import * as Either from "effect/Either"
import * as Option from "effect/Option"
import * as Record from "effect/Record"
import * as Schema from "effect/Schema"
import type { ImageSource } from "../image/ImageSource.ts"
import * as ImageReference from "../reference/ImageReference.ts"
import { didYouMean } from "../reference/internal/nearest.ts"
import * as RegistryUri from "../reference/RegistryUri.ts"

/**
 * The registries that may be named, by name; `{}` where there is no file.
 *
 * @since 0.1.0
 * @category models
 */
export type NamedRegistries = Readonly<Record<string, { readonly uri: RegistryUri.RegistryUri }>>

/**
 * A name that no registry of the file has.
 *
 * @since 0.1.0
 * @category errors
 */
export class RegistryNotInFile extends Schema.TaggedError<RegistryNotInFile>("gantry/RegistryNotInFile")(
  "RegistryNotInFile",
  { name: Schema.String, known: Schema.Array(Schema.String) }
) {
  get isRetryable(): boolean {
    return false
  }
  override get message(): string {
    return `There is no registry ${JSON.stringify(this.name)}: ${this.advice}.`
  }
  /** What to do, without the name, which may be what the author did not mean to show. */
  get advice(): string {
    return this.known.length === 0
      ? "no registry has a name here, so write the whole reference, or name the registry under registries in gantry.yaml"
      : `the names are ${this.known.join(", ")}${didYouMean(this.name, this.known, "@")}; write one of them, or add it under registries`
  }
}

const notInFile = (name: string, registries: NamedRegistries) =>
  Either.left(new RegistryNotInFile({ name, known: Object.keys(registries).sort() }))

type Parsed = Either.Either<ImageReference.ImageReference, RegistryNotInFile | ImageReference.InvalidImageReference>

const parseNamed = (text: string, registries: NamedRegistries): Parsed => {
  const slash = text.indexOf("/")
  const name = text.slice(1, slash < 0 ? undefined : slash)
  const registry = Record.get(registries, name)
  if (Option.isNone(registry)) return notInFile(name, registries)
  const prefix = registry.value.uri.name
  return Either.mapLeft(
    ImageReference.parse(`${prefix}/${text.slice(name.length + 2)}`),
    ({ expected, input, position }) =>
      new ImageReference.InvalidImageReference({
        input: input.startsWith(prefix) ? `@${name}${input.slice(prefix.length)}` : input,
        position: Math.max(0, position - prefix.length + name.length + 1),
        expected
      })
  )
}

/**
 * Reads a target. Fails with `RegistryNotInFile` for a name that nobody has, and with `InvalidImageReference` for
 * everything else, a digest included: an image is pushed under a tag, and its digest is the result.
 *
 * @since 0.1.0
 * @category parsing
 * @example
 * import { PushTarget, RegistryUri } from "gantry"
 *
 * const registries = { prod: { uri: RegistryUri.unsafeParse("acme.azurecr.io/team") } }
 * PushTarget.parse("@prod/app:1", registries) // acme.azurecr.io/team/app:1
 */
export const parse = (
  text: string,
  registries: NamedRegistries
): Either.Either<ImageReference.ImageReference, RegistryNotInFile | ImageReference.InvalidImageReference> =>
  Either.flatMap(text.startsWith("@") ? parseNamed(text, registries) : ImageReference.parse(text), (target) =>
    Option.isNone(target.digest) ? Either.right(target) : refuseDigest(target)
  )

const refuseDigest = (target: ImageReference.ImageReference): Parsed => {
  const input = String(target)
  return Either.left(
    new ImageReference.InvalidImageReference({
      input,
      position: input.indexOf("@"),
      expected: "the end: an image is pushed under a tag, and its digest is the result"
    })
  )
}

/**
 * The name of the registry that a target names, written `@NAME/…`.
 *
 * @since 0.1.0
 * @category accessors
 */
export const nameOf = (text: string): Option.Option<string> =>
  text.startsWith("@") ? Option.some(text.slice(1).replace(/\/.*$/s, "")) : Option.none()

const tagOf = (source: ImageSource): Option.Option<string> => {
  switch (source._tag) {
    case "DockerSource":
    case "RegistrySource":
      return source.reference.tag
    case "OciLayoutSource":
      return source.tag
    case "DockerArchiveSource":
      return Option.flatMap(source.reference, (name) =>
        Option.flatMap(Either.getRight(ImageReference.parse(name)), (reference) => reference.tag)
      )
  }
}

/**
 * A target with a tag: its own, else the source's, else `latest`. Fails with `InvalidImageReference` when the name that
 * an image has in a layout can not be a tag.
 *
 * @since 0.1.0
 * @category combinators
 */
export const withTagOf = (
  target: ImageReference.ImageReference,
  source: ImageSource
): Either.Either<ImageReference.ImageReference, ImageReference.InvalidImageReference> =>
  Option.match(Option.isSome(target.tag) ? Option.none() : tagOf(source), {
    onNone: () => Either.right(ImageReference.withDefaultTag(target)),
    onSome: (tag) => ImageReference.withTag(target, tag)
  })

/**
 * A registry as an argument names it: one of the file has its name there.
 *
 * @since 0.1.0
 * @category models
 */
export interface RegistryArgument {
  readonly name: Option.Option<string>
  readonly uri: RegistryUri.RegistryUri
}

/** A word that `RegistryUri.parse` would read as an account on Docker Hub; an argument that is a misspelt name is likelier. */
const bareWord = /^(?!localhost$)[a-z0-9_-]+$/

/**
 * Reads a REGISTRY argument: a name of the file with or without `@`, else an address. A host stands for all registries
 * of the file on it, and for itself when there are none. Fails with `RegistryNotInFile` when `@` precedes a name that
 * nobody has, or the text is a bare word and thus no host, and with `InvalidRegistryUri`.
 *
 * @since 0.1.0
 * @category parsing
 */
export const parseRegistry = (
  text: string,
  registries: NamedRegistries
): Either.Either<Arr.NonEmptyReadonlyArray<RegistryArgument>, RegistryNotInFile | RegistryUri.InvalidRegistryUri> => {
  const name = text.startsWith("@") ? text.slice(1) : text
  const named = Record.get(registries, name)
  if (Option.isSome(named)) return Either.right([{ name: Option.some(name), uri: named.value.uri }])
  if (text.startsWith("@") || bareWord.test(text)) return notInFile(name, registries)
  return Either.map(RegistryUri.parse(text), (uri) => {
    const onHost = Object.entries(registries)
      .filter(([, registry]) => registry.uri.host === uri.host && (uri.path === "" || registry.uri.path === uri.path))
      .map(([name, registry]) => ({ name: Option.some(name), uri: registry.uri }))
    return Arr.isNonEmptyArray(onHost) ? onHost : [{ name: Option.none(), uri }]
  })
}
