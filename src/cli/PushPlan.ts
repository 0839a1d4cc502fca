/**
 * Which image goes where: sources × targets, checked as a whole before anything is sent.
 */
import * as Arr from "effect/Array"
import * as Either from "effect/Either"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import * as PushTarget from "../config/PushTarget.ts"
import * as ImageSource from "../image/ImageSource.ts"
import * as PushRequest from "../push/PushRequest.ts"
import * as ImageReference from "../reference/ImageReference.ts"

/** Two different images would take one name, and the second would push the first away. */
export class ConflictingTargets extends Schema.TaggedError<ConflictingTargets>("gantry/cli/ConflictingTargets")(
  "ConflictingTargets",
  { target: Schema.String, sources: Schema.Array(Schema.String) }
) {
  get isRetryable(): boolean {
    return false
  }
  get advice(): string {
    return "Give each image a target of its own."
  }
  override get message(): string {
    return `${this.target} is the target of different images: ${this.sources.join(", ")}. ${this.advice}`
  }
}

/** The pushes of a run, in the order sources × targets, and the hosts they go to. */
export interface PushPlan {
  readonly pushes: ReadonlyArray<PushRequest.PushRequest>
  readonly hosts: ReadonlyArray<string>
}

type Problem = string

/** Plans the push of every source to every target, or of each source to its own name when there is no target. */
export const make = (words: {
  readonly sources: ReadonlyArray<ImageSource.ImageSource>
  readonly targets: ReadonlyArray<ImageReference.ImageReference>
  readonly platform: Option.Option<PushRequest.Platform>
}): Either.Either<PushPlan, ReadonlyArray<Problem>> => {
  const [nameless, requests] = Arr.partitionMap(words.sources.map(withDefaultTag), (source) =>
    Either.map(targetsOf(source, words.targets), (targets) =>
      targets.map((target) => new PushRequest.PushRequest({ source, target, platform: words.platform }))
    )
  )
  const pushes = joinEqual(requests.flat())
  const problems = [...nameless, ...conflictsOf(pushes).map((conflict) => conflict.message)]
  return problems.length > 0
    ? Either.left(problems)
    : Either.right({ pushes, hosts: Arr.dedupe(pushes.map(({ target }) => target.registry)) })
}

/** `app` and `app:latest` are one image, so they become one source. */
const withDefaultTag = (source: ImageSource.ImageSource): ImageSource.ImageSource =>
  source._tag === "DockerSource" ? ImageSource.docker(ImageReference.withDefaultTag(source.reference)) : source

const targetsOf = (
  source: ImageSource.ImageSource,
  targets: ReadonlyArray<ImageReference.ImageReference>
): Either.Either<ReadonlyArray<ImageReference.ImageReference>, Problem> => {
  if (targets.length > 0) return Either.all(targets.map((target) => withTagOf(source, target)))
  if (source._tag === "DockerSource" && Option.isNone(source.reference.digest)) return Either.right([source.reference])
  return Either.left(`${source} has no name of its own to push to. Say where it goes with --to TARGET.`)
}

/** What can not be done is said about the two of them: the name that an image has in a layout may be no tag. */
const withTagOf = (
  source: ImageSource.ImageSource,
  target: ImageReference.ImageReference
): Either.Either<ImageReference.ImageReference, Problem> =>
  Either.mapLeft(
    PushTarget.withTagOf(target, source),
    () => `The tag of ${source} can not be the tag of ${target}. Give the target a tag of its own.`
  )

const joinEqual = (requests: ReadonlyArray<PushRequest.PushRequest>): ReadonlyArray<PushRequest.PushRequest> =>
  Array.from(new Map(requests.map((request) => [`${request.source} ${request.target}`, request])).values())

const conflictsOf = (requests: ReadonlyArray<PushRequest.PushRequest>): ReadonlyArray<ConflictingTargets> =>
  Object.entries(Arr.groupBy(requests, ({ target }) => String(target))).flatMap(([target, [first, ...others]]) =>
    others.length === 0
      ? []
      : [new ConflictingTargets({ target, sources: [first, ...others].map(({ source }) => String(source)) })]
  )
