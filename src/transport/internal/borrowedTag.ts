import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import type { Service as EngineService, ImageInspection } from "../../engine/DockerEngine.ts"
import type { EngineError } from "../../engine/EngineError.ts"
import * as Digest from "../../reference/Digest.ts"
import type { ImageReference } from "../../reference/ImageReference.ts"

/** What a name stands for in the engine; none when the engine has no such name. */
export const inspect = (
  engine: EngineService,
  image: ImageReference
): Effect.Effect<Option.Option<ImageInspection>, EngineError> =>
  engine.inspectImage(image).pipe(
    Effect.asSome,
    Effect.catchIf(
      (error) => error._tag === "EngineRejected" && error.status === 404,
      () => Effect.succeedNone
    )
  )

/**
 * Runs `use` while `target` names the image of `source`. A name that was not there is taken away again, one that stood
 * for another image is given back, both only if nobody moved it meanwhile.
 */
export const withBorrowedTag = <A, E>(
  engine: EngineService,
  names: { readonly source: ImageReference; readonly target: ImageReference; readonly imageId: string },
  use: Effect.Effect<A, E>
): Effect.Effect<A, E | EngineError> =>
  Effect.acquireUseRelease(
    Effect.gen(function* () {
      const before = yield* inspect(engine, names.target)
      const isThere = Option.exists(before, (image) => image.id === names.imageId)
      if (!isThere) yield* engine.tagImage(names.source, names.target)
      return { before, isThere }
    }),
    () => use,
    ({ before, isThere }) => (isThere ? Effect.void : giveBack(engine, names.target, names.imageId, before))
  )

const giveBack = (
  engine: EngineService,
  target: ImageReference,
  imageId: string,
  before: Option.Option<ImageInspection>
): Effect.Effect<void> =>
  Effect.gen(function* () {
    const now = yield* inspect(engine, target)
    if (!Option.exists(now, (image) => image.id === imageId)) return
    yield* Option.match(before, {
      onNone: () => engine.untagImage(target),
      onSome: (image) => engine.tagImage(Digest.unsafeParse(image.id), target)
    })
  }).pipe(
    // A finalizer must not hang on an engine that has gone: the name stays, and the log says so.
    Effect.interruptible,
    Effect.timeout("2 seconds"),
    Effect.catchAll((error) =>
      Effect.logWarning(`The name ${target} could not be taken away from the engine again: ${error.message}`)
    )
  )
