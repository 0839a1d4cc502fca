import * as Effect from "effect/Effect"
import type * as Either from "effect/Either"
import * as Option from "effect/Option"
import { ImageUriMismatch } from "../../push/PushError.ts"
import * as ImageReference from "../../reference/ImageReference.ts"
import * as RegistryUri from "../../reference/RegistryUri.ts"

/** The image as it is named, when it lies in the registry. */
export const ownedImage = Effect.fnUntraced(function* (
  uri: RegistryUri.RegistryUri,
  image: ImageReference.ImageReference | string
) {
  const reference = typeof image === "string" ? yield* ImageReference.parse(image) : image
  if (!RegistryUri.owns(uri, reference)) {
    return yield* new ImageUriMismatch({ image: String(reference), registryUri: uri.name })
  }
  return reference
})

/** The name an image is pushed under: the registry's own, with a tag, without a digest. */
export const pushTarget = Effect.fnUntraced(function* (
  uri: RegistryUri.RegistryUri,
  image: ImageReference.ImageReference | string
) {
  const target = yield* ownedImage(uri, image)
  if (Option.isSome(target.digest)) {
    const text = String(target)
    return yield* new ImageReference.InvalidImageReference({
      input: text,
      position: text.indexOf("@"),
      expected: "the end: an image is pushed under a tag, and its digest is the result"
    })
  }
  return ImageReference.withDefaultTag(target)
})

/** The full name of an image of the registry. */
export const imageName = (
  uri: RegistryUri.RegistryUri,
  repository: string,
  tag: string
): Either.Either<ImageReference.ImageReference, ImageReference.InvalidImageReference> =>
  ImageReference.parse(`${uri.name}/${repository}:${tag}`)
