/**
 * What is asked for: one image, from one source, under one name.
 *
 * @since 0.1.0
 */
import * as Data from "effect/Data"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import type { ImageSource } from "../image/ImageSource.ts"
import * as Source from "../image/ImageSource.ts"
import type { ImageReference } from "../reference/ImageReference.ts"

/**
 * One platform of an image, such as `linux/arm64/v8`.
 *
 * @since 0.1.0
 * @category models
 */
export const Platform = Schema.String.pipe(
  Schema.pattern(/^[a-z0-9]+\/[a-z0-9_]+(\/[a-z0-9]+)?$/, {
    message: () => "a platform is os/arch or os/arch/variant, such as linux/arm64"
  }),
  Schema.annotations({ identifier: "Platform" })
)

/**
 * @since 0.1.0
 * @category models
 */
export type Platform = typeof Platform.Type

/**
 * What becomes of a push whose tag exists with other content: the tag moves, the push is skipped and the tag keeps what it
 * has, or it fails with `TagExists`. A registry's protected tags never move.
 *
 * @since 0.1.0
 * @category models
 */
export const OnExisting = Schema.Literal("overwrite", "skip", "fail")

/**
 * @since 0.1.0
 * @category models
 */
export type OnExisting = typeof OnExisting.Type

/**
 * One image to be pushed. Two requests are equal when everything in them is.
 *
 * @since 0.1.0
 * @category models
 */
export class PushRequest extends Data.Class<{
  readonly source: ImageSource
  readonly target: ImageReference
  readonly platform: Option.Option<Platform>
  readonly onExisting: OnExisting
}> {}

/**
 * A push of `target`, from an image of the same name in the engine unless `source` says otherwise. A tag that exists with
 * other content is overwritten unless `onExisting` says otherwise.
 *
 * @since 0.1.0
 * @category constructors
 */
export const make = (options: {
  readonly target: ImageReference
  readonly source?: ImageSource | undefined
  readonly platform?: Platform | undefined
  readonly onExisting?: OnExisting | undefined
}): PushRequest =>
  new PushRequest({
    source: options.source ?? Source.docker(options.target),
    target: options.target,
    platform: Option.fromNullable(options.platform),
    onExisting: options.onExisting ?? "overwrite"
  })
