/**
 * Everything a test of pushes needs, in one layer: registries, a supervisor, and its events; no engine and no network.
 *
 * @since 0.1.0
 */
import * as Context from "effect/Context"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Scope from "effect/Scope"
import * as TestClock from "effect/TestClock"
import type { RegistryHttp } from "../distribution/RegistryHttp.ts"
import type { DockerEngine } from "../engine/DockerEngine.ts"
import * as RegistryCatalog from "../registry/RegistryCatalog.ts"
import * as PushSupervisor from "../runtime/PushSupervisor.ts"
import * as PushTransport from "../transport/PushTransport.ts"
import { notEnded } from "./internal/difference.ts"
import { ExpectationFailed } from "./internal/eventHistory.ts"
import * as TestEngine from "./TestEngine.ts"
import * as TestEvents from "./TestEvents.ts"
import * as TestRegistry from "./TestRegistry.ts"
import * as TestTransport from "./TestTransport.ts"

/**
 * The end of the world, for tests of what a program does then. A test that ends stops what is in flight without it.
 *
 * @since 0.1.0
 * @category services
 */
export class TestWorld extends Context.Tag("gantry/TestWorld")<
  TestWorld,
  {
    /** Closes the supervisor's scope: pushes in flight have their `drainTimeout`, and are then stopped. */
    readonly shutdown: Effect.Effect<void>
  }
>() {}

/**
 * What a world has: its registries by name, and how their pushes are supervised.
 *
 * @since 0.1.0
 * @category models
 */
export interface TestWorldOptions<Registries extends RegistryCatalog.NamedRegistries> {
  readonly registries: Registries
  readonly supervisor?: PushSupervisor.PushSupervisorOptions | undefined
}

/**
 * The services of every world.
 *
 * @since 0.1.0
 * @category models
 */
export type Services =
  | TestWorld
  | TestEvents.TestEvents
  | TestRegistry.TestRegistry
  | PushSupervisor.PushSupervisor
  | RegistryCatalog.RegistryCatalog
  | PushTransport.PushTransport
  | RegistryHttp

const supervised = (options: PushSupervisor.PushSupervisorOptions | undefined) =>
  Layer.scopedContext(
    Effect.gen(function* () {
      const scope = yield* Effect.acquireRelease(Scope.make(), (scope) => Scope.close(scope, Exit.void))
      const supervisor = yield* Scope.extend(PushSupervisor.make(options), scope)
      const cancelAll = Effect.flatMap(supervisor.snapshot, ({ pushes }) =>
        Effect.forEach(pushes, ({ id }) => supervisor.cancel(id), { concurrency: "unbounded", discard: true })
      )
      // A test whose clock stands still would wait for a drain for ever.
      yield* Effect.addFinalizer(() => Effect.all([supervisor.drain, cancelAll], { concurrency: 2, discard: true }))
      return Context.make(PushSupervisor.PushSupervisor, supervisor).pipe(
        Context.add(TestWorld, { shutdown: Scope.close(scope, Exit.void) })
      )
    })
  )

const over = <Registries extends RegistryCatalog.NamedRegistries, A>(
  { registries, supervisor }: TestWorldOptions<Registries>,
  transport: Layer.Layer<A | PushTransport.PushTransport>
) => {
  // A malformed address in a test is a mistake of the test.
  const catalog = Layer.provideMerge(
    Layer.orDie(RegistryCatalog.layer(registries)),
    Layer.provideMerge(transport, TestRegistry.layer())
  )
  return Layer.provideMerge(Layer.provideMerge(TestEvents.layer, supervised(supervisor)), catalog)
}

/**
 * A world whose attempts are scripted: each goes through unless `push` says otherwise. What registries are asked besides
 * pushes, the one in memory answers. It needs what the registries' authentications need, as `TestConnector.layer`.
 *
 * @since 0.1.0
 * @category layers
 * @example
 * import { ImageReference, PushRequest, PushSupervisor } from "gantry"
 * import { TestEvents, TestWorld } from "gantry/testing"
 * import { Effect } from "effect"
 *
 * const release = (version: string) =>
 *   Effect.flatMap(PushSupervisor.PushSupervisor, (supervisor) =>
 *     supervisor.push(PushRequest.make({ target: ImageReference.unsafeParse(`registry.example.com/app:${version}`) }))
 *   )
 *
 * const world = TestWorld.layer({ registries: { prod: { uri: "registry.example.com" } } })
 *
 * // The body of an `it.effect` of @effect/vitest.
 * export const test = Effect.gen(function* () {
 *   yield* release("1.4.0")
 *   const events = yield* TestEvents.TestEvents
 *   yield* events.expectPushed("registry.example.com/app:1.4.0")
 * }).pipe(Effect.provide(world))
 */
export const layer = <const Registries extends RegistryCatalog.NamedRegistries>(
  options: TestWorldOptions<Registries> & TestTransport.TestTransportScript
): Layer.Layer<Services | TestTransport.TestTransport, never, RegistryCatalog.Requirements<Registries>> =>
  over(options, TestTransport.layer(options))

/**
 * A world whose engine is scripted and whose transport is gantry's own: what an engine says becomes the errors and events
 * that it becomes in production.
 *
 * @since 0.1.0
 * @category layers
 * @example
 * import { TestEngine, TestWorld } from "gantry/testing"
 *
 * const world = TestWorld.layerEngine({
 *   registries: { prod: { uri: "registry.example.com" } },
 *   images: [{ names: ["registry.example.com/app:1"] }],
 *   push: TestEngine.inOrder(TestEngine.rejected("toomanyrequests: slow down"), TestEngine.pushed())
 * })
 */
export const layerEngine = <const Registries extends RegistryCatalog.NamedRegistries>(
  options: TestWorldOptions<Registries> & TestEngine.TestEngineScript
): Layer.Layer<Services | TestEngine.TestEngine | DockerEngine, never, RegistryCatalog.Requirements<Registries>> =>
  over(options, Layer.provideMerge(PushTransport.layerEngine, TestEngine.layer(options)))

/**
 * Runs an effect while the TestClock moves on this far. That it has not ended by then is a defect, which has the events until
 * then.
 *
 * @since 0.1.0
 * @category operations
 * @example
 * import { PushSupervisor } from "gantry"
 * import { TestWorld } from "gantry/testing"
 * import { Effect } from "effect"
 *
 * const drained = Effect.flatMap(PushSupervisor.PushSupervisor, (supervisor) => supervisor.drain).pipe(
 *   TestWorld.within("1 hour")
 * )
 */
export const within =
  (duration: Duration.DurationInput) =>
  <A, E, R>(effect: Effect.Effect<A, E, R>): Effect.Effect<A, E, R | TestEvents.TestEvents> =>
    Effect.gen(function* () {
      const fiber = yield* Effect.fork(effect)
      yield* TestClock.adjust(duration)
      if (Option.isSome(yield* Fiber.poll(fiber))) return yield* Fiber.join(fiber)
      yield* Fiber.interruptFork(fiber)
      const events = yield* Effect.flatMap(TestEvents.TestEvents, ({ all }) => all)
      return yield* Effect.die(new ExpectationFailed({ message: notEnded(duration, events) }))
    })
