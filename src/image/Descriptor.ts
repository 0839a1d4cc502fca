/**
 * Descriptors: what a blob or a manifest is, by media type, digest and size.
 *
 * @since 0.1.0
 */
import * as NodeCrypto from "node:crypto"
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
  const encoded = NodeCrypto.createHash(algorithm).update(options.body).digest("hex")
  return new Descriptor({
    mediaType: options.mediaType,
    digest: Digest.unsafeParse(`${algorithm}:${encoded}`),
    size: options.body.length
  })
}
