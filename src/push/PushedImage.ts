/**
 * What a good push leaves: the digest, and where the bytes were.
 *
 * @since 0.1.0
 */
import * as Schema from "effect/Schema"
import type { ImageSource } from "../image/ImageSource.ts"
import * as Digest from "../reference/Digest.ts"
import * as ImageReference from "../reference/ImageReference.ts"

/**
 * How an image got to its registry: through an engine, or directly.
 *
 * @since 0.1.0
 * @category models
 */
export const TransportKind = Schema.Literal("engine", "direct")

/**
 * @since 0.1.0
 * @category models
 */
export type TransportKind = typeof TransportKind.Type

/**
 * How images of a source go: those in an engine through it, everything else directly.
 *
 * @since 0.1.0
 * @category accessors
 */
export const transportOf = (source: ImageSource): TransportKind =>
  source._tag === "DockerSource" ? "engine" : "direct"

/**
 * Whether the registry took something, had everything already, or was left alone because the tag had other content.
 *
 * @since 0.1.0
 * @category models
 */
export const PushStatus = Schema.Literal("pushed", "unchanged", "skipped")

/**
 * Compressed sizes from the pushed manifest, in bytes, by what became of each layer. A key is absent when it is unknown.
 *
 * @since 0.1.0
 * @category models
 */
export const TransferredBytes = Schema.Struct({
  bytesUploaded: Schema.optional(Schema.NonNegativeInt),
  bytesMounted: Schema.optional(Schema.NonNegativeInt),
  bytesExisting: Schema.optional(Schema.NonNegativeInt)
})

/**
 * @since 0.1.0
 * @category models
 */
export type TransferredBytes = typeof TransferredBytes.Type

/**
 * An image in its registry.
 *
 * `repoDigest` is the canonical `host/repository@sha256:…` that pulls exactly this image; `attempts` counts from 1. When the
 * push was skipped, both digests are those of what the tag had and keeps.
 *
 * @since 0.1.0
 * @category models
 */
export class PushedImage extends Schema.Class<PushedImage>("gantry/PushedImage")({
  reference: ImageReference.FromString,
  digest: Digest.FromString,
  repoDigest: Schema.String,
  status: PushStatus,
  transport: TransportKind,
  attempts: Schema.Positive.pipe(Schema.int()),
  ...TransferredBytes.fields,
  duration: Schema.DurationFromMillis
}) {}
