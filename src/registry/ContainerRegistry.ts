/**
 * A place images are pushed to: its URI, its flavor, and how to authenticate there.
 *
 * @since 0.1.0
 */
import * as Clock from "effect/Clock"
import * as Config from "effect/Config"
import type { ConfigError } from "effect/ConfigError"
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import type { ResolvedCredential } from "../credential/Credential.ts"
import type { RegistryTls } from "../distribution/RegistryHttp.ts"
import * as RegistryFlavor from "../flavor/RegistryFlavor.ts"
import type { ImageSource } from "../image/ImageSource.ts"
import * as Source from "../image/ImageSource.ts"
import { ImageUriMismatch, type PushError } from "../push/PushError.ts"
import { PushedImage } from "../push/PushedImage.ts"
import type { AttemptEvent } from "../push/PushEvent.ts"
import type { Platform } from "../push/PushRequest.ts"
import type { Digest } from "../reference/Digest.ts"
import * as ImageReference from "../reference/ImageReference.ts"
import * as RegistryUri from "../reference/RegistryUri.ts"
import { type Comparison, PushTransport } from "../transport/PushTransport.ts"
import * as Authentication from "./Authentication.ts"

/**
 * What a registry is, as data. `isLocal` is true for loopback hosts, whatever the port.
 *
 * @since 0.1.0
 * @category models
 */
export interface RegistryConfig {
  readonly uri: RegistryUri.RegistryUri
  readonly flavor: RegistryFlavor.RegistryFlavor
  readonly defaultRepository: Option.Option<string>
  readonly tls: Option.Option<RegistryTls>
  readonly isLocal: boolean
}

/**
 * What may be said of one push: an image other than the one of the same name, a platform, a listener.
 *
 * @since 0.1.0
 * @category models
 */
export interface PushImageOptions {
  readonly source?: ImageSource | undefined
  readonly platform?: Platform | undefined
  /** Called synchronously with each event of the attempt; it must not throw. */
  readonly emit?: ((event: AttemptEvent) => void) | undefined
}

/**
 * What a push would do, learned without writing anything.
 *
 * @since 0.1.0
 * @category models
 */
export interface PushPreview {
  readonly reference: ImageReference.ImageReference
  readonly status: "would-push" | "unchanged" | "would-overwrite"
  readonly digest: Option.Option<Digest>
}

/**
 * A registry. Applications that hold several use a `RegistryCatalog`.
 *
 * @since 0.1.0
 * @category models
 */
export interface ContainerRegistry {
  readonly config: RegistryConfig
  /** Whether a push without a credential is impossible. */
  readonly requiresAuthentication: boolean
  /** The credential and where it came from, read anew at each run. */
  readonly credentials: Effect.Effect<Option.Option<ResolvedCredential>, Authentication.AuthenticationError>
  /** The full name of an image of this registry; without `repository` it is the default repository's. */
  readonly imageName: (options: {
    readonly repository?: string | undefined
    readonly tag: string
  }) => Either.Either<ImageReference.ImageReference, ImageReference.InvalidImageReference>
  /** Runs after the ownership check and before the push. */
  readonly prepareImagePush: (image: ImageReference.ImageReference) => Effect.Effect<void, PushError>
  /** One attempt, on the caller's fiber. An image of another registry is `ImageUriMismatch` before anything is sent. */
  readonly pushImage: (
    image: ImageReference.ImageReference | string,
    options?: PushImageOptions
  ) => Effect.Effect<PushedImage, PushError>
  /** What `pushImage` would do. Writes nothing, not even an upload session. */
  readonly previewPush: (
    image: ImageReference.ImageReference | string,
    options?: Pick<PushImageOptions, "source" | "platform">
  ) => Effect.Effect<PushPreview, PushError>
}

/**
 * The tag of an application's one registry. For a second one, make a tag of your own and use `make`.
 *
 * @since 0.1.0
 * @category tags
 */
export const ContainerRegistry: Context.Tag<ContainerRegistry, ContainerRegistry> =
  Context.GenericTag<ContainerRegistry>("gantry/ContainerRegistry")

/**
 * What makes a registry.
 *
 * `uri` is `host[/path]`; `flavor` is inferred from the host unless given; `authentication` is anonymous unless given;
 * `tls` is how gantry's own requests reach the host (`off` for loopback hosts, `verify` elsewhere).
 * `prepareImagePush` runs before each push; fail with `PrepareRejected` to refuse one.
 *
 * @since 0.1.0
 * @category models
 */
export interface ContainerRegistryOptions<RA = never, RP = never> {
  readonly uri: RegistryUri.RegistryUri | string
  readonly flavor?: RegistryFlavor.RegistryFlavor | undefined
  readonly authentication?: Authentication.Authentication<RA> | undefined
  readonly defaultRepository?: string | undefined
  readonly tls?: RegistryTls | undefined
  readonly prepareImagePush?:
    | ((image: ImageReference.ImageReference) => Effect.Effect<void, PushError, RP>)
    | undefined
}

/**
 * Makes a registry. Fails with `InvalidRegistryUri` when the URI is malformed or not one of the flavor's.
 *
 * @since 0.1.0
 * @category constructors
 */
export const make = Effect.fn("ContainerRegistry.make")(function* <RA = never, RP = never>(
  options: ContainerRegistryOptions<RA, RP>
) {
  const transport = yield* PushTransport
  const context = yield* Effect.context<RA | RP>()
  const config = yield* resolveConfig(options)
  const authentication = options.authentication ?? Authentication.anonymous
  const prepare = options.prepareImagePush ?? (() => Effect.void)

  const credentials = Effect.provide(authentication.resolve(config.uri), context)
  const prepareImagePush = (image: ImageReference.ImageReference) => Effect.provide(prepare(image), context)

  const request = Effect.fnUntraced(function* (
    image: ImageReference.ImageReference | string,
    options: PushImageOptions | undefined
  ) {
    const target = yield* pushTarget(config.uri, image)
    const resolved = yield* credentials
    return {
      source: options?.source ?? Source.docker(target),
      target,
      platform: Option.fromNullable(options?.platform),
      credential: Option.map(resolved, (found) => found.credential),
      sourceCredential: Option.none(),
      tls: config.tls
    }
  })

  const pushImage = Effect.fn("ContainerRegistry.pushImage")(function* (
    image: ImageReference.ImageReference | string,
    options?: PushImageOptions
  ) {
    const attempt = yield* request(image, options)
    yield* prepareImagePush(attempt.target)
    const startedAt = yield* Clock.currentTimeMillis
    const result = yield* transport.push({ ...attempt, emit: options?.emit ?? ignore })
    const endedAt = yield* Clock.currentTimeMillis
    return new PushedImage({
      ...result,
      reference: attempt.target,
      repoDigest: `${attempt.target.name}@${result.digest}`,
      attempts: 1,
      duration: Duration.millis(endedAt - startedAt)
    })
  })

  const previewPush = Effect.fn("ContainerRegistry.previewPush")(function* (
    image: ImageReference.ImageReference | string,
    options?: Pick<PushImageOptions, "source" | "platform">
  ) {
    const attempt = yield* request(image, options)
    return preview(attempt.target, yield* transport.compare(attempt))
  })

  const registry: ContainerRegistry = {
    config,
    requiresAuthentication: authentication.isRequired,
    credentials,
    imageName: (name) => imageName(config, name),
    prepareImagePush,
    pushImage,
    previewPush
  }
  return registry
})

const ignore = () => {}

const resolveConfig = Effect.fnUntraced(function* (
  options: Omit<ContainerRegistryOptions, "authentication" | "prepareImagePush">
) {
  const uri = typeof options.uri === "string" ? yield* RegistryUri.parse(options.uri) : options.uri
  const flavor = options.flavor ?? RegistryFlavor.forUri(uri, yield* RegistryFlavor.RegistryFlavors)
  yield* flavor.validateUri(uri)
  return {
    uri,
    flavor,
    defaultRepository: Option.fromNullable(options.defaultRepository),
    tls: Option.orElse(Option.fromNullable(options.tls), () =>
      uri.plainHttp ? Option.some<RegistryTls>("off") : Option.none()
    ),
    isLocal: RegistryUri.isLocal(uri)
  } satisfies RegistryConfig
})

const imageName = (
  config: RegistryConfig,
  name: { readonly repository?: string | undefined; readonly tag: string }
): Either.Either<ImageReference.ImageReference, ImageReference.InvalidImageReference> => {
  const repository = name.repository ?? Option.getOrElse(config.defaultRepository, () => "")
  return ImageReference.parse(`${config.uri.name}/${repository}:${name.tag}`)
}

const pushTarget = Effect.fnUntraced(function* (
  uri: RegistryUri.RegistryUri,
  image: ImageReference.ImageReference | string
) {
  const target = typeof image === "string" ? yield* ImageReference.parse(image) : image
  if (!RegistryUri.owns(uri, target)) {
    return yield* new ImageUriMismatch({ image: String(target), registryUri: uri.name })
  }
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

const preview = (reference: ImageReference.ImageReference, comparison: Comparison): PushPreview => {
  switch (comparison._tag) {
    case "Absent":
      return { reference, status: "would-push", digest: Option.none() }
    case "Same":
      return { reference, status: "unchanged", digest: Option.some(comparison.digest) }
    case "Different":
      return { reference, status: "would-overwrite", digest: Option.some(comparison.digest) }
  }
}

/**
 * A registry as a layer.
 *
 * @since 0.1.0
 * @category layers
 * @example
 * import { ContainerRegistry, DockerEngine, PushTransport } from "gantry"
 * import { Effect, Layer } from "effect"
 *
 * const program = Effect.gen(function* () {
 *   const registry = yield* ContainerRegistry.ContainerRegistry
 *   const pushed = yield* registry.pushImage("localhost:5000/app:1")
 *   yield* Effect.log(pushed.repoDigest)
 * })
 *
 * const live = ContainerRegistry.layer({ uri: "localhost:5000" }).pipe(
 *   Layer.provide(PushTransport.layerEngine),
 *   Layer.provide(DockerEngine.layerFromEnv)
 * )
 *
 * export const main = Effect.provide(program, live)
 */
export const layer = <RA = never, RP = never>(
  options: ContainerRegistryOptions<RA, RP>
): Layer.Layer<ContainerRegistry, RegistryUri.InvalidRegistryUri, RA | RP | PushTransport> =>
  Layer.effect(ContainerRegistry, make(options))

/**
 * A registry whose data (`uri`, `defaultRepository`, `tls`) comes from `Config`; what is code is given as it is.
 *
 * @since 0.1.0
 * @category layers
 */
export const layerConfig = <RA = never, RP = never>(
  options: Omit<ContainerRegistryOptions<RA, RP>, "uri" | "defaultRepository" | "tls"> & {
    readonly uri: Config.Config<string>
    readonly defaultRepository?: Config.Config<string> | undefined
    readonly tls?: Config.Config<RegistryTls> | undefined
  }
): Layer.Layer<ContainerRegistry, RegistryUri.InvalidRegistryUri | ConfigError, RA | RP | PushTransport> =>
  Layer.effect(
    ContainerRegistry,
    Effect.gen(function* () {
      const { authentication, flavor, prepareImagePush, ...data } = options
      const values = yield* Config.unwrap<Pick<ContainerRegistryOptions, "defaultRepository" | "tls"> & { uri: string }>({
        uri: data.uri,
        defaultRepository: data.defaultRepository ?? Config.succeed(undefined),
        tls: data.tls ?? Config.succeed(undefined)
      })
      return yield* make({ authentication, flavor, prepareImagePush, ...values })
    })
  )
