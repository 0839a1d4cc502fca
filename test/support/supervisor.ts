/** A supervisor over registries of scripted pushes. */
import * as Chunk from "effect/Chunk"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import * as Source from "../../src/image/ImageSource.ts"
import type { PushEvent } from "../../src/push/PushEvent.ts"
import * as PushRequest from "../../src/push/PushRequest.ts"
import * as ImageReference from "../../src/reference/ImageReference.ts"
import type { InvalidRegistryUri } from "../../src/reference/RegistryUri.ts"
import * as RegistryCatalog from "../../src/registry/RegistryCatalog.ts"
import * as PushSupervisor from "../../src/runtime/PushSupervisor.ts"
import * as TestRegistry from "../../src/testing/TestRegistry.ts"
import * as TestTransport from "../../src/testing/TestTransport.ts"

/** A push of `target`, from the engine's image `source` or the one of the same name. */
export const request = (target: string, source: string = target): PushRequest.PushRequest =>
  PushRequest.make({
    target: ImageReference.unsafeParse(target),
    source: Source.docker(ImageReference.unsafeParse(source))
  })

/** `count` pushes to one host, to a target each. */
export const requests = (host: string, count: number): ReadonlyArray<PushRequest.PushRequest> =>
  Array.from({ length: count }, (_, index) => request(`${host}/app-${index}:1`))

/**
 * Registries for `a.example.com`, `b.example.com` and `c.example.com`, and a supervisor over them. Only the pushes are
 * scripted: what else the registries are asked, the one in memory answers.
 */
export const supervised = (
  push: TestTransport.TestTransportScript["push"],
  options?: PushSupervisor.PushSupervisorOptions
): Layer.Layer<
  PushSupervisor.PushSupervisor | TestTransport.TestTransport | TestRegistry.TestRegistry,
  InvalidRegistryUri
> =>
  PushSupervisor.layer(options).pipe(
    Layer.provide(
      RegistryCatalog.layer({
        a: { uri: "a.example.com" },
        b: { uri: "b.example.com" },
        c: { uri: "c.example.com" }
      })
    ),
    Layer.provideMerge(Layer.merge(TestTransport.layer({ push }), TestRegistry.layer()))
  )

/** Everything a stream gives, as soon as it ends. */
export const collected = <A>(
  stream: Stream.Stream<A>
): Effect.Effect<Effect.Effect<ReadonlyArray<A>>, never, Scope.Scope> =>
  Effect.map(Effect.forkScoped(Stream.runCollect(stream)), (fiber) =>
    Effect.map(Fiber.join(fiber), Chunk.toReadonlyArray)
  )

/** Every event from now on, as soon as the supervisor has drained. */
export const recordedEvents: Effect.Effect<
  Effect.Effect<ReadonlyArray<PushEvent>>,
  never,
  PushSupervisor.PushSupervisor | Scope.Scope
> = Effect.flatMap(PushSupervisor.PushSupervisor, (supervisor) => Effect.flatMap(supervisor.subscribe, collected))

/** Each event's tag, with its instant in milliseconds. */
export const timeline = (events: ReadonlyArray<PushEvent>): ReadonlyArray<string> =>
  events.map((event) => `${event.at.epochMillis} ${event._tag}`)

export const tags = (events: ReadonlyArray<PushEvent>): ReadonlyArray<string> => events.map((event) => event._tag)
