/**
 * A place images are pushed to: its URI, its flavor, and how to authenticate there.
 *
 * @since 0.1.0
 */
import * as Config from "effect/Config"
import type { ConfigError } from "effect/ConfigError"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import type * as Either from "effect/Either"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import type * as Scope from "effect/Scope"
import type { ResolvedCredential } from "../credential/Credential.ts"
import type { Lease } from "../credential/Lease.ts"
import * as RegistryClient from "../distribution/RegistryClient.ts"
import type { RegistryError } from "../distribution/RegistryError.ts"
import type { RegistryTls } from "../distribution/RegistryHttp.ts"
import type { DockerEngine } from "../engine/DockerEngine.ts"
import type { RegistryFlavor } from "../flavor/RegistryFlavor.ts"
import type { ImageSource } from "../image/ImageSource.ts"
import { PulledImage } from "../push/PulledImage.ts"
import type { PushError, PushInterrupted } from "../push/PushError.ts"
import type { AttemptEvent } from "../push/PushEvent.ts"
import type { PushedImage } from "../push/PushedImage.ts"
import type { OnExisting, Platform } from "../push/PushRequest.ts"
import type { Digest } from "../reference/Digest.ts"
import * as ImageReference from "../reference/ImageReference.ts"
import { withSpanOf } from "../reference/internal/spanContext.ts"
import type * as RegistryUri from "../reference/RegistryUri.ts"
import * as EnginePull from "../transport/EnginePull.ts"
import { PushTransport } from "../transport/PushTransport.ts"
import * as AuthenticatedEngine from "./AuthenticatedEngine.ts"
import * as Authentication from "./Authentication.ts"
import * as CredentialLease from "./internal/credentialLease.ts"
import * as Pushes from "./internal/pushes.ts"
import { imageName, ownedImage } from "./internal/pushTarget.ts"
import * as Reauthentication from "./internal/reauthentication.ts"
import * as RegistryCheck from "./RegistryCheck.ts"
import * as RegistryConfig from "./RegistryConfig.ts"

/**
 * What may be said of one push: an image other than the one of the same name, a platform, what becomes of a tag that has
 * other content, a listener.
 *
 * @since 0.1.0
 * @category models
 */
export interface PushImageOptions {
  readonly source?: ImageSource | undefined
  readonly platform?: Platform | undefined
  /** Default: `overwrite`. */
  readonly onExisting?: OnExisting | undefined
  /** Called synchronously with each event of the attempt; it must not throw. */
  readonly emit?: ((event: AttemptEvent) => void) | undefined
}

/**
 * What may be said of one pull: a platform, a listener.
 *
 * @since 0.1.0
 * @category models
 */
export type PullImageOptions = Pick<PushImageOptions, "platform" | "emit">

/**
 * What a push would do, learned without writing anything.
 *
 * @since 0.1.0
 * @category models
 */
export interface PushPreview {
  readonly reference: ImageReference.ImageReference
  readonly status: "would-push" | "unchanged" | "would-overwrite" | "skipped"
  readonly digest: Option.Option<Digest>
}

/**
 * A registry. Applications that hold several use a `RegistryCatalog`.
 *
 * @since 0.1.0
 * @category models
 */
export interface ContainerRegistry {
  readonly config: RegistryConfig.RegistryConfig
  /** Whether a push without a credential is impossible. */
  readonly requiresAuthentication: boolean
  /** The credential that a push would use now, and where it came from. */
  readonly credentials: Effect.Effect<Option.Option<ResolvedCredential>, Authentication.AuthenticationError>
  /** The credential, for as long as a borrower's scope: issued once for all, and again when it has expired or changed. */
  readonly lease: Lease<Option.Option<ResolvedCredential>, Authentication.AuthenticationError>
  /** The full name of an image of this registry; without `repository` it is the default repository's. */
  readonly imageName: (options: {
    readonly repository?: string | undefined
    readonly tag: string
  }) => Either.Either<ImageReference.ImageReference, ImageReference.InvalidImageReference>
  /**
   * Runs after the ownership check and before the push: the registry's own `prepareImagePush`, then what the credential's
   * source does, such as creating the repository.
   */
  readonly prepareImagePush: (image: ImageReference.ImageReference) => Effect.Effect<void, PushError>
  /**
   * One attempt, on the caller's fiber. An image of another registry is `ImageUriMismatch` before anything is sent. When the
   * registry refuses the credential and another one can be had, the push goes on with that one: as often as a credential
   * ends that the registry had taken, and once where it never took one.
   *
   * Unless the tag may be overwritten, the registry is asked for it first: a protected tag with other content is `TagExists`.
   * A registry has no lock, so what another writer does in this moment is not seen.
   *
   * A supervised registry's is a whole push, which others may stop: only then is there a `PushInterrupted`.
   */
  readonly pushImage: (
    image: ImageReference.ImageReference | string,
    options?: PushImageOptions
  ) => Effect.Effect<PushedImage, PushError | PushInterrupted>
  /** What `pushImage` would do, failing where it would. Writes nothing, not even an upload session. */
  readonly previewPush: (
    image: ImageReference.ImageReference | string,
    options?: Omit<PushImageOptions, "emit">
  ) => Effect.Effect<PushPreview, PushError>
  /** Pulls into the application's engine, such as a base image before a build. */
  readonly pullImage: (
    image: ImageReference.ImageReference | string,
    options?: PullImageOptions
  ) => Effect.Effect<PulledImage, PushError, DockerEngine>
  /** The digest a tag has in the registry, without an engine; none when the registry has no such tag. */
  readonly digest: (image: ImageReference.ImageReference | string) => Effect.Effect<Option.Option<Digest>, PushError>
  /** Proves, without an engine and without writing, that the registry answers and accepts the credential. */
  readonly verify: Effect.Effect<RegistryCheck.RegistryCheck, Authentication.AuthenticationError | RegistryError>
  /** As `verify`, for one repository below the host; the proof `upload` opens an upload there and cancels it. */
  readonly verifyPush: (
    repository: string,
    proof: RegistryCheck.PushProof
  ) => Effect.Effect<RegistryCheck.RegistryCheck, Authentication.AuthenticationError | RegistryError>
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
 * `prepareImagePush` runs before each push; fail with `PrepareRejected` to refuse one. `protect` has globs of tags (`v*`)
 * that no push moves to other content.
 *
 * @since 0.1.0
 * @category models
 */
export interface ContainerRegistryOptions<RA = never, RP = never> {
  readonly uri: RegistryUri.RegistryUri | string
  readonly flavor?: RegistryFlavor | undefined
  readonly authentication?: Authentication.Authentication<RA> | undefined
  readonly defaultRepository?: string | undefined
  readonly tls?: RegistryTls | undefined
  readonly prepareImagePush?: ((image: ImageReference.ImageReference) => Effect.Effect<void, PushError, RP>) | undefined
  readonly protect?: ReadonlyArray<string> | undefined
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
  const context = yield* Effect.context<RP>()
  const config = yield* RegistryConfig.make(options)
  const clients = yield* RegistryClient.pool
  const authentication = options.authentication ?? Authentication.anonymous
  const lease = yield* CredentialLease.make<RA>(authentication, config.uri)
  const reauthenticate = Reauthentication.make(lease)
  const prepare = options.prepareImagePush ?? (() => Effect.void)

  const credentials = Effect.scoped(Effect.map(lease.borrow, ({ value }) => value))
  const prepareImagePush = (image: ImageReference.ImageReference, held: Option.Option<ResolvedCredential>) =>
    Effect.zipRight(
      Effect.mapInputContext(prepare(image), (own: Context.Context<never>) => withSpanOf(own, context)),
      Option.match(held, {
        onNone: () => Effect.void,
        onSome: ({ prepareImagePush: bySource }) => bySource?.(image) ?? Effect.void
      })
    ).pipe(Effect.withSpan("ContainerRegistry.prepareImagePush", { captureStackTrace: false }))

  const clientFor = (held: Option.Option<ResolvedCredential>) =>
    clients({
      host: config.uri.host,
      tls: Option.getOrUndefined(config.tls),
      credential: CredentialLease.credentialOf(held)
    })

  const asking = <A, E extends { readonly _tag: string }>(
    ask: (client: RegistryClient.RegistryClient, held: Option.Option<ResolvedCredential>) => Effect.Effect<A, E>
  ) => reauthenticate(({ held }) => ask(clientFor(held), held))

  const announce = CredentialLease.makeAnnouncer()
  const announceTo = (emit: Pushes.Emit) =>
    announce(({ origin }) => emit({ _tag: "Reauthenticated", registry: config.uri.host, origin }))

  const { previewPush, pushImage } = Pushes.make({
    config,
    transport,
    reauthenticate,
    announceTo,
    prepare: prepareImagePush
  })

  const check = (repository: Option.Option<string>, proof: RegistryCheck.PushProof) =>
    asking((client, credential) => RegistryCheck.make({ client, credential, repository, proof }))

  const digest = Effect.fn("ContainerRegistry.digest")(function* (image: ImageReference.ImageReference | string) {
    const reference = ImageReference.withDefaultTag(yield* ownedImage(config.uri, image))
    const name = Option.getOrElse(Option.map(reference.digest, String), () => Option.getOrThrow(reference.tag))
    const found = yield* asking((client) => client.headManifest(reference.repository, name))
    return Option.map(found, (descriptor) => descriptor.digest)
  })

  const pullImage = Effect.fn("ContainerRegistry.pullImage")(function* (
    image: ImageReference.ImageReference | string,
    options?: PullImageOptions
  ) {
    const reference = ImageReference.withDefaultTag(yield* ownedImage(config.uri, image))
    const emit = options?.emit ?? Pushes.silent
    const platform = Option.fromNullable(options?.platform)
    const attempt = reauthenticate(
      ({ held, see }) =>
        EnginePull.pull({
          image: reference,
          credential: CredentialLease.credentialOf(held),
          platform,
          emit: Pushes.both(see, emit)
        }),
      announceTo(emit)
    )
    const [duration, digest] = yield* Effect.timed(attempt)
    return new PulledImage({ reference, digest, repoDigest: `${reference.name}@${digest}`, duration })
  })

  const registry: ContainerRegistry = {
    config,
    requiresAuthentication: authentication.isRequired,
    credentials,
    lease,
    imageName: ({ repository, tag }) =>
      imageName(config.uri, repository ?? Option.getOrElse(config.defaultRepository, () => ""), tag),
    prepareImagePush: (image) => Effect.flatMap(credentials, (held) => prepareImagePush(image, held)),
    pushImage,
    previewPush,
    pullImage,
    digest,
    verify: check(
      Option.map(config.defaultRepository, (name) => [config.uri.path, name].filter(Boolean).join("/")),
      "token"
    ),
    verifyPush: (repository, proof) => check(Option.some(repository), proof)
  }
  return registry
})

/**
 * The application's engine as the registry's user, for what gantry does not do itself. The credential is borrowed for the
 * scope.
 *
 * @since 0.1.0
 * @category operations
 * @example
 * import * as ContainerRegistry from "gantry/ContainerRegistry"
 * import * as Effect from "effect/Effect"
 *
 * const history = Effect.gen(function* () {
 *   const registry = yield* ContainerRegistry.ContainerRegistry
 *   const docker = yield* ContainerRegistry.dockerClient(registry)
 *   return yield* docker.use((client) => client.getImage("app:1").history())
 * })
 */
export const dockerClient = (
  registry: ContainerRegistry
): Effect.Effect<
  AuthenticatedEngine.AuthenticatedEngine,
  Authentication.AuthenticationError,
  DockerEngine | Scope.Scope
> => Effect.flatMap(registry.lease.borrow, ({ value }) => AuthenticatedEngine.make(registry.config.uri, value))

/**
 * Uses the application's engine as the registry's user, and once more with another credential when the registry refuses
 * the first one (`RegistryUnauthorized`) and another one can be had.
 *
 * @since 0.1.0
 * @category operations
 */
export const withDockerClient = <A, E extends { readonly _tag: string }, R>(
  registry: ContainerRegistry,
  use: (docker: AuthenticatedEngine.AuthenticatedEngine) => Effect.Effect<A, E, R>
): Effect.Effect<A, E | Authentication.AuthenticationError, R | DockerEngine> =>
  Reauthentication.make(registry.lease)(({ held }) =>
    Effect.flatMap(AuthenticatedEngine.make(registry.config.uri, held), use)
  )

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
  Layer.scoped(ContainerRegistry, make(options))

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
  Layer.scoped(
    ContainerRegistry,
    Effect.gen(function* () {
      const { authentication, flavor, prepareImagePush, protect, ...data } = options
      const values = yield* Config.unwrap<
        Pick<ContainerRegistryOptions, "defaultRepository" | "tls"> & { uri: string }
      >({
        uri: data.uri,
        defaultRepository: data.defaultRepository ?? Config.succeed(undefined),
        tls: data.tls ?? Config.succeed(undefined)
      })
      return yield* make({ authentication, flavor, prepareImagePush, protect, ...values })
    })
  )
