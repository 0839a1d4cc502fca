/**
 * What a good pull leaves: an image in the engine, and its digest.
 *
 * @since 0.1.0
 */
import * as Schema from "effect/Schema"
import * as Digest from "../reference/Digest.ts"
import * as ImageReference from "../reference/ImageReference.ts"

/**
 * An image in the engine. `repoDigest` is the canonical `host/repository@sha256:…` that names exactly this image.
 *
 * @since 0.1.0
 * @category models
 */
export class PulledImage extends Schema.Class<PulledImage>("gantry/PulledImage")({
  reference: ImageReference.FromString,
  digest: Digest.FromString,
  repoDigest: Schema.String,
  duration: Schema.DurationFromMillis
}) {}
