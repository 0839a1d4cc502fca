/**
 * Descriptors: what a blob or a manifest is, by media type, digest and size.
 *
 * @since 0.1.0
 */
import { sha256, sha384, sha512 } from "@noble/hashes/sha2.js"
import * as Encoding from "effect/Encoding"
import * as Schema from "effect/Schema"
import * as Digest from "../reference/Digest.ts"

/**
 * The platform an image of an index runs on.
 *
 * @since 0.1.0
 * @category models
 */
export class Platform extends Schema.Class<Platform>("gantry/Descriptor/Platform")({
  os: Schema.String,
  architecture: Schema.String,
  variant: Schema.optional(Schema.String),
  "os.version": Schema.optional(Schema.String)
}) {
  /** @since 0.1.0 */
  override toString(): string {
    return [this.os, this.architecture, ...(this.variant === undefined ? [] : [this.variant])].join("/")
  }
}

/**
 * A reference to content: its media type, its digest and its size in bytes.
 *
 * Source: https://github.com/opencontainers/image-spec/blob/v1.1.1/descriptor.md
 *
 * @since 0.1.0
 * @category models
 */
export class Descriptor extends Schema.Class<Descriptor>("gantry/Descriptor")({
  mediaType: Schema.String,
  digest: Digest.FromString,
  size: Schema.NonNegativeInt,
  urls: Schema.optional(Schema.Array(Schema.String)),
  annotations: Schema.optional(Schema.Record({ key: Schema.String, value: Schema.String })),
  artifactType: Schema.optional(Schema.String),
  platform: Schema.optional(Platform)
}) {}

// Not Node's: manifests are small, and tests with a registry in memory run wherever JavaScript does.
const hashes = { sha256, sha384, sha512 }

/**
 * Describes bytes in memory, hashed with `algorithm` (default: sha256).
 *
 * @since 0.1.0
 * @category constructors
 */
export const fromBytes = (options: {
  readonly mediaType: string
  readonly body: Uint8Array
  readonly algorithm?: Digest.Digest["algorithm"] | undefined
}): Descriptor => {
  const algorithm = options.algorithm ?? "sha256"
  const encoded = Encoding.encodeHex(hashes[algorithm](options.body))
  const digest = Digest.unsafeParse(`${algorithm}:${encoded}`)
  // What is measured needs no check, which takes longer than the hash of a manifest.
  return new Descriptor(
    { mediaType: options.mediaType, digest, size: options.body.length },
    { disableValidation: true }
  )
}
