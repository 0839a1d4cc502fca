/**
 * Many pushes as one thing: sources × targets × tags, checked as a whole before anything is sent.
 *
 * @since 0.1.0
 */
import * as Arr from "effect/Array"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Option from "effect/Option"
import * as Record from "effect/Record"
import * as Schema from "effect/Schema"
import * as ImageSource from "../image/ImageSource.ts"
import { NoMatchingRegistry, type PushError, type PushInterrupted } from "../push/PushError.ts"
import type { PushedImage } from "../push/PushedImage.ts"
import * as PushRequest from "../push/PushRequest.ts"
import * as PushTarget from "../push/PushTarget.ts"
import * as ImageReference from "../reference/ImageReference.ts"
import * as RegistryUri from "../reference/RegistryUri.ts"
import { RegistryCatalog } from "../registry/RegistryCatalog.ts"
import { select } from "./internal/batchSelection.ts"
import { PushSupervisor } from "./PushSupervisor.ts"

type OneOrMore<A> = A | ReadonlyArray<A>

/**
 * One image, and every name it gets.
 *
 * - `source`: as `ImageSource.parse` reads it, such as `app:1.4.2`
 * - `to`: references, or `@NAME/repository[:tag]` for a registry of the catalog; without it the image's own name. A target
 *   without a tag gets the source's, else `latest`
 * - `tags`: each target gets all of them, and has none of its own
 *
 * @since 0.1.0
 * @category models
 */
export interface BatchPush {
  readonly source: ImageSource.ImageSource | string
  readonly to?: OneOrMore<ImageReference.ImageReference | string> | undefined
  readonly tags?: OneOrMore<string> | undefined
  readonly platform?: PushRequest.Platform | undefined
}

/**
 * What is said of a batch as a whole.
 *
 * - `only`: globs in which `*` stands for any characters, slashes too, and `?` for one. A push is chosen when one of them
 *   matches its source or its target, and none that begins with `!` does. Targets are read as references and as
 *   `@NAME/repository:tag`, names on Docker Hub short and in full
 * - `onExisting`: what becomes of tags that have other content; `overwrite` unless given
 *
 * @since 0.1.0
 * @category models
 */
export interface BatchOptions {
  readonly only?: ReadonlyArray<string> | undefined
  readonly onExisting?: PushRequest.OnExisting | undefined
}

/**
 * Pushes that were asked for and not looked at yet.
 *
 * @since 0.1.0
 * @category models
 */
export interface Batch extends BatchOptions {
  readonly pushes: ReadonlyArray<BatchPush>
}

/**
 * A batch as a program writes it.
 *
 * @since 0.1.0
 * @category constructors
 * @example
 * import { Batch } from "gantry"
 *
 * const release = Batch.make([
 *   { source: "app:1.4.2", to: ["@prod/app", "ghcr.io/acme/app"], tags: ["1.4.2", "latest"] },
 *   { source: "worker:1.4.2", to: "@prod/worker" }
 * ])
 */
export const make = (pushes: ReadonlyArray<BatchPush>, options: BatchOptions = {}): Batch => ({ ...options, pushes })

/**
 * The pushes of a file that `GantryFile.load` read.
 *
 * @since 0.1.0
 * @category constructors
 */
export const fromFile = (
  file: {
    readonly pushes: ReadonlyArray<{
      readonly source: ImageSource.ImageSource
      readonly targets: ReadonlyArray<ImageReference.ImageReference>
    }>
  },
  options?: BatchOptions
): Batch =>
  make(
    file.pushes.map(({ source, targets }) => ({ source, to: targets })),
    options
  )

const whyInvalid = {
  "no-target": {
    what: () => "it has no name of its own to push to",
    advice: "Give it a target (--to TARGET)."
  },
  "tag-twice": {
    what: (target: string) => `${target} has a tag already, and tags are given beside it`,
    advice: "Use one of the two."
  },
  "no-tag": {
    what: (target: string) => `the name it has where it is can not be the tag of ${target}`,
    advice: "Give the target a tag of its own."
  }
} as const

/**
 * A push that has no whole name to go to.
 *
 * @since 0.1.0
 * @category errors
 */
export class InvalidTarget extends Schema.TaggedError<InvalidTarget>("gantry/Batch/InvalidTarget")("InvalidTarget", {
  source: Schema.String,
  target: Schema.optional(Schema.String),
  reason: Schema.Literal("no-target", "tag-twice", "no-tag")
}) {
  get isRetryable(): boolean {
    return false
  }
  get advice(): string {
    return whyInvalid[this.reason].advice
  }
  override get message(): string {
    return `The push of ${this.source} can not be planned: ${whyInvalid[this.reason].what(this.target ?? "")}. ${this.advice}`
  }
}

/**
 * Two different images would take one name, and the second would push the first away.
 *
 * @since 0.1.0
 * @category errors
 */
export class ConflictingTargets extends Schema.TaggedError<ConflictingTargets>("gantry/Batch/ConflictingTargets")(
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

/**
 * `only` leaves nothing over, or has a glob that matches no push: more likely a misspelt one than one that is not needed.
 *
 * @since 0.1.0
 * @category errors
 */
export class NothingSelected extends Schema.TaggedError<NothingSelected>("gantry/Batch/NothingSelected")(
  "NothingSelected",
  { patterns: Schema.NonEmptyArray(Schema.String), total: Schema.NonNegativeInt }
) {
  get isRetryable(): boolean {
    return false
  }
  get advice(): string {
    return "Correct the glob: it has to match a whole source or target, as *app* does, or @prod/*."
  }
  override get message(): string {
    const them = this.total === 1 ? "the one push there is" : `any of ${this.total} pushes`
    return `--only ${this.patterns.join(" --only ")} does not choose ${them}. ${this.advice}`
  }
}

/**
 * One thing that is wrong with a batch.
 *
 * @since 0.1.0
 * @category schemas
 */
export const BatchProblem = Schema.Union(
  ImageReference.InvalidImageReference,
  PushTarget.RegistryNotInFile,
  InvalidTarget,
  ConflictingTargets,
  NoMatchingRegistry,
  NothingSelected
)

/**
 * @since 0.1.0
 * @category errors
 */
export type BatchProblem = typeof BatchProblem.Type

/**
 * A batch that can not be planned, with everything that is wrong with it. Nothing was sent.
 *
 * @since 0.1.0
 * @category errors
 */
export class BatchInvalid extends Schema.TaggedError<BatchInvalid>("gantry/Batch/BatchInvalid")("BatchInvalid", {
  problems: Schema.NonEmptyArray(BatchProblem)
}) {
  get isRetryable(): boolean {
    return false
  }
  get advice(): string {
    return "Correct this and run it again: nothing was sent."
  }
  override get message(): string {
    return [...this.problems.map(({ message }) => message), this.advice].join("\n")
  }
}

/**
 * The pushes of a batch in its order, sources × targets × tags, each once and each to a name that no other takes, and the
 * hosts they go to.
 *
 * @since 0.1.0
 * @category models
 */
export interface BatchPlan {
  readonly pushes: ReadonlyArray<PushRequest.PushRequest>
  readonly hosts: ReadonlyArray<string>
}

/**
 * What a batch is planned with: the registries that `@NAME` may name, and whether pushes go to these alone or to any host.
 *
 * @since 0.1.0
 * @category models
 */
export interface PlanScope {
  readonly registries: PushTarget.NamedRegistries
  readonly hosts: "registered" | "any"
}

/**
 * Plans a batch for registries that are not made yet. Fails with `BatchInvalid`.
 *
 * @since 0.1.0
 * @category planning
 */
export const planWith = (batch: Batch, { hosts, registries }: PlanScope): Either.Either<BatchPlan, BatchInvalid> => {
  const [misnamed, named] = Arr.separate(batch.pushes.map((push) => expand(push, batch, registries)))
  const pushes = joinEqual(named.flat())
  const chosen = select(pushes, batch.only ?? [], registries)
  const problems: ReadonlyArray<BatchProblem> = [
    ...misnamed.flat(),
    ...conflictsOf(pushes),
    ...(hosts === "registered" ? strangersOf(pushes, registries) : []),
    // What is misnamed might have been what was meant.
    ...(misnamed.length === 0 && Either.isLeft(chosen)
      ? [new NothingSelected({ patterns: chosen.left, total: pushes.length })]
      : [])
  ]
  if (Arr.isNonEmptyReadonlyArray(problems)) return Either.left(new BatchInvalid({ problems }))
  const selected = Either.getOrElse(chosen, () => pushes)
  return Either.right({ pushes: selected, hosts: Arr.dedupe(selected.map(({ target }) => target.registry)) })
}

/**
 * Plans a batch: every push has a whole name, two images never take the same one, and each belongs to a registry of the
 * catalog. Fails with `BatchInvalid`, which has everything that is wrong; neither an engine nor a registry is asked.
 *
 * @since 0.1.0
 * @category planning
 */
export const plan = Effect.fn("Batch.plan")(function* (batch: Batch) {
  const catalog = yield* RegistryCatalog
  const registries = Record.fromIterableWith(catalog.registries, ([name, { config }]) => [name, { uri: config.uri }])
  return yield* planWith(batch, { registries, hosts: "registered" })
})

type Expanded = Either.Either<ReadonlyArray<PushRequest.PushRequest>, Arr.NonEmptyReadonlyArray<BatchProblem>>

const expand = (push: BatchPush, { onExisting }: BatchOptions, registries: PushTarget.NamedRegistries): Expanded =>
  Either.mapLeft(readSource(push.source), Arr.of<BatchProblem>).pipe(
    Either.flatMap((source) =>
      Either.map(targetsOf(source, push, registries), (targets) =>
        targets.map((target) => PushRequest.make({ source, target, platform: push.platform, onExisting }))
      )
    )
  )

/** `app` and `app:latest` are one image, so they become one source. */
const readSource = (source: ImageSource.ImageSource | string) =>
  Either.map(typeof source === "string" ? ImageSource.parse(source) : Either.right(source), (source) =>
    source._tag === "DockerSource" ? ImageSource.docker(ImageReference.withDefaultTag(source.reference)) : source
  )

type Names = Either.Either<ReadonlyArray<ImageReference.ImageReference>, Arr.NonEmptyReadonlyArray<BatchProblem>>

const targetsOf = (
  source: ImageSource.ImageSource,
  { tags, to }: BatchPush,
  registries: PushTarget.NamedRegistries
): Names => {
  const targets = to === undefined ? [ownName(source)] : listOf(to).map((target) => readTarget(target, registries))
  const [problems, names] = Arr.separate(
    targets.map((target) =>
      Either.flatMap(target, (target) => (tags === undefined ? tagged(source, target) : withTags(source, target, tags)))
    )
  )
  return Arr.isNonEmptyReadonlyArray(problems) ? Either.left(problems) : Either.right(names.flat())
}

const listOf = <A extends object | string>(given: OneOrMore<A>): ReadonlyArray<A> => Arr.ensure(given)

const readTarget = (
  target: ImageReference.ImageReference | string,
  registries: PushTarget.NamedRegistries
): Either.Either<ImageReference.ImageReference, BatchProblem> => PushTarget.parse(String(target), registries)

const ownName = (source: ImageSource.ImageSource): Either.Either<ImageReference.ImageReference, BatchProblem> =>
  source._tag === "DockerSource" && Option.isNone(source.reference.digest)
    ? Either.right(source.reference)
    : Either.left(new InvalidTarget({ source: String(source), reason: "no-target" }))

type OneName = Either.Either<ReadonlyArray<ImageReference.ImageReference>, BatchProblem>

/** What can not be done is said about the two of them: the name that an image has in a layout may be no tag. */
const tagged = (source: ImageSource.ImageSource, target: ImageReference.ImageReference): OneName =>
  Either.mapBoth(PushTarget.withTagOf(target, source), {
    onLeft: () => new InvalidTarget({ source: String(source), target: String(target), reason: "no-tag" }),
    onRight: Arr.of
  })

const withTags = (
  source: ImageSource.ImageSource,
  target: ImageReference.ImageReference,
  tags: OneOrMore<string>
): OneName =>
  Option.isSome(target.tag)
    ? Either.left(new InvalidTarget({ source: String(source), target: String(target), reason: "tag-twice" }))
    : Either.all(Arr.ensure(tags).map((tag) => ImageReference.withTag(target, tag)))

const joinEqual = (requests: ReadonlyArray<PushRequest.PushRequest>): ReadonlyArray<PushRequest.PushRequest> =>
  Array.from(new Map(requests.map((request) => [`${imageOf(request)} ${request.target}`, request])).values())

const imageOf = ({ platform, source }: PushRequest.PushRequest): string =>
  Option.match(platform, { onNone: () => String(source), onSome: (platform) => `${source} (${platform})` })

const conflictsOf = (requests: ReadonlyArray<PushRequest.PushRequest>): ReadonlyArray<ConflictingTargets> =>
  Object.entries(Arr.groupBy(requests, ({ target }) => String(target))).flatMap(([target, [first, ...others]]) =>
    others.length === 0 ? [] : [new ConflictingTargets({ target, sources: [first, ...others].map(imageOf) })]
  )

const strangersOf = (
  requests: ReadonlyArray<PushRequest.PushRequest>,
  registries: PushTarget.NamedRegistries
): ReadonlyArray<NoMatchingRegistry> => {
  const uris = Object.values(registries).map(({ uri }) => uri)
  return requests
    .filter(({ target }) => !uris.some((uri) => RegistryUri.owns(uri, target)))
    .map(({ target }) => new NoMatchingRegistry({ image: String(target), registries: uris.map(({ name }) => name) }))
}

/**
 * What became of one push of a plan.
 *
 * @since 0.1.0
 * @category models
 */
export interface BatchResult {
  readonly request: PushRequest.PushRequest
  readonly result: Either.Either<PushedImage, PushError | PushInterrupted>
}

/**
 * Pushes a plan with the application's supervisor, and gives the results in the plan's order. One that fails does not keep
 * the others; running it again sends what is missing, and everything else is `unchanged`.
 *
 * @since 0.1.0
 * @category running
 * @example
 * import { Batch, GantryFile } from "gantry"
 * import { Effect } from "effect"
 *
 * const release = Effect.gen(function* () {
 *   const file = yield* GantryFile.load("gantry.yaml", { variables: { VERSION: "1.4.2" } })
 *   const plan = yield* Batch.plan(Batch.fromFile(file, { onExisting: "skip" }))
 *   return yield* Batch.run(plan)
 * })
 */
export const run = Effect.fn("Batch.run")(function* ({ pushes }: BatchPlan) {
  const supervisor = yield* PushSupervisor
  const results = yield* supervisor.pushAll(pushes)
  return Arr.zipWith(pushes, results, (request, result): BatchResult => ({ request, result }))
})

/**
 * What one push of a plan would do. Fails with what the push would fail with, and writes nothing.
 *
 * @since 0.1.0
 * @category running
 */
export const preview = Effect.fn("Batch.preview")(function* (request: PushRequest.PushRequest) {
  const { onExisting, platform, source, target } = request
  const catalog = yield* RegistryCatalog
  const registry = yield* catalog.forImage(target)
  return yield* registry.previewPush(target, { source, platform: Option.getOrUndefined(platform), onExisting })
})
