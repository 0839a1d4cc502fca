/**
 * What happened to a test's pushes: every event in order, and expectations whose failures show what came instead.
 *
 * @since 0.1.0
 */
import * as Context from "effect/Context"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as FiberStatus from "effect/FiberStatus"
import * as Layer from "effect/Layer"
import * as Stream from "effect/Stream"
import type { ErrorReport, PushError, PushInterrupted } from "../push/PushError.ts"
import type { PushEvent, TerminalEvent } from "../push/PushEvent.ts"
import type { PushedImage } from "../push/PushedImage.ts"
import type { Digest } from "../reference/Digest.ts"
import type { ImageReference } from "../reference/ImageReference.ts"
import { PushSupervisor } from "../runtime/PushSupervisor.ts"
import * as Difference from "./internal/difference.ts"
import { canonicalName, EventHistory, ExpectationFailed } from "./internal/eventHistory.ts"

/**
 * An event by its tag, or by its tag and what it is about: `PushStarted`, `PushStarted registry.example.com/app:1`,
 * `RegistryPaused registry.example.com`. Every event of a push is about its target, `Reauthenticated` too.
 *
 * @since 0.1.0
 * @category models
 */
export type EventPattern = PushEvent["_tag"] | `${PushEvent["_tag"]} ${string}`

/**
 * The event that a pattern is for.
 *
 * @since 0.1.0
 * @category models
 */
export type EventOf<Pattern extends EventPattern> = Extract<
  PushEvent,
  { readonly _tag: Pattern extends `${infer Tag} ${string}` ? Tag : Pattern }
>

/**
 * What a good push is expected to have left.
 *
 * @since 0.1.0
 * @category models
 */
export interface ExpectedImage extends Partial<Pick<PushedImage, "status" | "attempts" | "transport">> {
  readonly digest?: Digest | string | undefined
}

/**
 * The events of a supervisor, and expectations about them.
 *
 * An expectation that is not met is a defect, so it fails the test and nothing in between catches it; its message has what
 * was expected, what came, and the events with their times since the first. None of them waits or moves a clock: they look
 * at what was published until now. An image is named as in an event, or in any other spelling of it.
 *
 * @since 0.1.0
 * @category services
 */
export class TestEvents extends Context.Tag("gantry/TestEvents")<
  TestEvents,
  {
    /** Everything so far, in order. */
    readonly all: Effect.Effect<ReadonlyArray<PushEvent>>
    /** Everything so far of all pushes to one image, in order. */
    readonly of: (image: ImageReference | string) => Effect.Effect<ReadonlyArray<PushEvent>>
    /**
     * The first event that fits: at once when it has come, else as soon as it does. Not met when the supervisor ends without
     * it.
     */
    readonly waitFor: <const Pattern extends EventPattern>(pattern: Pattern) => Effect.Effect<EventOf<Pattern>>
    /** The last push to the image went through, and left what is given here. */
    readonly expectPushed: (image: ImageReference | string, expected?: ExpectedImage) => Effect.Effect<PushedImage>
    /** The last push to the image failed with this error. */
    readonly expectFailed: (image: ImageReference | string, tag: PushError["_tag"]) => Effect.Effect<ErrorReport>
    /** The last push to the image was stopped. */
    readonly expectCancelled: (image: ImageReference | string, reason: PushInterrupted["reason"]) => Effect.Effect<void>
    /** These events came in this order; others may have come in between. */
    readonly expectOrder: (...patterns: ReadonlyArray<EventPattern>) => Effect.Effect<void>
  }
>() {}

const make = Effect.gen(function* () {
  const history = new EventHistory()
  const waiters = new Set<(event: PushEvent) => void>()
  const supervisor = yield* PushSupervisor

  const add = (event: PushEvent): void => {
    history.add(event)
    for (const wake of waiters) wake(event)
  }
  const reader = yield* Effect.forkScoped(
    Stream.runForEachChunk(yield* supervisor.subscribe, (events) => Effect.sync(() => Array.from(events).forEach(add)))
  )
  // A reader that was woken reads before its status is known to who asked for it.
  const read = Effect.repeat(Fiber.status(reader), { until: (status) => !FiberStatus.isRunning(status) })

  const unmet = (message: string) => Effect.die(new ExpectationFailed({ message }))

  const waitFor = Effect.fn("TestEvents.waitFor")(function* <const Pattern extends EventPattern>(pattern: Pattern) {
    yield* read
    const fits = history.matches(pattern)
    const found = yield* Deferred.make<EventOf<Pattern>>()
    const wake = (event: PushEvent): void => {
      if (fits(event)) Deferred.unsafeDone(found, Exit.succeed(event))
      else if (event._tag === "RuntimeDrained") {
        Deferred.unsafeDone(found, unmet(Difference.ofOrder(history, [pattern], 0)))
      }
    }
    history.events.forEach(wake)
    waiters.add(wake)
    return yield* Effect.ensuring(
      Deferred.await(found),
      Effect.sync(() => waiters.delete(wake))
    )
  })

  const lastEnd = Effect.fnUntraced(function* <Tag extends TerminalEvent["_tag"]>(
    image: ImageReference | string,
    tag: Tag,
    expected: string,
    differs: (event: Extract<TerminalEvent, { readonly _tag: Tag }>) => string
  ) {
    yield* read
    const target = canonicalName(image)
    const came = Difference.lastEnd(history, target)
    const isExpected = (end: typeof came): end is Extract<TerminalEvent, { readonly _tag: Tag }> =>
      typeof end !== "string" && end._tag === tag
    if (!isExpected(came)) return yield* unmet(Difference.ofTarget(history, { target, expected, came }))
    const difference = differs(came)
    return difference === "" ? came : yield* unmet(Difference.ofTarget(history, { target, expected, came: difference }))
  })

  return TestEvents.of({
    all: Effect.map(read, () => [...history.events]),
    of: (image) => Effect.map(read, () => history.ofTarget(canonicalName(image))),
    waitFor,
    expectPushed: Effect.fn("TestEvents.expectPushed")(function* (image, expected = {}) {
      const { image: pushed } = yield* lastEnd(image, "PushCompleted", "to be pushed", (event) =>
        Difference.ofFields(expected, event.image)
      )
      return pushed
    }),
    expectFailed: Effect.fn("TestEvents.expectFailed")(function* (image, tag) {
      const { error } = yield* lastEnd(image, "PushFailed", `to fail with ${tag}`, (event) =>
        event.error._tag === tag ? "" : Difference.endOf(event)
      )
      return error
    }),
    expectCancelled: Effect.fn("TestEvents.expectCancelled")(function* (image, reason) {
      yield* lastEnd(image, "PushCancelled", `to be cancelled (${reason})`, (event) =>
        event.reason === reason ? "" : Difference.endOf(event)
      )
    }),
    expectOrder: Effect.fn("TestEvents.expectOrder")(function* (...patterns) {
      yield* read
      const met = history.events.reduce((count, event) => {
        const next = patterns[count]
        return next !== undefined && history.matches(next)(event) ? count + 1 : count
      }, 0)
      if (met < patterns.length) yield* unmet(Difference.ofOrder(history, patterns, met))
    })
  })
})

/**
 * The events of the application's supervisor. `TestWorld` has it built in; build it before anything is pushed.
 *
 * @since 0.1.0
 * @category layers
 * @example
 * import { ContainerRegistry, SupervisedRegistry } from "gantry"
 * import { TestEvents, TestTransport } from "gantry/testing"
 * import { Effect, Layer } from "effect"
 *
 * const program = Effect.gen(function* () {
 *   const registry = yield* ContainerRegistry.ContainerRegistry
 *   const events = yield* TestEvents.TestEvents
 *   yield* registry.pushImage("registry.example.com/app:1")
 *   yield* events.expectPushed("registry.example.com/app:1", { attempts: 1 })
 * })
 *
 * export const test = program.pipe(
 *   Effect.provide(
 *     TestEvents.layer.pipe(
 *       Layer.provideMerge(SupervisedRegistry.layer({ uri: "registry.example.com" })),
 *       Layer.provide(TestTransport.layer())
 *     )
 *   )
 * )
 */
export const layer: Layer.Layer<TestEvents, never, PushSupervisor> = Layer.scoped(TestEvents, make)
