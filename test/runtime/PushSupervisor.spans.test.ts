import { assert, describe, it } from "@effect/vitest"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as TestClock from "effect/TestClock"
import type * as Tracer from "effect/Tracer"
import { RegistryUnavailable } from "../../src/distribution/RegistryError.ts"
import { ImageNotFound } from "../../src/push/PushError.ts"
import * as ContainerRegistry from "../../src/registry/ContainerRegistry.ts"
import * as RegistryCatalog from "../../src/registry/RegistryCatalog.ts"
import * as PushSupervisor from "../../src/runtime/PushSupervisor.ts"
import * as TestTransport from "../../src/testing/TestTransport.ts"
import * as RecordingTracer from "../support/recordingTracer.ts"
import { request, supervised } from "../support/supervisor.ts"

const app = request("a.example.com/team/app:1")

const unavailable = new RegistryUnavailable({ registry: "a.example.com", text: "", reason: "status" })

/** Runs with every span recorded, and gives them. */
const recorded =
  (layer: ReturnType<typeof supervised>) =>
  <A, E>(use: Effect.Effect<A, E, PushSupervisor.PushSupervisor | TestTransport.TestTransport>) => {
    const spans: Array<RecordingTracer.RecordedSpan> = []
    return use.pipe(Effect.provide(layer), Effect.withTracer(RecordingTracer.make(spans)), Effect.as(spans))
  }

const named = (spans: ReadonlyArray<RecordingTracer.RecordedSpan>, name: string) =>
  spans.filter((span) => span.name === name)

const nameOf = (span: Tracer.AnySpan): string => (span._tag === "Span" ? span.name : "outside")

/** A span's name behind those of all that it is part of. */
const path = (span: Tracer.AnySpan): string =>
  span._tag === "Span" && Option.isSome(span.parent) ? `${path(span.parent.value)} > ${span.name}` : nameOf(span)

const push = Effect.flatMap(PushSupervisor.PushSupervisor, (supervisor) => supervisor.push(app))

describe("the span of a push", () => {
  it.effect("has a child for each attempt, and those one for each phase", () =>
    Effect.gen(function* () {
      const spans = yield* recorded(
        supervised(({ attempt }) => (attempt === 1 ? unavailable : Effect.succeed(TestTransport.result())))
      )(Effect.zipRight(Effect.fork(push), TestClock.adjust("1 minute")))
      const [root, ...others] = named(spans, "PushSupervisor.supervise")
      assert.isDefined(root)
      assert.deepStrictEqual(others, [])
      const supervise = "PushSupervisor.push > PushSupervisor.supervise"
      assert.strictEqual(path(root), supervise)
      assert.deepStrictEqual(
        spans.filter((span) => path(span).startsWith(`${supervise} > `)).map(path),
        [1, 2].flatMap((attempt) => [
          `${supervise} > PushSupervisor.attempt`,
          `${supervise} > PushSupervisor.attempt > ContainerRegistry.pushImage`,
          `${supervise} > PushSupervisor.attempt > ContainerRegistry.pushImage > Lease.borrow`,
          ...(attempt === 1
            ? [`${supervise} > PushSupervisor.attempt > ContainerRegistry.pushImage > Lease.borrow > Lease.issue`]
            : []),
          `${supervise} > PushSupervisor.attempt > ContainerRegistry.pushImage > ContainerRegistry.prepareImagePush`
        ])
      )
      assert.deepStrictEqual(
        named(spans, "PushSupervisor.attempt").map(({ attributes }) => attributes.get("gantry.push.attempt")),
        [1, 2]
      )
      assert.isTrue(spans.every(({ exit, name }) => exit !== undefined || name === "PushSupervisor.make"))
    })
  )

  it.effect("says what was asked for, what happened and what became of it", () =>
    Effect.gen(function* () {
      const spans = yield* recorded(
        supervised(({ attempt }) => (attempt === 1 ? unavailable : Effect.succeed(TestTransport.result())))
      )(Effect.zipRight(Effect.fork(push), TestClock.adjust("1 minute")))
      const [root] = named(spans, "PushSupervisor.supervise")
      assert.deepStrictEqual(Object.fromEntries(root?.attributes ?? []), {
        "gantry.push.id": "push-1",
        "gantry.registry": "a.example.com",
        "gantry.image.repository": "team/app",
        "gantry.image.tag": "1",
        "gantry.image.source": "docker://a.example.com/team/app:1",
        "gantry.push.attempts": 2,
        "gantry.push.outcome": "pushed",
        "gantry.image.digest": `sha256:${"0".repeat(64)}`
      })
      assert.deepStrictEqual(
        root?.events.map(({ attributes, name }) => [name, attributes?.["error.type"]]),
        [
          ["PushStarted", undefined],
          ["PushRetrying", "RegistryUnavailable"]
        ]
      )
      assert.deepStrictEqual(root?.exit, Exit.void)
    })
  )

  it.effect("ends with words when the push fails, and never with an error", () =>
    Effect.gen(function* () {
      const missing = new ImageNotFound({ image: "app:1", where: "the engine" })
      const spans = yield* recorded(supervised(() => missing))(Effect.exit(push))
      const [root] = named(spans, "PushSupervisor.supervise")
      assert.strictEqual(root?.attributes.get("error.type"), "ImageNotFound")
      assert.strictEqual(root?.attributes.get("gantry.push.outcome"), "failed")
      assert.deepStrictEqual(root?.exit, Exit.fail(missing.message))
    })
  )

  it.effect("ends when the push crashes, without what the defect carries", () =>
    Effect.gen(function* () {
      const spans = yield* recorded(supervised(() => Effect.die({ headers: { authorization: "hunter2" } })))(
        Effect.exit(push)
      )
      const [root] = named(spans, "PushSupervisor.supervise")
      assert.strictEqual(root?.attributes.get("gantry.push.outcome"), "crashed")
      assert.isTrue(Exit.isFailure(root?.exit ?? Exit.void))
      assert.notInclude(JSON.stringify(root?.exit), "hunter2")
    })
  )

  it.effect("ends as interrupted when the push is stopped, running or queued", () =>
    Effect.gen(function* () {
      const spans = yield* recorded(supervised(() => Effect.never, { concurrency: 1 }))(
        Effect.gen(function* () {
          const supervisor = yield* PushSupervisor.PushSupervisor
          const handles = yield* supervisor.submitAll([app, request("a.example.com/team/other:1")])
          yield* TestClock.adjust("1 second")
          yield* Effect.forEach(handles, ({ cancel }) => cancel)
        })
      )
      const roots = named(spans, "PushSupervisor.supervise")
      assert.deepStrictEqual(
        roots.map(({ attributes }) => [attributes.get("gantry.push.outcome"), attributes.get("gantry.push.attempts")]),
        [
          ["cancelled", 1],
          ["cancelled", 0]
        ]
      )
      for (const { exit } of roots) {
        assert.isTrue(exit !== undefined && Exit.isFailure(exit) && Cause.isInterruptedOnly(exit.cause))
      }
      assert.isTrue(named(spans, "PushSupervisor.attempt").every(({ exit }) => exit !== undefined))
    })
  )

  it.effect("is part of what submitted the push first, and linked to what joined it", () =>
    Effect.gen(function* () {
      const spans = yield* recorded(supervised(() => Effect.delay(Effect.succeed(TestTransport.result()), "1 second")))(
        Effect.gen(function* () {
          const first = yield* Effect.fork(Effect.withSpan(push, "first"))
          yield* TestClock.adjust("500 millis")
          const second = yield* Effect.fork(Effect.withSpan(push, "second"))
          yield* TestClock.adjust("500 millis")
          yield* Fiber.joinAll([first, second])
        })
      )
      const [root, ...others] = named(spans, "PushSupervisor.supervise")
      assert.isDefined(root)
      assert.deepStrictEqual(others, [])
      assert.strictEqual(path(root), "first > PushSupervisor.push > PushSupervisor.supervise")
      assert.deepStrictEqual(
        root.links.map(({ span }) => path(span)),
        ["second > PushSupervisor.push"]
      )
    })
  )

  it.effect("holds what a user's hook does, whatever span the registry was made in", () =>
    Effect.gen(function* () {
      const spans: Array<RecordingTracer.RecordedSpan> = []
      const layer = PushSupervisor.layer().pipe(
        Layer.provide(RegistryCatalog.layerSingle),
        Layer.provide(
          ContainerRegistry.layer({
            uri: "a.example.com",
            prepareImagePush: () => Effect.withSpan(Effect.void, "hook")
          })
        ),
        Layer.provide(TestTransport.layer())
      )
      yield* push.pipe(Effect.provide(layer), Effect.withTracer(RecordingTracer.make(spans)))
      const [hook] = named(spans, "hook")
      assert.isDefined(hook)
      assert.match(
        path(hook),
        /PushSupervisor\.attempt > ContainerRegistry\.pushImage > ContainerRegistry\.prepareImagePush > hook$/
      )
    })
  )

  it.effect("is not made where tracing is off", () =>
    Effect.gen(function* () {
      const spans = yield* recorded(supervised(() => Effect.succeed(TestTransport.result())))(push).pipe(
        Effect.withTracerEnabled(false)
      )
      assert.deepStrictEqual(spans, [])
    })
  )
})
