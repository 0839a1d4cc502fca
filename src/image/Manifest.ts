/**
 * Manifests: what an image consists of, in Docker's and in OCI's form, and the indexes that list one image a platform.
 *
 * @since 0.1.0
 */
import type * as Either from "effect/Either"
import type * as ParseResult from "effect/ParseResult"
import * as Schema from "effect/Schema"
import { Descriptor } from "./Descriptor.ts"

/**
 * @since 0.1.0
 * @category media types
 */
export const MediaType = {
  dockerManifest: "application/vnd.docker.distribution.manifest.v2+json",
  dockerManifestList: "application/vnd.docker.distribution.manifest.list.v2+json",
  ociManifest: "application/vnd.oci.image.manifest.v1+json",
  ociIndex: "application/vnd.oci.image.index.v1+json"
} as const

/**
 * Every media type of a manifest gantry reads, an image's own form first.
 *
 * @since 0.1.0
 * @category media types
 */
export const mediaTypes: ReadonlyArray<string> = [
  MediaType.ociManifest,
  MediaType.dockerManifest,
  MediaType.ociIndex,
  MediaType.dockerManifestList
]

const Annotations = Schema.Record({ key: Schema.String, value: Schema.String })

/**
 * One image: its config and its layers, lowest first.
 *
 * Source: https://github.com/opencontainers/image-spec/blob/v1.1.1/manifest.md
 *
 * @since 0.1.0
 * @category models
 */
export class ImageManifest extends Schema.Class<ImageManifest>("gantry/Manifest/ImageManifest")({
  schemaVersion: Schema.Literal(2),
  mediaType: Schema.optional(Schema.Literal(MediaType.ociManifest, MediaType.dockerManifest)),
  artifactType: Schema.optional(Schema.String),
  config: Descriptor,
  layers: Schema.Array(Descriptor),
  // What is both an image and an index is neither: https://github.com/opencontainers/image-spec/security/advisories/GHSA-77vh-xpmg-72qh
  manifests: Schema.optional(Schema.Never),
  subject: Schema.optional(Descriptor),
  annotations: Schema.optional(Annotations)
}) {}

/**
 * A list of manifests, as of one image for several platforms.
 *
 * Source: https://github.com/opencontainers/image-spec/blob/v1.1.1/image-index.md
 *
 * @since 0.1.0
 * @category models
 */
export class ImageIndex extends Schema.Class<ImageIndex>("gantry/Manifest/ImageIndex")({
  schemaVersion: Schema.Literal(2),
  mediaType: Schema.optional(Schema.Literal(MediaType.ociIndex, MediaType.dockerManifestList)),
  artifactType: Schema.optional(Schema.String),
  manifests: Schema.Array(Descriptor),
  layers: Schema.optional(Schema.Never),
  subject: Schema.optional(Descriptor),
  annotations: Schema.optional(Annotations)
}) {}

/**
 * @since 0.1.0
 * @category models
 */
export type Manifest = ImageManifest | ImageIndex

/**
 * An image's manifest or an index, told apart by what they hold.
 *
 * @since 0.1.0
 * @category schemas
 */
export const Manifest = Schema.Union(ImageManifest, ImageIndex)

/**
 * Whether a manifest is a list of manifests.
 *
 * @since 0.1.0
 * @category guards
 */
export const isIndex = (manifest: Manifest): manifest is ImageIndex => manifest instanceof ImageIndex

/**
 * What a manifest calls itself; OCI's media type when it does not say.
 *
 * @since 0.1.0
 * @category getters
 */
export const mediaTypeOf = (manifest: Manifest): string =>
  manifest.mediaType ?? (isIndex(manifest) ? MediaType.ociIndex : MediaType.ociManifest)

/**
 * Reads a manifest's text. Fails with `ParseError` for what is no JSON and for a manifest of a form gantry does not know.
 *
 * @since 0.1.0
 * @category parsing
 */
export const decode: (text: string) => Either.Either<Manifest, ParseResult.ParseError> = Schema.decodeEither(
  Schema.parseJson(Manifest)
)
