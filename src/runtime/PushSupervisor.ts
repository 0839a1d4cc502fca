/**
 * Many pushes as supervised fibers: queued per registry, joined, limited, retried, watched, and told about in events.
 *
 * @since 0.1.0
 */
import * as Config from "effect/Config"
import type { ConfigError } from "effect/ConfigError"
import * as Context from "effect/Context"
import * as Deferred from "effect/Deferred"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type * as Either from "effect/Either"
import * as FiberRef from "effect/FiberRef"
import * as FiberSet from "effect/FiberSet"
import * as Layer from "effect/Layer"
import * as Runtime from "effect/Runtime"
import * as Schema from "effect/Schema"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import type * as Tracer from "effect/Tracer"
import type { PushError, PushInterrupted } from "../push/PushError.ts"
import { isTerminal, type PushEvent, type PushId } from "../push/PushEvent.ts"
import type { PushedImage } from "../push/PushedImage.ts"
import type { PushRequest } from "../push/PushRequest.ts"
import { RegistryCatalog } from "../registry/RegistryCatalog.ts"
import * as Attempts from "./internal/attempts.ts"
import * as Dispatcher from "./internal/dispatcher.ts"
import * as PushMeter from "./internal/pushMeter.ts"
import * as PushSpan from "./internal/pushSpan.ts"
import type * as RegistryActor from "./internal/registryActor.ts"
import * as Roster from "./internal/roster.ts"
import * as StallWatchdog from "./internal/stallWatchdog.ts"
import type * as SupervisedPush from "./internal/supervisedPush.ts"
import * as ThrottleInquiry from "./internal/throttleInquiry.ts"

/**
 * The supervisor takes no new pushes: it is draining, or its scope has closed.
 *
 * @since 0.1.0
 * @category errors
 */
export class SupervisorClosed extends Schema.TaggedError<SupervisorClosed>("gantry/PushSupervisor/SupervisorClosed")(
  "SupervisorClosed",
  {}
) {
  get isRetryable(): boolean {
    return false
  }
  get advice(): string {
    return "Submit before `drain`, inside the supervisor's scope."
  }
  override get message(): string {
    return `The push supervisor takes no new pushes: it is draining, or its scope has closed. ${this.advice}`
  }
}

/**
 * A push that was submitted. All who submitted it while it was in flight share it.
 *
 * @since 0.1.0
 * @category models
 */
export interface PushHandle {
  readonly id: PushId
  /** What was asked for by the first who did. */
  readonly request: PushRequest
  /**
   * The result. Interrupting it stops nothing. A push that was stopped fails with `PushInterrupted`; one that crashed dies
   * with its defect.
   */
  readonly await: Effect.Effect<PushedImage, PushError | PushInterrupted>
  /** Stops the push for all who share it, and waits until it has ended. A push that has ended stays as it is. */
  readonly cancel: Effect.Effect<void>
  /** This push's events: `PushQueued` (and `PushStarted`) first, its terminal event last; that one alone if it has ended. */
  readonly events: Stream.Stream<PushEvent>
}

/**
 * Where one registry host stands, in numbers of pushes.
 *
 * @since 0.1.0
 * @category models
 */
export interface RegistryState extends RegistryActor.RegistryState {}

/**
 * One push in flight. `attempts` counts those that have begun.
 *
 * @since 0.1.0
 * @category models
 */
export interface PushState {
  readonly id: PushId
  readonly request: PushRequest
  readonly status: "queued" | "running"
  readonly attempts: number
}

/**
 * What is in flight, in the order of submission.
 *
 * @since 0.1.0
 * @category models
 */
export interface Snapshot {
  readonly pushes: ReadonlyArray<PushState>
  readonly registries: ReadonlyArray<RegistryState>
}

/**
 * The runtime of pushes.
 *
 * Two requests with the same source text, target, platform and `onExisting` are one push while it is in flight. Pushes to one target
 * run one after the other, in the order of submission. A push that waits for its next attempt keeps its place, so a
 * registry in trouble gets fewer requests and not more.
 *
 * A registry that asks for fewer requests is paused for all its pushes, and for no other's: what runs goes on, nothing
 * starts until the time that it named is up. Where it named none (an engine hides it) the pause is 5 s, then twice the
 * last one up to 2 minutes as long as nothing goes through, and ends when the registry, asked once for the manifest of the
 * throttled push, does not ask for another one. Then the pushes start one by one, at half the concurrency; each 8 that go
 * through raise it by one, up to where it was.
 *
 * @since 0.1.0
 * @category services
 */
export class PushSupervisor extends Context.Tag("gantry/PushSupervisor")<
  PushSupervisor,
  {
    /** Takes a push and returns at once. */
    readonly submit: (request: PushRequest) => Effect.Effect<PushHandle, SupervisorClosed>
    /** Takes all or none, in one step, and returns the handles in the order of the requests. */
    readonly submitAll: (requests: Iterable<PushRequest>) => Effect.Effect<ReadonlyArray<PushHandle>, SupervisorClosed>
    /** Submits and awaits. Interrupting it stops nothing. */
    readonly push: (request: PushRequest) => Effect.Effect<PushedImage, PushError | PushInterrupted | SupervisorClosed>
    /** Submits all and awaits all; results in the order of the requests. Dies, after the last has ended, if one crashed. */
    readonly pushAll: (
      requests: Iterable<PushRequest>
    ) => Effect.Effect<ReadonlyArray<Either.Either<PushedImage, PushError | PushInterrupted>>, SupervisorClosed>
    /**
     * All events from now on, kept until the scope closes; first, with the instants they had, `PushQueued` and `PushStarted`
     * of what is in flight, and `RegistryPaused` of what is paused. A subscriber that falls behind loses `LayerProgress` and nothing else. Ends after
     * `RuntimeDrained`.
     */
    readonly subscribe: Effect.Effect<Stream.Stream<PushEvent>, never, Scope.Scope>
    /** As `subscribe`, from the moment the stream is run: what happened before that is lost. */
    readonly events: Stream.Stream<PushEvent>
    readonly snapshot: Effect.Effect<Snapshot>
    /** The states of one registry host, from now until it is idle. */
    readonly registryStates: (registry: string) => Stream.Stream<RegistryState>
    /** Stops a push as its handle's `cancel` does. An id that is not in flight is left alone. */
    readonly cancel: (id: PushId) => Effect.Effect<void>
    /** Takes no new pushes and waits for those in flight; then the events end. Interrupting it leaves the supervisor closed. */
    readonly drain: Effect.Effect<void>
  }
>() {}

/**
 * How a supervisor works. Counts are whole numbers.
 *
 * @since 0.1.0
 * @category models
 */
export interface PushSupervisorOptions {
  /** Pushes that run at once for one registry host, at least 1. Default: 4. */
  readonly concurrency?: number | undefined
  /** Registry hosts with another limit than `concurrency`. */
  readonly registryConcurrency?: Readonly<Record<string, number>> | undefined
  /**
   * Pushes that run at once, at least 1. A registry holds at most this number less one for every other registry whose
   * pushes wait. Default: 16.
   */
  readonly maxInFlight?: number | undefined
  /**
   * Attempts after the first, when the failure's `isRetryable` says it is worth it; what an engine retries by itself is part
   * of one attempt. Pushes to one registry share 100 while nothing goes through: then their failures are final, and say so
   * in `PushFailed`. A push that goes through on its first attempt gives back a fifth of a retry, a later one a whole.
   * Default: 2.
   */
  readonly retries?: number | undefined
  /**
   * The longest wait before the first retry; it doubles with each, to a minute at most, and the wait is a random part of
   * it. While the registry is paused the pause stands in its place. Default: 1 second.
   */
  readonly retryDelay?: Duration.DurationInput | undefined
  /** An attempt in which no byte count grows and no layer ends for this long is given up. Default: 5 minutes. */
  readonly stallTimeout?: Duration.DurationInput | undefined
  /** How long a closing scope waits for pushes in flight before it stops them. Default: 30 seconds. */
  readonly drainTimeout?: Duration.DurationInput | undefined
  /** After the first failure start nothing new, let run what runs, and cancel the rest. Default: false. */
  readonly failFast?: boolean | undefined
}

/**
 * Makes a supervisor that lives in the scope.
 *
 * When the scope closes it refuses new pushes, waits `drainTimeout` for those in flight, stops the rest (`PushCancelled`
 * with reason `shutdown`), publishes `RuntimeDrained` and ends the streams. A limit below 1 is a defect.
 *
 * @since 0.1.0
 * @category constructors
 */
export const make = Effect.fn("PushSupervisor.make")(function* (options: PushSupervisorOptions = {}) {
  const settings = yield* resolve(options)
  const catalog = yield* RegistryCatalog
  const clock = yield* Effect.clock
  // Fibers inherit what the supervisor was made with, never what a submitter happens to carry.
  const fork = yield* FiberSet.makeRuntime()
  const runSync = Runtime.runSync(yield* Effect.runtime())

  const tracer = yield* PushSpan.make(clock)
  const roster = Roster.make({
    clock,
    meter: PushMeter.make(yield* FiberRef.get(FiberRef.currentMetricLabels)),
    tracer,
    onLeave: (event) => {
      if (settings.failFast && (event._tag === "PushFailed" || event._tag === "PushCrashed")) {
        dispatcher.halt("fail-fast")
      }
    },
    standing: () => dispatcher.pauses()
  })
  const watchdog = StallWatchdog.make(clock, settings.stallTimeout)
  fork(watchdog.run)
  const runAttempts = Attempts.make({ ...settings, catalog, clock, fork, publish: roster.publish, watchdog })
  const dispatcher = Dispatcher.make({
    ...settings,
    clock,
    fork,
    roster,
    runAttempts,
    runSync,
    ask: ThrottleInquiry.make(catalog)
  })

  const accept = (request: PushRequest, submitter: Tracer.AnySpan | undefined): PushHandle => {
    const joined = roster.find(request)
    if (joined !== undefined) {
      if (joined.span !== undefined && submitter !== undefined) tracer.join(joined.span, submitter)
      return handleOf(joined)
    }
    const push = roster.enter(request, submitter)
    dispatcher.submit(push)
    return handleOf(push)
  }

  const handleOf = (push: SupervisedPush.SupervisedPush): PushHandle => ({
    id: push.id,
    request: push.request,
    await: Deferred.await(push.result),
    cancel: cancel(push),
    events: Stream.unwrapScoped(roster.follow(push)).pipe(Stream.takeUntil(isTerminal))
  })

  const cancel = (push: SupervisedPush.SupervisedPush): Effect.Effect<void> =>
    Effect.suspend(() => {
      dispatcher.stop(push, "requested")
      return Effect.exit(Deferred.await(push.result))
    })

  const submit = (request: PushRequest): Effect.Effect<PushHandle, SupervisorClosed> =>
    Effect.withFiberRuntime(({ currentSpan }) =>
      roster.isClosed() ? new SupervisorClosed() : Effect.succeed(accept(request, currentSpan))
    )

  const submitAll = (requests: Iterable<PushRequest>): Effect.Effect<ReadonlyArray<PushHandle>, SupervisorClosed> =>
    Effect.withFiberRuntime(({ currentSpan }) =>
      roster.isClosed()
        ? new SupervisorClosed()
        : Effect.succeed(Array.from(requests, (request) => accept(request, currentSpan)))
    )

  const drain = Effect.suspend(() => {
    roster.close()
    return roster.drained
  })

  const stopAll = Effect.sync(() => {
    for (const push of roster.inFlight.values()) {
      dispatcher.stop(push, "shutdown")
    }
  })

  // A finalizer can not be interrupted; the wait must be, or its timeout never ends it.
  yield* Effect.addFinalizer(() =>
    drain.pipe(
      Effect.interruptible,
      Effect.timeoutOption(settings.drainTimeout),
      Effect.andThen(stopAll),
      Effect.andThen(roster.drained)
    )
  )

  const supervisor: Context.Tag.Service<PushSupervisor> = {
    submit: Effect.fn("PushSupervisor.submit")(submit),
    submitAll: Effect.fn("PushSupervisor.submitAll")(submitAll),
    push: Effect.fn("PushSupervisor.push")((request) => Effect.flatMap(submit(request), (handle) => handle.await)),
    pushAll: Effect.fn("PushSupervisor.pushAll")((requests) => Effect.flatMap(submitAll(requests), awaitAll)),
    subscribe: roster.subscribe,
    events: Stream.unwrapScoped(roster.subscribe),
    snapshot: Effect.suspend(() => {
      const pushes = Array.from(roster.inFlight.values(), stateOf)
      return Effect.map(dispatcher.registries, (registries) => ({ pushes, registries }))
    }),
    registryStates: dispatcher.registryStates,
    cancel: Effect.fn("PushSupervisor.cancel")((id) =>
      Effect.suspend(() => {
        const push = roster.inFlight.get(id)
        return push === undefined ? Effect.void : cancel(push)
      })
    ),
    drain: Effect.withSpan(drain, "PushSupervisor.drain")
  }
  return supervisor
})

const resolve = Effect.fnUntraced(function* (options: PushSupervisorOptions) {
  const settings = {
    concurrency: options.concurrency ?? 4,
    registryConcurrency: new Map(Object.entries(options.registryConcurrency ?? {})),
    maxInFlight: options.maxInFlight ?? 16,
    retries: options.retries ?? 2,
    retryDelay: Duration.decode(options.retryDelay ?? Duration.seconds(1)),
    stallTimeout: Duration.decode(options.stallTimeout ?? Duration.minutes(5)),
    drainTimeout: Duration.decode(options.drainTimeout ?? Duration.seconds(30)),
    failFast: options.failFast ?? false
  }
  const limits = Object.entries({
    concurrency: settings.concurrency,
    maxInFlight: settings.maxInFlight,
    ...options.registryConcurrency
  })
  for (const [name, limit] of limits) {
    if (!Number.isInteger(limit) || limit < 1) {
      return yield* Effect.dieMessage(
        `PushSupervisor: ${name} must be a whole number of at least 1, and ${limit} is not`
      )
    }
  }
  return settings
})

const stateOf = (push: SupervisedPush.SupervisedPush): PushState => ({
  id: push.id,
  request: push.request,
  status: push.state._tag === "Running" ? "running" : "queued",
  attempts: push.attempts
})

const awaitAll = (
  handles: ReadonlyArray<PushHandle>
): Effect.Effect<ReadonlyArray<Either.Either<PushedImage, PushError | PushInterrupted>>> =>
  // A crashed push must not keep the caller from waiting for the others.
  Effect.flatMap(
    Effect.forEach(handles, (handle) => Effect.exit(Effect.either(handle.await))),
    Effect.all
  )

/**
 * A supervisor as a layer: its pushes live as long as the layer does.
 *
 * @since 0.1.0
 * @category layers
 * @example
 * import { ContainerRegistry, DockerEngine, ImageReference, PushRequest, PushSupervisor, PushTransport, RegistryCatalog } from "gantry"
 * import { Effect, Layer } from "effect"
 *
 * const program = Effect.gen(function* () {
 *   const supervisor = yield* PushSupervisor.PushSupervisor
 *   const requests = ["localhost:5000/app:1", "localhost:5000/worker:1"].map((name) =>
 *     PushRequest.make({ target: ImageReference.unsafeParse(name) })
 *   )
 *   return yield* supervisor.pushAll(requests)
 * })
 *
 * const live = PushSupervisor.layer({ concurrency: 2 }).pipe(
 *   Layer.provide(RegistryCatalog.layerSingle),
 *   Layer.provide(ContainerRegistry.layer({ uri: "localhost:5000" })),
 *   Layer.provide(PushTransport.layerEngine),
 *   Layer.provide(DockerEngine.layerFromEnv)
 * )
 *
 * export const main = Effect.provide(program, live)
 */
export const layer = (options?: PushSupervisorOptions): Layer.Layer<PushSupervisor, never, RegistryCatalog> =>
  Layer.scoped(PushSupervisor, make(options))

/**
 * A supervisor whose options come from `Config`.
 *
 * @since 0.1.0
 * @category layers
 */
export const layerConfig = (
  options: Config.Config.Wrap<PushSupervisorOptions>
): Layer.Layer<PushSupervisor, ConfigError, RegistryCatalog> =>
  Layer.scoped(PushSupervisor, Effect.flatMap(Config.unwrap(options), make))
