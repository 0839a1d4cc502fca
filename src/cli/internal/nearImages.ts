import * as Arr from "effect/Array"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import { ImageNotFound, type PushError } from "../../push/PushError.ts"
import * as ImageReference from "../../reference/ImageReference.ts"
import { nearest } from "../../reference/internal/nearest.ts"
import { PushTransport } from "../../transport/PushTransport.ts"

/** How many names are worth reading. */
const most = 3

/** A hint comes after the answer that matters, so it may not take long. */
const patience = "5 seconds"

const repositoryOf = (name: string): string =>
  Either.match(ImageReference.parse(name), { onLeft: () => name, onRight: ImageReference.familiarName })

const lastPart = (name: string): string => name.slice(name.lastIndexOf("/") + 1)

/** The nearest one first, then the others in their order. */
const nearestFirst = (word: string, names: ReadonlyArray<string>): ReadonlyArray<string> =>
  Option.match(nearest(word, names), {
    onNone: () => names,
    onSome: (first) => [first, ...names.filter((name) => name !== first)]
  })

/** The names that a name may have been meant for: its repository's other tags, else those of a near repository. */
const candidates = (image: string, names: ReadonlyArray<string>): ReadonlyArray<string> => {
  const tagged = Arr.groupBy(names, repositoryOf)
  const repository = repositoryOf(image)
  const sameEnd = Object.keys(tagged).find((name) => lastPart(name) === lastPart(repository))
  const meant = Object.hasOwn(tagged, repository)
    ? Option.some(repository)
    : Option.orElse(Option.fromNullable(sameEnd), () => nearest(repository, Object.keys(tagged)))
  return Option.match(meant, { onNone: () => [], onSome: (name) => nearestFirst(image, tagged[name] ?? []) })
}

/** What to do about an image that an engine with these names does not have; nothing when no name is near. */
export const adviceOn = (image: string, names: ReadonlyArray<string>): Option.Option<string> => {
  if (names.length === 0) {
    return Option.some("Build or pull it first. This engine has no image at all: check that it is the one you mean.")
  }
  const near = candidates(image, names).slice(0, most)
  return near.length === 0
    ? Option.none()
    : Option.some(`Did you mean ${near.join(" or ")}? If not, build or pull it first.`)
}

const withNames = <A, E, R>(attempt: Effect.Effect<A, PushError>, names: Effect.Effect<ReadonlyArray<string>, E, R>) =>
  Effect.catchTag(attempt, "ImageNotFound", (error) =>
    names.pipe(
      Effect.timeoutOption(patience),
      Effect.orElseSucceed(Option.none<ReadonlyArray<string>>),
      Effect.map(Option.flatMap((known) => adviceOn(error.image, known))),
      Effect.flatMap(
        Option.match({
          onNone: () => error,
          onSome: (hint) => new ImageNotFound({ image: error.image, where: error.where, hint })
        })
      )
    )
  )

/** A transport whose `ImageNotFound` names the images that may have been meant; they are asked for only then. */
export const layerNearImages = <E, R>(
  names: Effect.Effect<ReadonlyArray<string>, E, R>
): Layer.Layer<PushTransport, never, PushTransport | R> =>
  Layer.effect(
    PushTransport,
    Effect.gen(function* () {
      const transport = yield* PushTransport
      const context = yield* Effect.context<R>()
      const known = Effect.provide(names, context)
      return {
        push: (request) => withNames(transport.push(request), known),
        compare: (request) => withNames(transport.compare(request), known)
      }
    })
  )
