/**
 * Pushes through a Docker Engine: the engine holds the image and speaks to the registry.
 *
 * @since 0.1.0
 */
import type * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"
import type * as Scope from "effect/Scope"
import type { StoredManifest } from "../distribution/RegistryClient.ts"
import * as RegistryClient from "../distribution/RegistryClient.ts"
import type { RegistryError } from "../distribution/RegistryError.ts"
import { DockerEngine, type ImageInspection } from "../engine/DockerEngine.ts"
import type { EngineError } from "../engine/EngineError.ts"
import type { EngineEvent } from "../engine/EngineStream.ts"
import { type ImageManifest, isIndex } from "../image/Manifest.ts"
import { DigestMissing, ImageNotFound, type PushError, UnsupportedSource } from "../push/PushError.ts"
import type { AttemptEvent } from "../push/PushEvent.ts"
import type { TransferredBytes } from "../push/PushedImage.ts"
import * as Digest from "../reference/Digest.ts"
import * as ImageReference from "../reference/ImageReference.ts"
import * as RegistryUri from "../reference/RegistryUri.ts"
import { inspect, withBorrowedTag } from "./internal/borrowedTag.ts"
import { classify } from "./internal/engineMessage.ts"
import * as FirstHome from "./internal/firstHome.ts"
import { bytesByOutcome, bytesOfUnchanged, type Outcome, toAttemptEvent } from "./internal/layerOutcomes.ts"
import * as TagFanOut from "./internal/tagFanOut.ts"
import type { Comparison, PushTransport, TransportRequest, TransportResult } from "./PushTransport.ts"

/** How long the questions around a push may take; none of them decides its outcome. */
const advisoryTimeout = "10 seconds"

/**
 * The transport of one engine. Tokens for gantry's own questions to registries live as long as the scope.
 *
 * @since 0.1.0
 * @category constructors
 */
export const make: Effect.Effect<Context.Tag.Service<PushTransport>, never, DockerEngine | Scope.Scope> = Effect.gen(
  function* () {
    const engine = yield* DockerEngine
    const clients = yield* RegistryClient.pool
    const pushTag = TagFanOut.make()
    const asking = yield* Effect.cachedWithTTL(Effect.forkIn(namesLayers(engine), yield* Effect.scope), "1 minute")
    const pushLayers = FirstHome.make(Effect.flatMap(asking, Fiber.join))

    const localImage = Effect.fnUntraced(function* (request: TransportRequest) {
      const { source } = request
      if (source._tag !== "DockerSource") {
        return yield* new UnsupportedSource({ source: String(source), transport: "engine" })
      }
      const reference = ImageReference.withDefaultTag(source.reference)
      const image = yield* inspect(engine, reference)
      if (Option.isNone(image)) {
        return yield* new ImageNotFound({
          image: ImageReference.familiar(reference),
          where: `the engine at ${engine.endpoint}`
        })
      }
      return { reference, image: image.value }
    })

    const clientFor = ({ credential, target, tls }: TransportRequest) =>
      clients({ host: target.registry, tls: Option.getOrUndefined(tls), credential })

    const remote = Effect.fnUntraced(function* (request: TransportRequest, image: ImageInspection) {
      const tag = tagOf(request.target)
      const stored = yield* clientFor(request).getManifest(request.target.repository, tag)
      return Option.match(stored, {
        onNone: (): Remote => ({ comparison: { _tag: "Absent" }, bytes: {} }),
        onSome: (stored): Remote => ({
          comparison: { _tag: isOf(image)(stored) ? "Same" : "Different", digest: stored.descriptor.digest },
          bytes: isIndex(stored.manifest) ? {} : bytesOfUnchanged(stored.manifest)
        })
      })
    })

    /** Asked around a push, a registry that can not answer is no reason to fail it: the engine may reach it another way. */
    const remoteIfKnown = (request: TransportRequest, image: ImageInspection) =>
      remote(request, image).pipe(
        Effect.timeoutOption(advisoryTimeout),
        Effect.catchIf(
          (error) => error._tag !== "RegistryRateLimited",
          () => Effect.succeedNone
        )
      )

    const manifestOf = (request: TransportRequest, digest: Digest.Digest) =>
      clientFor(request)
        .getManifest(request.target.repository, String(digest))
        .pipe(
          Effect.timeoutOption(advisoryTimeout),
          Effect.map(Option.flatten),
          Effect.orElseSucceed(() => Option.none<StoredManifest>())
        )

    const digestOf = Effect.fnUntraced(function* (request: TransportRequest, said: ReadonlySet<string>) {
      const [first, ...others] = said
      if (first !== undefined && others.length === 0) return Digest.unsafeParse(first)
      const missing = (detail: string) => new DigestMissing({ image: String(request.target), detail })
      const head = yield* clientFor(request)
        .headManifest(request.target.repository, tagOf(request.target))
        .pipe(
          Effect.timeoutFail({ duration: advisoryTimeout, onTimeout: () => missing("the registry did not answer") }),
          Effect.mapError((error) => missing(error.message))
        )
      return yield* Option.match(head, {
        onNone: () => Effect.fail(missing("the registry does not know the tag")),
        onSome: (descriptor) => Effect.succeed(descriptor.digest)
      })
    })

    const pushOnce = Effect.fnUntraced(function* (
      request: TransportRequest & { readonly emit: (event: AttemptEvent) => void },
      image: ImageInspection
    ) {
      const outcomes = new Map<string, Outcome>()
      const digests = new Set<string>()
      const note = (event: EngineEvent): void => {
        if (event._tag === "LayerStatus") {
          const reported = toAttemptEvent(event)
          if (reported === undefined) return
          if (reported._tag === "LayerPushed") outcomes.set(reported.layer, reported.outcome)
          request.emit(reported)
        } else if ((event._tag === "PushResult" || event._tag === "PushAux") && event.tag === tagOf(request.target)) {
          digests.add(String(event.digest))
        }
      }
      const platform = Option.getOrUndefined(request.platform)
      yield* engine.runPush(request.target, request.credential, note, { platform, tlsVerify: isVerified(request) })
      const digest = yield* digestOf(request, digests)
      const manifest = yield* manifestOf(request, digest)
      const bytes = Option.match(Option.flatMap(manifest, imageManifest), {
        onNone: () => ({}),
        onSome: (manifest) => bytesByOutcome(manifest, image.layers, outcomes)
      })
      // The engine pushes what has the name by now: another image is not what other tags wait for.
      return { result: pushed(digest, bytes), manifest: Option.filter(manifest, isOf(image)) }
    })

    const putTag = (request: TransportRequest) => (stored: StoredManifest) =>
      clientFor(request)
        .putManifest(request.target.repository, tagOf(request.target), {
          mediaType: stored.descriptor.mediaType,
          body: stored.body
        })
        .pipe(
          Effect.map(({ digest }) =>
            Option.some(
              pushed(digest, Option.match(imageManifest(stored), { onNone: () => ({}), onSome: bytesOfUnchanged }))
            )
          ),
          Effect.timeoutOption(advisoryTimeout),
          Effect.map(Option.flatten),
          // Blobs may have gone since, or a proxy may not let gantry write: the engine's own push tells.
          Effect.orElseSucceed(() => Option.none<TransportResult>())
        )

    /** A lost answer to the last request may hide a push that went through: reference/engine.md fact 18. */
    const settle = (request: TransportRequest, image: ImageInspection) => (error: PushError) =>
      isLostAnswer(error)
        ? remoteIfKnown(request, image).pipe(
            Effect.orElseSucceed(Option.none<Remote>),
            Effect.flatMap((known) =>
              Option.isSome(known) && known.value.comparison._tag === "Same"
                ? Effect.succeed({
                    result: pushed(known.value.comparison.digest, {}),
                    manifest: Option.none<StoredManifest>()
                  })
                : Effect.fail(error)
            )
          )
        : Effect.fail(error)

    const push = Effect.fn("EngineTransport.push")(function* (
      request: TransportRequest & { readonly emit: (event: AttemptEvent) => void }
    ) {
      const { image, reference } = yield* localImage(request)
      const known = yield* remoteIfKnown(request, image)
      if (Option.isSome(known) && known.value.comparison._tag === "Same") {
        const { digest } = known.value.comparison
        return { digest, status: "unchanged", transport: "engine", ...known.value.bytes } satisfies TransportResult
      }
      const send = (emit: Emit) => {
        const attempt = pushOnce({ ...request, emit }, image).pipe(
          Effect.mapError((error) => meaning(request, error)),
          Effect.catchAll(settle(request, image))
        )
        return String(reference) === String(request.target)
          ? attempt
          : withBorrowedTag(engine, { source: reference, target: request.target, imageId: image.id }, attempt)
      }
      const { registry, repository } = request.target
      const pushContent = (emit: Emit) => pushLayers({ registry, repository, layers: image.layers, emit, send })
      const platform = Option.getOrElse(request.platform, () => "")
      return yield* pushTag({
        content: `${request.target.name} ${image.id} ${platform}`,
        emit: request.emit,
        pushContent,
        putTag: putTag(request)
      })
    }, mapMeaning)

    const compare = Effect.fn("EngineTransport.compare")(function* (request: TransportRequest) {
      const { image } = yield* localImage(request)
      return (yield* remote(request, image)).comparison
    }, mapMeaning)

    return { push, compare }
  }
)

type Emit = (event: AttemptEvent) => void

/** Only the classic image store calls layers by their diff ids. */
const namesLayers = ({ info }: Context.Tag.Service<DockerEngine>): Effect.Effect<Option.Option<boolean>> =>
  info.pipe(
    Effect.map(({ imageStore }) => imageStore === "classic"),
    Effect.timeout("2 seconds"),
    Effect.option
  )

const pushed = (digest: Digest.Digest, bytes: TransferredBytes): TransportResult => ({
  digest,
  status: "pushed",
  transport: "engine",
  ...bytes
})

const imageManifest = ({ manifest }: StoredManifest): Option.Option<ImageManifest> =>
  isIndex(manifest) ? Option.none() : Option.some(manifest)

/** Whether a manifest is the image's: the containerd image store calls images by their manifests, others by their configs. */
const isOf =
  ({ id }: ImageInspection) =>
  ({ descriptor, manifest }: StoredManifest): boolean =>
    String(descriptor.digest) === id || (!isIndex(manifest) && String(manifest.config.digest) === id)

/** What a registry holds under the tag, and its layers' bytes. */
interface Remote {
  readonly comparison: Comparison
  readonly bytes: TransferredBytes
}

const tagOf = (target: ImageReference.ImageReference): string => Option.getOrElse(target.tag, () => "latest")

/** Whether the engine is to verify the registry's TLS, by the same default as gantry's own requests. */
const isVerified = ({ target, tls }: TransportRequest): boolean =>
  Option.match(tls, {
    onNone: () => !RegistryUri.isLocal(RegistryUri.unsafeParse(target.registry)),
    onSome: (given) => given === "verify"
  })

const isLostAnswer = (error: PushError): boolean =>
  error._tag === "EngineDisconnected" ||
  (error._tag === "RegistryUnavailable" && (error.reason === "reset" || error.reason === "timeout"))

const meaning = <E extends PushError | EngineError | RegistryError>(request: TransportRequest, error: E): PushError =>
  error._tag === "EngineRejected" ? classify(error, request) : error

const mapMeaning = <A, E extends PushError, R>(
  effect: Effect.Effect<A, E, R>,
  request: TransportRequest
): Effect.Effect<A, PushError, R> => Effect.mapError(effect, (error) => meaning(request, error))
