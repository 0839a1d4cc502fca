/**
 * A registry whose `pushImage` is a supervised push: the short form for applications with one registry.
 *
 * @since 0.1.0
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import * as PushRequest from "../push/PushRequest.ts"
import * as ImageReference from "../reference/ImageReference.ts"
import type { InvalidRegistryUri } from "../reference/RegistryUri.ts"
import * as ContainerRegistry from "../registry/ContainerRegistry.ts"
import { RegistryCatalog } from "../registry/RegistryCatalog.ts"
import type { PushTransport } from "../transport/PushTransport.ts"
import * as PushSupervisor from "./PushSupervisor.ts"

/**
 * What makes a supervised registry: the registry's own options, and the supervisor's.
 *
 * @since 0.1.0
 * @category models
 */
export interface SupervisedRegistryOptions<RA = never, RP = never>
  extends ContainerRegistry.ContainerRegistryOptions<RA, RP> {
  readonly supervisor?: PushSupervisor.PushSupervisorOptions | undefined
}

/**
 * The application's `ContainerRegistry`, and the supervisor that runs its pushes.
 *
 * `pushImage` submits and awaits: it queues, joins an equal push in flight, retries and is watched for stalls; interrupting
 * it stops nothing. It fails with `PushInterrupted` when the push is stopped for all who share it. Everything else is the
 * registry's own.
 *
 * @since 0.1.0
 * @category layers
 * @example
 * import { ContainerRegistry, DockerEngine, PushTransport, SupervisedRegistry } from "gantry"
 * import { Effect, Layer } from "effect"
 *
 * const program = Effect.gen(function* () {
 *   const registry = yield* ContainerRegistry.ContainerRegistry
 *   const images = ["localhost:5000/app:1", "localhost:5000/worker:1"]
 *   return yield* Effect.forEach(images, (image) => registry.pushImage(image), { concurrency: "unbounded" })
 * })
 *
 * const live = SupervisedRegistry.layer({ uri: "localhost:5000", supervisor: { retries: 5 } }).pipe(
 *   Layer.provide(PushTransport.layerEngine),
 *   Layer.provide(DockerEngine.layerFromEnv)
 * )
 *
 * export const main = Effect.provide(program, live)
 */
export const layer = <RA = never, RP = never>(
  options: SupervisedRegistryOptions<RA, RP>
): Layer.Layer<
  ContainerRegistry.ContainerRegistry | PushSupervisor.PushSupervisor,
  InvalidRegistryUri,
  RA | RP | PushTransport
> =>
  Layer.scopedContext(
    Effect.flatMap(ContainerRegistry.make(options), (registry) => supervise(registry, options.supervisor))
  )

const supervise = Effect.fnUntraced(function* (
  registry: ContainerRegistry.ContainerRegistry,
  options: PushSupervisor.PushSupervisorOptions | undefined
) {
  const supervisor = yield* Effect.provideService(PushSupervisor.make(options), RegistryCatalog, catalogOf(registry))

  const pushImage = Effect.fn("SupervisedRegistry.pushImage")(function* (
    image: ImageReference.ImageReference | string,
    { emit, onExisting, platform, source }: ContainerRegistry.PushImageOptions = {}
  ) {
    const target = typeof image === "string" ? yield* ImageReference.parse(image) : image
    const handle = yield* Effect.orDie(supervisor.submit(PushRequest.make({ target, source, platform, onExisting })))
    if (emit !== undefined) {
      yield* Stream.runForEach(handle.events, (event) =>
        event._tag === "LayerProgress" || event._tag === "LayerPushed" || event._tag === "Reauthenticated"
          ? Effect.sync(() => emit(event))
          : Effect.void
      )
    }
    return yield* handle.await
  })

  return Context.make(ContainerRegistry.ContainerRegistry, { ...registry, pushImage }).pipe(
    Context.add(PushSupervisor.PushSupervisor, supervisor)
  )
})

/** Gives every image to the registry, which refuses those it does not own in its own words. */
const catalogOf = (registry: ContainerRegistry.ContainerRegistry): Context.Tag.Service<RegistryCatalog> => ({
  registries: new Map([["default", registry]]),
  get: (name) => (name === "default" ? Option.some(registry) : Option.none()),
  forImage: () => Effect.succeed(registry)
})
