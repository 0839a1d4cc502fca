/**
 * A scripted Docker Engine: no process, no network, no time but the Clock's.
 *
 * @since 0.1.0
 */
import * as Chunk from "effect/Chunk"
import * as Context from "effect/Context"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import type { Credential } from "../credential/Credential.ts"
import {
  type DistributionInspection,
  DockerEngine,
  type EngineInfo,
  type EngineVersion,
  type ImageInspection,
  type PlatformOptions,
  type Service
} from "../engine/DockerEngine.ts"
import { EngineDisconnected, type EngineError, EngineRejected } from "../engine/EngineError.ts"
import * as EngineStream from "../engine/EngineStream.ts"
import * as Digest from "../reference/Digest.ts"
import * as ImageReference from "../reference/ImageReference.ts"
import { makeTestImages } from "./internal/testImages.ts"

/**
 * A call as the engine saw it. `images` are canonical names or ids in the call's order; `attempt` is 1 for the first
 * call of this method with these images, 2 for the next. A credential's secrets stay `Redacted`: compare it with
 * `Equal.equals`.
 *
 * @since 0.1.0
 * @category models
 */
export interface EngineCall {
  readonly method: Exclude<keyof Service, "endpoint" | "origin">
  readonly images: ReadonlyArray<string>
  readonly credential: Option.Option<Credential>
  readonly platform: Option.Option<string>
  readonly attempt: number
}

/**
 * A push or a pull that waits for its answer; `inspection` is the image as the engine has it.
 *
 * @since 0.1.0
 * @category models
 */
export interface TransferCall extends EngineCall {
  readonly image: ImageReference.ImageReference
  readonly inspection: Option.Option<ImageInspection>
}

/**
 * What the engine answers to a push or a pull. A delay is a `Stream` that sleeps, a hang is `Stream.never`.
 *
 * @since 0.1.0
 * @category models
 */
export type Answer = (call: TransferCall) => Stream.Stream<EngineStream.EngineEvent, EngineError>

/**
 * An image in the scripted engine, with its names (`app:1`). What is left out is filled in: an id of its own, no layers,
 * linux/amd64.
 *
 * @since 0.1.0
 * @category models
 */
export interface TestImage extends Partial<Omit<ImageInspection, "repoTags">> {
  readonly names: ReadonlyArray<string>
}

/**
 * What the engine has and says. A call that needs an answer the script does not have is a defect that names it.
 *
 * - `images`: what inspecting, tagging, untagging and pushing find; an image that is not here is refused as by an engine
 * - `push`, `pull`: the answers; a push of an image that the engine has is answered by `push`
 * - `fail`: asked before every call, so any of them can fail at its nth attempt
 * - `load`: the images that loading an archive brings; `save`: the archive that saving gives
 *
 * @since 0.1.0
 * @category models
 */
export interface TestEngineScript {
  readonly images?: ReadonlyArray<TestImage> | undefined
  readonly push?: Answer | undefined
  readonly pull?: Answer | undefined
  readonly fail?: ((call: EngineCall) => EngineError | undefined) | undefined
  readonly distribution?: ((call: EngineCall) => Effect.Effect<DistributionInspection, EngineError>) | undefined
  readonly load?: ReadonlyArray<TestImage> | undefined
  readonly save?: Stream.Stream<Uint8Array, EngineError> | undefined
  readonly info?: Partial<EngineInfo> | undefined
  readonly version?: Partial<EngineVersion> | undefined
}

/**
 * What a test asks the scripted engine: the calls so far, the pushes that are running, and the names it has now.
 *
 * @since 0.1.0
 * @category services
 */
export class TestEngine extends Context.Tag("gantry/TestEngine")<
  TestEngine,
  {
    readonly calls: Effect.Effect<ReadonlyArray<EngineCall>>
    readonly callsTo: (method: EngineCall["method"]) => Effect.Effect<ReadonlyArray<EngineCall>>
    readonly pushesInFlight: Effect.Effect<number>
    readonly imageNames: Effect.Effect<ReadonlyArray<string>>
  }
>() {}

const address: EngineStream.EngineAddress = { endpoint: "unix:///test-engine.sock", origin: "TestEngine" }

const unscripted = (call: EngineCall): Effect.Effect<never> =>
  Effect.dieMessage(
    `TestEngine: the script has no answer to ${call.method}(${call.images.join(", ")}), attempt ${call.attempt}`
  )

const noSuchImage = (call: EngineCall) =>
  new EngineRejected({ status: 404, text: `No such image: ${call.images[0] ?? ""}` })

const noOption: PlatformOptions = {}

const makeEngine = (script: TestEngineScript) => {
  const images = makeTestImages()
  script.images?.forEach(images.add)
  const calls: Array<EngineCall> = []
  const attempts = new Map<string, number>()
  let pushing = 0

  const record = (
    method: EngineCall["method"],
    asked: ReadonlyArray<{ toString(): string }> = [],
    credential: Option.Option<Credential> = Option.none(),
    { platform }: PlatformOptions = noOption
  ): Effect.Effect<EngineCall, EngineError> =>
    Effect.suspend(() => {
      const names = asked.map(String)
      const key = [method, ...names].join(" ")
      const attempt = (attempts.get(key) ?? 0) + 1
      attempts.set(key, attempt)
      const call = { method, images: names, credential, platform: Option.fromNullable(platform), attempt }
      calls.push(call)
      const failure = script.fail?.(call)
      return failure === undefined ? Effect.succeed(call) : Effect.fail(failure)
    })

  const found = (call: EngineCall, image: ImageReference.ImageReference | Digest.Digest) =>
    Effect.suspend(() => {
      const stored = images.find(image)
      return stored === undefined ? Effect.fail(noSuchImage(call)) : Effect.succeed(stored)
    })

  const inFlight = Effect.acquireRelease(
    Effect.sync(() => {
      pushing++
    }),
    () =>
      Effect.sync(() => {
        pushing--
      })
  )

  const pushImage: Service["pushImage"] = (image, credential, options) =>
    record("pushImage", [image], credential, options).pipe(
      Effect.map((call) => {
        const stored = images.find(image)
        if (stored === undefined) {
          const text = `An image does not exist locally with the tag: ${image.name}`
          return Stream.fail(new EngineRejected({ status: 200, text }))
        }
        return script.push === undefined
          ? Stream.fromEffect(unscripted(call))
          : script.push({ ...call, image, inspection: Option.some(images.inspect(stored)) })
      }),
      Effect.zipLeft(inFlight),
      Stream.unwrapScoped
    )

  const service: Service = {
    ...address,
    ping: Effect.as(record("ping"), { apiVersion: script.version?.apiVersion ?? "1.51" }),
    version: Effect.as(record("version"), {
      version: "28.5.2",
      apiVersion: "1.51",
      os: "linux",
      architecture: "amd64",
      ...script.version
    }),
    info: Effect.as(record("info"), {
      imageStore: "classic",
      insecureRegistries: [],
      insecureNetworks: ["127.0.0.0/8"],
      httpProxy: "",
      httpsProxy: "",
      noProxy: "",
      ...script.info
    }),
    imageNames: Effect.map(record("imageNames"), () =>
      images.names().map((name) => ImageReference.familiar(ImageReference.unsafeParse(name)))
    ),
    inspectImage: (image) =>
      Effect.flatMap(record("inspectImage", [image]), (call) => Effect.map(found(call, image), images.inspect)),
    tagImage: (source, target) =>
      Effect.flatMap(record("tagImage", [source, target]), (call) =>
        Effect.map(found(call, source), (stored) => images.tag(stored, target))
      ),
    untagImage: (image) =>
      Effect.flatMap(record("untagImage", [image]), (call) =>
        Effect.map(found(call, image), (stored) => {
          if (stored.names.size <= 1) return "kept"
          images.untag(stored, image)
          return "untagged"
        })
      ),
    pushImage,
    runPush: (image, credential, onEvent, options) =>
      Stream.runForEach(pushImage(image, credential, options), (event) => Effect.sync(() => onEvent(event))),
    pullImage: (image, credential, options) =>
      record("pullImage", [image], credential, options).pipe(
        Effect.map((call) =>
          script.pull === undefined
            ? Stream.fromEffect(unscripted(call))
            : script.pull({
                ...call,
                image,
                inspection: Option.map(Option.fromNullable(images.find(image)), images.inspect)
              })
        ),
        Stream.unwrap
      ),
    inspectDistribution: (image, credential) =>
      Effect.flatMap(record("inspectDistribution", [image], credential), (call) =>
        script.distribution === undefined ? unscripted(call) : script.distribution(call)
      ),
    saveImages: (asked) =>
      record("saveImages", asked).pipe(
        Effect.map((call) => script.save ?? Stream.fromEffect(unscripted(call))),
        Stream.unwrap
      ),
    loadImages: (archive) =>
      Effect.flatMap(record("loadImages"), (call) => {
        const { load } = script
        if (load === undefined) return unscripted(call)
        return Effect.map(Stream.runDrain(archive), () => {
          load.forEach(images.add)
          return load.flatMap(({ names }) => names)
        })
      }),
    use: () => Effect.flatMap(record("use"), unscripted)
  }

  const test: Context.Tag.Service<TestEngine> = {
    calls: Effect.sync(() => [...calls]),
    callsTo: (method) => Effect.sync(() => calls.filter((call) => call.method === method)),
    pushesInFlight: Effect.sync(() => pushing),
    imageNames: Effect.sync(images.names)
  }

  return Context.make(DockerEngine, service).pipe(Context.add(TestEngine, test))
}

/**
 * A scripted engine, and the test's own view of it.
 *
 * @since 0.1.0
 * @category layers
 * @example
 * import { TestEngine } from "gantry/testing"
 *
 * const engine = TestEngine.layer({
 *   images: [{ names: ["registry.example/app:1"] }],
 *   push: TestEngine.inOrder(TestEngine.rejected("received unexpected HTTP status: 503 Service Unavailable"), TestEngine.pushed())
 * })
 */
export const layer = (script: TestEngineScript): Layer.Layer<DockerEngine | TestEngine> =>
  Layer.effectContext(Effect.sync(() => makeEngine(script)))

const { LayerStatus, PushAux, PushResult, Status } = EngineStream.EngineEvent

const layerStatus = (layer: string, phase: EngineStream.LayerPhase, status: string) =>
  LayerStatus({
    layer,
    phase,
    status,
    current: undefined,
    total: undefined,
    mountedFrom: undefined,
    retryAfterSeconds: undefined
  })

/** The first 12 digits of a diff id, as the classic image store names a layer. */
const shortId = (diffId: string): string => diffId.slice(diffId.indexOf(":") + 1).slice(0, 12)

/**
 * How a scripted push ends: with this digest (by default the image's id) and a manifest of this many bytes (by default
 * 1024). The layers are the image's.
 *
 * @since 0.1.0
 * @category models
 */
export interface PushOutcome {
  readonly digest?: string | undefined
  readonly size?: number | undefined
}

const outcome =
  (last: (layer: string) => EngineStream.EngineEvent): ((options?: PushOutcome) => Answer) =>
  (options = {}) =>
  ({ image, inspection }) => {
    const layers = Option.match(inspection, { onNone: () => [], onSome: ({ layers }) => layers.map(shortId) })
    const id = Option.match(inspection, { onNone: () => "", onSome: ({ id }) => id })
    const digest = Digest.unsafeParse(options.digest ?? id)
    const result = { tag: Option.getOrElse(image.tag, () => "latest"), digest, size: options.size ?? 1024 }
    return Stream.fromChunk(
      Chunk.fromIterable([
        Status({ text: `The push refers to repository [${image.name}]` }),
        ...layers.map((layer) => layerStatus(layer, "preparing", "Preparing")),
        ...layers.map(last),
        PushResult(result),
        PushAux(result)
      ])
    )
  }

/**
 * A push that goes through: every layer is sent.
 *
 * @since 0.1.0
 * @category answers
 */
export const pushed: (options?: PushOutcome) => Answer = outcome((layer) => layerStatus(layer, "pushed", "Pushed"))

/**
 * A push of what the registry has: every layer exists there.
 *
 * @since 0.1.0
 * @category answers
 */
export const unchanged: (options?: PushOutcome) => Answer = outcome((layer) =>
  layerStatus(layer, "exists", "Layer already exists")
)

/**
 * The engine refuses inside its stream, in these words.
 *
 * @since 0.1.0
 * @category answers
 */
export const rejected =
  (text: string): Answer =>
  () =>
    Stream.fail(new EngineRejected({ status: 200, text }))

/**
 * The engine goes away after these events.
 *
 * @since 0.1.0
 * @category answers
 */
export const cut =
  (...events: ReadonlyArray<EngineStream.EngineEvent>): Answer =>
  () =>
    Stream.concat(
      Stream.fromIterable(events),
      Stream.fail(new EngineDisconnected({ ...address, detail: "the script cuts its answer here" }))
    )

/**
 * The engine says these events and then nothing, for ever.
 *
 * @since 0.1.0
 * @category answers
 */
export const hanging =
  (...events: ReadonlyArray<EngineStream.EngineEvent>): Answer =>
  () =>
    Stream.concat(Stream.fromIterable(events), Stream.never)

/**
 * An answer that begins after a while on the Clock.
 *
 * @since 0.1.0
 * @category answers
 */
export const delayed =
  (duration: Duration.DurationInput, answer: Answer): Answer =>
  (call) =>
    Stream.unwrap(Effect.as(Effect.sleep(duration), answer(call)))

/**
 * A recorded stream, byte for byte, through the same framing as an engine's.
 *
 * @since 0.1.0
 * @category answers
 */
export const recorded = (body: string | Uint8Array): Answer => {
  const bytes = typeof body === "string" ? new TextEncoder().encode(body) : body
  return () => EngineStream.decodePush(Stream.make(bytes), address)
}

/**
 * The first call for an image gets the first answer, the second the second; one call more is a defect that names it.
 *
 * @since 0.1.0
 * @category answers
 */
export const inOrder =
  (...answers: ReadonlyArray<Answer>): Answer =>
  (call) =>
    answers[call.attempt - 1]?.(call) ?? Stream.fromEffect(unscripted(call))
