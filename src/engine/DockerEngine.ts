/**
 * The Docker Engine, spoken to through dockerode: the wire, with errors that nobody has interpreted yet.
 *
 * @since 0.1.0
 */
import type * as FileSystem from "@effect/platform/FileSystem"
import type Dockerode from "dockerode"
import * as Config from "effect/Config"
import type { ConfigError } from "effect/ConfigError"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type * as Option from "effect/Option"
import type * as Redacted from "effect/Redacted"
import type * as Stream from "effect/Stream"
import type { Credential } from "../credential/Credential.ts"
import type { Digest } from "../reference/Digest.ts"
import type { ImageReference } from "../reference/ImageReference.ts"
import { Recorder } from "../transcript/Recorder.ts"
import * as Replay from "../transcript/Replay.ts"
import type { TranscriptInvalid } from "../transcript/Transcript.ts"
import type * as DockerContext from "./DockerContext.ts"
import type { EngineContextInvalid, EngineError } from "./EngineError.ts"
import type { EngineEvent } from "./EngineStream.ts"
import * as RegistryAuth from "./internal/registryAuth.ts"

/**
 * An engine's answer to a ping: the newest API version it speaks, such as `1.51`.
 *
 * @since 0.1.0
 * @category models
 */
export interface EnginePing {
  readonly apiVersion: string
}

/**
 * What an engine is: its release, the newest API version it speaks, and the platform it runs on.
 *
 * @since 0.1.0
 * @category models
 */
export interface EngineVersion {
  readonly version: string
  readonly apiVersion: string
  readonly os: string
  readonly architecture: string
}

/**
 * The engine's settings that decide how a push behaves.
 *
 * @since 0.1.0
 * @category models
 */
export interface EngineInfo {
  /** Where images are kept; `containerd` is the default of new installs since Docker 29, and Podman has its own. */
  readonly imageStore: "classic" | "containerd" | "podman"
  /** `host[:port]` of the registries to which the engine's settings allow plain HTTP or an unverified certificate. */
  readonly insecureRegistries: ReadonlyArray<string>
  /** Networks in CIDR form to which the same is allowed; Docker always has `127.0.0.0/8`. */
  readonly insecureNetworks: ReadonlyArray<string>
  /** The proxies through which it reaches registries, and the hosts it reaches without; empty when there are none. */
  readonly httpProxy: string
  readonly httpsProxy: string
  readonly noProxy: string
}

/**
 * An image in the engine.
 *
 * @since 0.1.0
 * @category models
 */
export interface ImageInspection {
  /** The digest of the image's config; on the containerd image store that of its manifest or index. */
  readonly id: string
  /** The image's names as the engine writes them, without `docker.io/library/`. */
  readonly repoTags: ReadonlyArray<string>
  /** `name@digest`. Some engines fill it before any push, so it proves none: reference/engine.md section 3. */
  readonly repoDigests: ReadonlyArray<string>
  /** The digests of the uncompressed layers, lowest first. */
  readonly layers: ReadonlyArray<string>
  readonly os: string
  readonly architecture: string
}

/**
 * What a registry has under a name, asked through the engine; `size` is the manifest's, in bytes, and `platforms` are
 * `os/architecture[/variant]`.
 *
 * @since 0.1.0
 * @category models
 */
export interface DistributionInspection {
  readonly mediaType: string
  readonly digest: Digest
  readonly size: number
  readonly platforms: ReadonlyArray<string>
}

/**
 * Which image of an index is meant, as `os/architecture[/variant]`.
 *
 * @since 0.1.0
 * @category models
 */
export interface PlatformOptions {
  readonly platform?: string | undefined
}

/**
 * How a push is made. `tlsVerify: false` lets Podman speak plain HTTP to the image's registry, or to one whose certificate
 * it can not verify; Docker has that in its settings and does not heed it.
 *
 * Source: https://docs.podman.io/en/v5.6.0/_static/api.html (compat/images/push)
 *
 * @since 0.1.0
 * @category models
 */
export interface PushOptions extends PlatformOptions {
  readonly tlsVerify?: boolean | undefined
}

/**
 * What a `DockerEngine` does. Interrupting a call aborts its request.
 *
 * Every call fails with `EngineUnavailable` when nothing answers, `EngineDisconnected` when the answer ends early, and
 * `EngineRejected` with the engine's words when it refuses.
 *
 * @since 0.1.0
 * @category models
 */
export interface Service {
  /** The engine's address, such as `unix:///var/run/docker.sock`. */
  readonly endpoint: string
  /** Where the address came from, such as `DOCKER_HOST` or `the default`. */
  readonly origin: string
  readonly ping: Effect.Effect<EnginePing, EngineError>
  readonly version: Effect.Effect<EngineVersion, EngineError>
  readonly info: Effect.Effect<EngineInfo, EngineError>
  /** The names of all its images as it writes them, without `docker.io/library/`. */
  readonly imageNames: Effect.Effect<ReadonlyArray<string>, EngineError>
  /** By name or by id. An image that is not there is `EngineRejected` with status 404. */
  readonly inspectImage: (image: ImageReference | Digest) => Effect.Effect<ImageInspection, EngineError>
  /** Gives an image one more name, tagged `latest` when `target` has no tag. */
  readonly tagImage: (source: ImageReference | Digest, target: ImageReference) => Effect.Effect<void, EngineError>
  /** Takes a name away, and never the image: its last name is `kept`, because the engine would delete the image with it. */
  readonly untagImage: (image: ImageReference) => Effect.Effect<"untagged" | "kept", EngineError>
  /**
   * One push, as the engine tells it, tagged `latest` when the reference has no tag. The stream ends well only after a
   * `PushResult`. A `platform` needs API 1.46 and is `EngineUnsupported` below. The credential must be the image's host's.
   */
  readonly pushImage: (
    image: ImageReference,
    credential: Option.Option<Credential>,
    options?: PushOptions
  ) => Stream.Stream<EngineEvent, EngineError>
  /** `pushImage` to its end, told to `onEvent`, which never waits: a twentieth of the stream's cost for each event. */
  readonly runPush: (
    image: ImageReference,
    credential: Option.Option<Credential>,
    onEvent: (event: EngineEvent) => void,
    options?: PushOptions
  ) => Effect.Effect<void, EngineError>
  /** One pull, by digest when the reference has one. */
  readonly pullImage: (
    image: ImageReference,
    credential: Option.Option<Credential>,
    options?: PlatformOptions
  ) => Stream.Stream<EngineEvent, EngineError>
  /** What the image's registry has under this name, asked by the engine. */
  readonly inspectDistribution: (
    image: ImageReference,
    credential: Option.Option<Credential>
  ) => Effect.Effect<DistributionInspection, EngineError>
  /** The images as one `docker save` archive. */
  readonly saveImages: (images: ReadonlyArray<ImageReference | Digest>) => Stream.Stream<Uint8Array, EngineError>
  /** Loads a `docker save` archive and gives the names in it, or the ids of images without a name. */
  readonly loadImages: <E>(
    archive: Stream.Stream<Uint8Array, E>
  ) => Effect.Effect<ReadonlyArray<string>, E | EngineError>
  /**
   * The dockerode client itself, for what gantry does not do. `signal` aborts on interruption: hand it to dockerode as
   * `abortSignal`. What dockerode rejects with becomes an `EngineError`, what `run` itself throws is a defect.
   */
  readonly use: <A>(run: (client: Dockerode, signal: AbortSignal) => Promise<A>) => Effect.Effect<A, EngineError>
}

/**
 * A Docker Engine, or Podman through its Docker-compatible API.
 *
 * @since 0.1.0
 * @category services
 * @example
 * import * as DockerEngine from "gantry/DockerEngine"
 * import * as Effect from "effect/Effect"
 *
 * const program = Effect.gen(function* () {
 *   const engine = yield* DockerEngine.DockerEngine
 *   return yield* engine.version
 * }).pipe(Effect.provide(DockerEngine.layerFromEnv))
 */
export class DockerEngine extends Context.Tag("gantry/DockerEngine")<DockerEngine, Service>() {}

/**
 * The certificates of a connection to a `tcp://` engine, in PEM form: the authority that signed the engine's, and the
 * client's own with its key when the engine asks for one. `skipVerify` accepts any certificate from the engine.
 *
 * @since 0.1.0
 * @category models
 */
export interface EngineTls {
  readonly ca?: string | undefined
  readonly certificate?: string | undefined
  readonly key?: Redacted.Redacted | undefined
  readonly skipVerify?: boolean | undefined
}

/**
 * Where an engine is.
 *
 * - `host`: `unix:///path`, `npipe:////./pipe/name`, `tcp://host[:port]` (port 2375, with `tls` 2376) or
 *   `ssh://[user@]host[:port][/path]`, which starts the system's `ssh`; by default the platform's own socket
 * - `tls`: encrypts and verifies a `tcp://` connection
 * - `origin`: where `host` came from, for messages
 *
 * @since 0.1.0
 * @category models
 */
export interface Options {
  readonly host?: string | undefined
  readonly tls?: EngineTls | undefined
  readonly origin?: string | undefined
}

/** Whoever only imports gantry loads neither dockerode nor Node's network and files. */
const node = Effect.promise(() => import("./internal/nodeEngine.ts"))
const contexts = Effect.promise(() => import("./DockerContext.ts"))

/**
 * The engine at an address; its connections close with the layer's scope. No request is sent. Fails with
 * `EngineContextInvalid` when the address can not be used.
 *
 * @since 0.1.0
 * @category layers
 */
export const layer = (options: Options = {}): Layer.Layer<DockerEngine, EngineContextInvalid> =>
  Layer.scoped(
    DockerEngine,
    Effect.flatMap(node, ({ make }) => make(options))
  )

/**
 * `layer` with its options from `Config`.
 *
 * @since 0.1.0
 * @category layers
 */
export const layerConfig = (
  config: Config.Config.Wrap<Options>
): Layer.Layer<DockerEngine, EngineContextInvalid | ConfigError> =>
  Layer.unwrapEffect(Effect.map(Config.unwrap(config), layer))

/**
 * The engine of a context or at an address, chosen over the environment's: see `DockerContext.resolve`. Fails with
 * `EngineContextInvalid` when it can not be used.
 *
 * @since 0.1.0
 * @category layers
 * @example
 * import * as DockerEngine from "gantry/DockerEngine"
 *
 * const Prod = DockerEngine.layerFromContext({ context: "prod" })
 */
export const layerFromContext = (
  choice: DockerContext.Choice
): Layer.Layer<DockerEngine, EngineContextInvalid | ConfigError> =>
  contexts.pipe(
    Effect.flatMap(({ resolve }) => resolve(choice)),
    Effect.map(layer),
    Layer.unwrapEffect
  )

/**
 * The engine that the docker command would use: that of `DOCKER_HOST`, `DOCKER_CONTEXT` or `docker context use`, else the
 * platform's own socket. See `DockerContext.resolve` for the order and for the certificates. Fails with
 * `EngineContextInvalid` when it can not be used.
 *
 * @since 0.1.0
 * @category layers
 */
export const layerFromEnv: Layer.Layer<DockerEngine, EngineContextInvalid | ConfigError> = Layer.suspend(() =>
  layerFromContext({})
)

/**
 * The engine behind a dockerode client that stays the caller's: gantry does not close its connections, and its agent
 * should have a `util.inspect.custom`, since docker-modem inspects it on every call.
 *
 * @since 0.1.0
 * @category layers
 */
export const layerFromClient = (client: Dockerode): Layer.Layer<DockerEngine> =>
  Layer.effect(
    DockerEngine,
    Effect.map(node, ({ fromClient }) => fromClient(client))
  )

/** Nobody pays for a transcript who does not use one. */
const tape = Effect.promise(() => import("./internal/engineTape.ts"))

/**
 * The engine it is given, whose answers go into the transcript of a `Recorder`. Archives of images and calls of the
 * dockerode client itself do not.
 *
 * @since 0.1.0
 * @category layers
 */
export const layerRecording: Layer.Layer<DockerEngine, never, DockerEngine | Recorder> = Layer.effect(
  DockerEngine,
  Effect.gen(function* () {
    const { record } = yield* tape
    return yield* record(yield* Recorder, yield* DockerEngine)
  })
)

/**
 * The engine of a `Replay`, for those who share one with `RegistryHttp.layerReplaying`.
 *
 * @since 0.1.0
 * @category layers
 */
export const layerReplaying: Layer.Layer<DockerEngine, never, Replay.Replay> = Layer.effect(
  DockerEngine,
  Effect.gen(function* () {
    const { replay } = yield* tape
    return yield* replay(yield* Replay.Replay)
  })
)

/**
 * An engine that answers what `gantry batch --record FILE` wrote down, each answer as long after its request as it was
 * then: no engine is asked, and under `TestClock` no time passes. A request that the transcript does not have is a defect,
 * `TranscriptDiverged`. What gantry asked registries itself is played by `RegistryHttp.layerReplay`, and both by
 * `TestTranscript.layer` of `gantry/testing`.
 *
 * Fails with `TranscriptInvalid` when the file can not be read, is no transcript, or is of another version.
 *
 * @since 0.1.0
 * @category layers
 */
export const layerReplay = (file: string): Layer.Layer<DockerEngine, TranscriptInvalid, FileSystem.FileSystem> =>
  Layer.provide(layerReplaying, Replay.layerFile(file))

/**
 * A credential in the clear, in the form of dockerode's `authconfig` option.
 *
 * @since 0.1.0
 * @category models
 */
export interface AuthConfig extends RegistryAuth.AuthConfig {}

/**
 * The credential for a registry's host as dockerode wants it; `{}`, which engines want too, for nobody. It holds secrets in
 * the clear: hand it on and keep it nowhere.
 *
 * @since 0.1.0
 * @category conversions
 */
export const authConfig: (registry: string, credential: Option.Option<Credential>) => AuthConfig =
  RegistryAuth.authConfig
