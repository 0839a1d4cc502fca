/**
 * Pulls through a Docker Engine, such as base images before a build.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import type { Credential } from "../credential/Credential.ts"
import { DockerEngine } from "../engine/DockerEngine.ts"
import type { EngineEvent } from "../engine/EngineStream.ts"
import { RegistrySource } from "../image/ImageSource.ts"
import { DigestMissing } from "../push/PushError.ts"
import type { AttemptEvent } from "../push/PushEvent.ts"
import type { Platform } from "../push/PushRequest.ts"
import type { ImageReference } from "../reference/ImageReference.ts"
import { classify } from "./internal/engineMessage.ts"

/**
 * One image to be pulled, and who we are at its registry.
 *
 * @since 0.1.0
 * @category models
 */
export interface PullRequest {
  readonly image: ImageReference
  readonly credential: Option.Option<Credential>
  readonly platform: Option.Option<Platform>
  /** Called synchronously with the progress of each layer; it must not throw. */
  readonly emit: (event: AttemptEvent) => void
}

/** Only bytes that arrive are progress: unpacking counts from zero again. */
const progress = (event: EngineEvent): AttemptEvent | undefined =>
  event._tag === "LayerStatus" && event.phase === "downloading" && event.current !== undefined
    ? { _tag: "LayerProgress", layer: event.layer, current: event.current, total: event.total }
    : undefined

/**
 * Pulls an image and gives its digest. A registry's refusal is the same typed error as in a push, an image that it does
 * not have is `ImageNotFound`; interruption aborts the engine's request.
 *
 * @since 0.1.0
 * @category operations
 */
export const pull = Effect.fn("EnginePull.pull")(function* ({ credential, emit, image, platform }: PullRequest) {
  const engine = yield* DockerEngine
  const digest = yield* engine.pullImage(image, credential, { platform: Option.getOrUndefined(platform) }).pipe(
    Stream.tap((event) =>
      Effect.sync(() => {
        const reported = progress(event)
        if (reported !== undefined) emit(reported)
      })
    ),
    Stream.filterMap((event) => (event._tag === "PullResult" ? Option.some(event.digest) : Option.none())),
    Stream.runLast,
    Effect.mapError((error) =>
      error._tag === "EngineRejected"
        ? classify(error, { source: new RegistrySource({ reference: image }), target: image })
        : error
    )
  )
  return yield* Effect.mapError(
    Option.orElse(digest, () => image.digest),
    () => new DigestMissing({ image: String(image), detail: "the engine named no digest" })
  )
})
