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
 * One image to be pushed. Two requests are equal when source, target and platform are.
 *
 * @since 0.1.0
 * @category models
 */
export class PushRequest extends Data.Class<{
  readonly source: ImageSource
  readonly target: ImageReference
  readonly platform: Option.Option<Platform>
}> {}

/**
 * A push of `target`, from an image of the same name in the engine unless `source` says otherwise.
 *
 * @since 0.1.0
 * @category constructors
 */
export const make = (options: {
  readonly target: ImageReference
  readonly source?: ImageSource | undefined
  readonly platform?: Platform | undefined
}): PushRequest =>
  new PushRequest({
    source: options.source ?? Source.docker(options.target),
    target: options.target,
    platform: Option.fromNullable(options.platform)
  })
