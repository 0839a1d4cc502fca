/**
 * Content digests: `algorithm:hex`, as the OCI image specification registers them.
 *
 * @since 0.1.0
 */
import * as Either from "effect/Either"
import type * as Equal from "effect/Equal"
import * as Function from "effect/Function"
import type * as Inspectable from "effect/Inspectable"
import * as Predicate from "effect/Predicate"
import * as Schema from "effect/Schema"
import { CanonicalText } from "./internal/CanonicalText.ts"
import { type DigestAlgorithm, splitDigest } from "./internal/grammar.ts"
import { explainInvalidText, invalidTextFields } from "./internal/invalidText.ts"
import { redactInput } from "./internal/redactInput.ts"
import { textSchema } from "./internal/textSchema.ts"

/**
 * @since 0.1.0
 * @category type ids
 */
export const TypeId: unique symbol = Symbol.for("gantry/Digest")

/**
 * @since 0.1.0
 * @category type ids
 */
export type TypeId = typeof TypeId

/**
 * The hash functions a digest may name.
 *
 * @since 0.1.0
 * @category models
 */
export type Algorithm = DigestAlgorithm

/**
 * The digest of a blob or a manifest; two digests of the same content and algorithm are equal.
 *
 * @since 0.1.0
 * @category models
 */
export interface Digest extends Equal.Equal, Inspectable.Inspectable {
  readonly [TypeId]: TypeId
  /** The hash function. */
  readonly algorithm: Algorithm
  /** The hash in lower-case hexadecimal: 64 digits for sha256, 96 for sha384, 128 for sha512. */
  readonly encoded: string
}

/**
 * A text that is no digest: at `position` (offset from 0) something else was `expected`.
 *
 * @since 0.1.0
 * @category errors
 */
export class InvalidDigest extends Schema.TaggedError<InvalidDigest>("gantry/InvalidDigest")(
  "InvalidDigest",
  invalidTextFields
) {
  get advice(): string {
    return "Write it as sha256:<64 hexadecimal digits>."
  }
  override get message(): string {
    return explainInvalidText(this, "a digest")
  }
  get isRetryable(): boolean {
    return false
  }
}

class DigestImpl extends CanonicalText implements Digest {
  readonly [TypeId]: TypeId = TypeId
  readonly algorithm: Algorithm
  readonly encoded: string
  constructor(parts: Pick<Digest, "algorithm" | "encoded">) {
    super()
    this.algorithm = parts.algorithm
    this.encoded = parts.encoded
  }
  toString(): string {
    return `${this.algorithm}:${this.encoded}`
  }
}

/**
 * Whether a value is a `Digest`.
 *
 * @since 0.1.0
 * @category guards
 */
export const isDigest = (value: unknown): value is Digest => Predicate.hasProperty(value, TypeId)

/**
 * Parses `algorithm:hex` (sha256, sha384 or sha512, lower case, exact length); the text is not trimmed. Fails with
 * `InvalidDigest`.
 *
 * Source: https://github.com/opencontainers/image-spec/blob/v1.1.1/descriptor.md#digests
 *
 * @since 0.1.0
 * @category constructors
 */
export const parse = (text: string): Either.Either<Digest, InvalidDigest> => {
  const parts = splitDigest(text, 0, text.length)
  return "expected" in parts
    ? Either.left(new InvalidDigest({ input: redactInput(text), ...parts }))
    : Either.right<Digest>(new DigestImpl(parts))
}

/**
 * `parse` for literals in source code: throws `InvalidDigest`.
 *
 * @since 0.1.0
 * @category constructors
 */
export const unsafeParse = (text: string): Digest => Either.getOrThrowWith(parse(text), Function.identity)

/**
 * The schema of digests in files, arguments and events: a string outside, a `Digest` inside.
 *
 * @since 0.1.0
 * @category schemas
 */
export const FromString: Schema.Schema<Digest, string> = textSchema({ identifier: "Digest", is: isDigest, parse })
