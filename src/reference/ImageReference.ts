/**
 * Image references: `host/repository:tag@digest`, the names of images.
 *
 * @since 0.1.0
 */
import * as Either from "effect/Either"
import type * as Equal from "effect/Equal"
import * as Function from "effect/Function"
import type * as Inspectable from "effect/Inspectable"
import * as Option from "effect/Option"
import * as Predicate from "effect/Predicate"
import * as Schema from "effect/Schema"
import * as Digest from "./Digest.ts"
import { CanonicalText } from "./internal/CanonicalText.ts"
import {
  canonicalHost,
  checkHost,
  checkRepository,
  checkTag,
  DOCKER_HUB,
  isHostLike,
  isIdentifier,
  MAXIMUM_REPOSITORY_LENGTH,
  type Violation
} from "./internal/grammar.ts"
import { explainInvalidText, invalidTextFields } from "./internal/invalidText.ts"
import { redactInput, schemeEnd, userInfoEnd } from "./internal/redactInput.ts"
import { textSchema } from "./internal/textSchema.ts"

/**
 * @since 0.1.0
 * @category type ids
 */
export const TypeId: unique symbol = Symbol.for("gantry/ImageReference")

/**
 * @since 0.1.0
 * @category type ids
 */
export type TypeId = typeof TypeId

/**
 * The canonical name of an image. Only `parse` and the functions of this module make one, so that a value of this type
 * always keeps the grammar; two spellings of one name (`alpine`, `index.docker.io/library/alpine`) are equal.
 *
 * @since 0.1.0
 * @category models
 */
export interface ImageReference extends Equal.Equal, Inspectable.Inspectable {
  readonly [TypeId]: TypeId
  /** The host and its port, in lower case; `docker.io` for every alias of Docker Hub. */
  readonly registry: string
  /** The path below the host, with `library/` for Docker Hub's bare names. */
  readonly repository: string
  readonly tag: Option.Option<string>
  readonly digest: Option.Option<Digest.Digest>
  /** `registry/repository`, without tag and digest. */
  readonly name: string
}

/**
 * A text that is no image reference: at `position` (offset from 0) something else was `expected`. `input` repeats at
 * most 256 characters of the text, without a URL's user, password and query.
 *
 * @since 0.1.0
 * @category errors
 */
export class InvalidImageReference extends Schema.TaggedError<InvalidImageReference>("gantry/InvalidImageReference")(
  "InvalidImageReference",
  invalidTextFields
) {
  get advice(): string {
    return "Write it as [host[:port]/]repository[:tag][@digest]."
  }
  override get message(): string {
    return explainInvalidText(this, "an image reference")
  }
  get isRetryable(): boolean {
    return false
  }
}

type Parts = Pick<ImageReference, "registry" | "repository" | "tag" | "digest">

class ImageReferenceImpl extends CanonicalText implements ImageReference {
  readonly [TypeId]: TypeId = TypeId
  readonly registry: string
  readonly repository: string
  readonly tag: Option.Option<string>
  readonly digest: Option.Option<Digest.Digest>
  constructor(parts: Parts) {
    super()
    this.registry = parts.registry
    this.repository = parts.repository
    this.tag = parts.tag
    this.digest = parts.digest
  }
  get name(): string {
    return `${this.registry}/${this.repository}`
  }
  toString(): string {
    return print(this.name, this)
  }
}

const make = (parts: Parts): ImageReference => new ImageReferenceImpl(parts)

const print = (name: string, parts: Pick<Parts, "tag" | "digest">): string => {
  const tag = Option.match(parts.tag, { onNone: () => "", onSome: (tag) => `:${tag}` })
  const digest = Option.match(parts.digest, { onNone: () => "", onSome: (digest) => `@${digest}` })
  return `${name}${tag}${digest}`
}

/**
 * Whether a value is an `ImageReference`.
 *
 * @since 0.1.0
 * @category guards
 */
export const isImageReference = (value: unknown): value is ImageReference => Predicate.hasProperty(value, TypeId)

/** What a pasted URL or an image id needs told; these are no matter of single characters. */
const checkForm = (text: string): Violation | undefined => {
  const scheme = schemeEnd(text)
  if (scheme > 0) return { position: 0, expected: "a host or a repository and no scheme such as https://" }
  if (userInfoEnd(text) >= 0 && userInfoEnd(text) < text.indexOf("/")) {
    return { position: 0, expected: "a host without user and password (give those to the registry as a credential)" }
  }
  return isIdentifier(text)
    ? { position: 0, expected: "a repository, not an image id of 64 hexadecimal digits" }
    : undefined
}

const LIBRARY = "library/"

/**
 * Parses an image reference; the text is not trimmed and the host is a first component with a dot, a colon, an
 * upper-case letter or the name `localhost`, else the image is on Docker Hub. Fails with `InvalidImageReference`.
 *
 * Source: https://github.com/distribution/reference/blob/v0.6.0/normalize.go
 *
 * @since 0.1.0
 * @category constructors
 * @example
 * import * as ImageReference from "gantry/ImageReference"
 *
 * ImageReference.unsafeParse("alpine:3").toString() // "docker.io/library/alpine:3"
 */
export const parse = (text: string): Either.Either<ImageReference, InvalidImageReference> => {
  const invalid = (violation: Violation) =>
    Either.left(new InvalidImageReference({ input: redactInput(text), ...violation }))

  const slash = text.indexOf("/")
  const host = slash >= 0 && isHostLike(text.slice(0, slash)) ? text.slice(0, slash) : undefined
  const start = host === undefined ? 0 : slash + 1
  const at = text.indexOf("@", start)
  const nameEnd = at < 0 ? text.length : at
  const colon = text.slice(start, nameEnd).indexOf(":")
  const end = colon < 0 ? nameEnd : start + colon

  const violation =
    checkForm(text) ??
    (host === undefined ? undefined : checkHost(text, 0, slash)) ??
    checkRepository(text, start, end) ??
    (colon < 0 ? undefined : checkTag(text, end + 1, nameEnd))
  if (violation !== undefined) return invalid(violation)

  const registry = host === undefined ? DOCKER_HUB : canonicalHost(host)
  const path = text.slice(start, end)
  const repository = registry === DOCKER_HUB && !path.includes("/") ? `${LIBRARY}${path}` : path
  if (repository.length > MAXIMUM_REPOSITORY_LENGTH) {
    const position = end - (repository.length - MAXIMUM_REPOSITORY_LENGTH)
    return invalid({ position, expected: `a repository of at most ${MAXIMUM_REPOSITORY_LENGTH} characters` })
  }
  const tag = colon < 0 ? Option.none() : Option.some(text.slice(end + 1, nameEnd))
  if (at < 0) return Either.right(make({ registry, repository, tag, digest: Option.none() }))

  const digest = Digest.parse(text.slice(at + 1))
  return Either.isRight(digest)
    ? Either.right(make({ registry, repository, tag, digest: Option.some(digest.right) }))
    : invalid({ position: at + 1 + digest.left.position, expected: digest.left.expected })
}

/**
 * `parse` for literals in source code: throws `InvalidImageReference`.
 *
 * @since 0.1.0
 * @category constructors
 */
export const unsafeParse = (text: string): ImageReference => Either.getOrThrowWith(parse(text), Function.identity)

/**
 * The name without tag and digest as people write it: Docker Hub's host and `library/` are left out
 * (`docker.io/library/alpine:3` gives `alpine`).
 *
 * @since 0.1.0
 * @category getters
 */
export const familiarName = (image: ImageReference): string => {
  if (image.registry !== DOCKER_HUB) return image.name
  const official = image.repository.startsWith(LIBRARY) ? image.repository.slice(LIBRARY.length) : ""
  if (official !== "" && !official.includes("/") && !isIdentifier(official)) return official
  // `docker.io/foo.bar/x` is an account foo.bar, `foo.bar/x` a host: what would be read as a host keeps docker.io.
  return isHostLike(image.repository.slice(0, image.repository.indexOf("/"))) ? image.name : image.repository
}

/**
 * The whole reference as people write it (`docker.io/library/alpine:3` gives `alpine:3`); it parses back to `image`.
 *
 * @since 0.1.0
 * @category getters
 */
export const familiar = (image: ImageReference): string => print(familiarName(image), image)

/**
 * The same image under another tag; a digest is kept. Fails with `InvalidImageReference` when `tag` is no tag.
 *
 * @since 0.1.0
 * @category combinators
 */
export const withTag: {
  (tag: string): (image: ImageReference) => Either.Either<ImageReference, InvalidImageReference>
  (image: ImageReference, tag: string): Either.Either<ImageReference, InvalidImageReference>
} = Function.dual(2, (image: ImageReference, tag: string): Either.Either<ImageReference, InvalidImageReference> => {
  const violation = checkTag(tag, 0, tag.length)
  return violation === undefined
    ? Either.right(make({ ...image, tag: Option.some(tag) }))
    : Either.left(new InvalidImageReference({ input: redactInput(tag), ...violation }))
})

/**
 * The same image pinned to a digest; a tag is kept.
 *
 * @since 0.1.0
 * @category combinators
 */
export const withDigest: {
  (digest: Digest.Digest): (image: ImageReference) => ImageReference
  (image: ImageReference, digest: Digest.Digest): ImageReference
} = Function.dual(
  2,
  (image: ImageReference, digest: Digest.Digest): ImageReference => make({ ...image, digest: Option.some(digest) })
)

/**
 * Adds the tag `latest` to a reference that has neither tag nor digest, as Docker does.
 *
 * @since 0.1.0
 * @category combinators
 */
export const withDefaultTag = (image: ImageReference): ImageReference =>
  Option.isSome(image.tag) || Option.isSome(image.digest) ? image : make({ ...image, tag: Option.some("latest") })

/**
 * The schema of references in files, arguments and events: a string outside, an `ImageReference` inside.
 *
 * @since 0.1.0
 * @category schemas
 */
export const FromString: Schema.Schema<ImageReference, string> = textSchema({
  identifier: "ImageReference",
  is: isImageReference,
  parse
})
