import { assert, describe, it } from "@effect/vitest"
import * as Cause from "effect/Cause"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as HashMap from "effect/HashMap"
import * as Option from "effect/Option"
import * as TestClock from "effect/TestClock"
import { ImageNotFound, PushInterrupted } from "../../src/push/PushError.ts"
import * as PushRequest from "../../src/push/PushRequest.ts"
import { PushSupervisor, SupervisorClosed } from "../../src/runtime/PushSupervisor.ts"
import * as TestTransport from "../../src/testing/TestTransport.ts"
import { collected, recordedEvents, request, requests, supervised } from "../support/supervisor.ts"

const missing = (image: string) => new ImageNotFound({ image, where: "the engine" })

const afterOneSecond = () => Effect.delay(Effect.succeed(TestTransport.result()), "1 second")

describe("PushSupervisor", () => {
  describe("submit", () => {
    it.scoped("returns before anything is pushed", () =>
      Effect.gen(function* () {
        const supervisor = yield* PushSupervisor
        const transport = yield* TestTransport.TestTransport
        const handle = yield* supervisor.submit(request("a.example.com/app:1"))
        assert.deepStrictEqual(yield* transport.calls, [])
        assert.strictEqual(handle.request.target.repository, "app")
        yield* handle.await
        assert.strictEqual((yield* transport.calls).length, 1)
      }).pipe(Effect.provide(supervised(undefined)))
    )

    it.scoped("gives the source and the platform to the registry's pushImage", () =>
      Effect.gen(function* () {
        const supervisor = yield* PushSupervisor
        const transport = yield* TestTransport.TestTransport
        yield* supervisor.push(request("a.example.com/app:1", "local:2"))
        const [call] = yield* transport.calls
        assert.strictEqual(String(call?.source), "docker://docker.io/library/local:2")
        assert.strictEqual(String(call?.target), "a.example.com/app:1")
      }).pipe(Effect.provide(supervised(undefined)))
    )

    it.scoped("is refused after a drain, for one and for many", () =>
      Effect.gen(function* () {
        const supervisor = yield* PushSupervisor
        const transport = yield* TestTransport.TestTransport
        yield* supervisor.drain
        const one = yield* Effect.flip(supervisor.submit(request("a.example.com/app:1")))
        const many = yield* Effect.flip(supervisor.pushAll(requests("a.example.com", 3)))
        assert.instanceOf(one, SupervisorClosed)
        assert.instanceOf(many, SupervisorClosed)
        yield* TestClock.adjust("1 minute")
        assert.deepStrictEqual(yield* transport.calls, [])
      }).pipe(Effect.provide(supervised(undefined)))
    )

    it.effect("a limit below one is a defect that names it", () =>
      Effect.gen(function* () {
        const exit = yield* Effect.exit(Effect.provide(PushSupervisor, supervised(undefined, { maxInFlight: 0 })))
        assert.isTrue(Exit.isFailure(exit) && Cause.isDie(exit.cause))
        assert.include(Exit.isFailure(exit) ? Cause.pretty(exit.cause) : "", "maxInFlight")
      })
    )
  })

  describe("results", () => {
    it.scoped("pushAll gives them in the order of the requests, whatever ends first", () =>
      Effect.gen(function* () {
        const supervisor = yield* PushSupervisor
        const all = yield* Effect.fork(supervisor.pushAll(requests("a.example.com", 3)))
        yield* TestClock.adjust("3 seconds")
        const results = yield* Fiber.join(all)
        assert.deepStrictEqual(
          results.map(Either.match({ onLeft: (error) => error._tag, onRight: (image) => String(image.reference) })),
          ["a.example.com/app-0:1", "ImageNotFound", "a.example.com/app-2:1"]
        )
      }).pipe(
        Effect.provide(
          supervised((call) => {
            const index = Number(call.target.repository.split("-")[1])
            return Effect.delay(
              index === 1 ? missing("app-1") : Effect.succeed(TestTransport.result()),
              Duration.seconds(3 - index)
            )
          })
        )
      )
    )

    it.scoped("a target that no registry owns fails that push alone", () =>
      Effect.gen(function* () {
        const supervisor = yield* PushSupervisor
        const [lost, found] = yield* supervisor.pushAll([
          request("elsewhere.example.com/app:1"),
          request("a.example.com/app:1")
        ])
        assert.strictEqual(lost && Either.isLeft(lost) ? lost.left._tag : "", "NoMatchingRegistry")
        assert.isTrue(found !== undefined && Either.isRight(found))
      }).pipe(Effect.provide(supervised(undefined)))
    )

    it.scoped("a defect is the crash of its push: who awaits it dies, the others and the supervisor live", () =>
      Effect.gen(function* () {
        const supervisor = yield* PushSupervisor
        const events = yield* recordedEvents
        const [crashing, sound] = yield* supervisor.submitAll(requests("a.example.com", 2))
        const exit = yield* Effect.exit(crashing?.await ?? Effect.void)
        assert.isTrue(Exit.isFailure(exit) && Cause.isDie(exit.cause))
        yield* TestClock.adjust("1 second")
        yield* sound?.await ?? Effect.void
        yield* supervisor.drain
        const crash = (yield* events).find((event) => event._tag === "PushCrashed")
        assert.strictEqual(crash?.attempts, 1)
        assert.include(crash?.defect, "a fault in a hook")
        assert.notInclude(crash?.defect, "hunter2")
      }).pipe(
        Effect.provide(
          supervised((call) =>
            call.target.repository === "app-0"
              ? Effect.die(Object.assign(new Error("a fault in a hook"), { password: "hunter2" }))
              : afterOneSecond()
          )
        )
      )
    )

    it.scoped("pushAll waits for all the others before it dies of a crash", () =>
      Effect.gen(function* () {
        const supervisor = yield* PushSupervisor
        const transport = yield* TestTransport.TestTransport
        const all = yield* Effect.fork(Effect.exit(supervisor.pushAll(requests("a.example.com", 3))))
        yield* TestClock.adjust("999 millis")
        assert.isTrue(Option.isNone(yield* Fiber.poll(all)))
        yield* TestClock.adjust("1 millis")
        const exit = yield* Fiber.join(all)
        assert.isTrue(Exit.isFailure(exit) && Cause.isDie(exit.cause))
        assert.strictEqual(yield* transport.pushesInFlight, 0)
      }).pipe(
        Effect.provide(
          supervised((call) => (call.target.repository === "app-0" ? Effect.die("a fault") : afterOneSecond()))
        )
      )
    )

    it.scoped("an attempt that interrupts itself is a crash and interrupts nobody who awaits it", () =>
      Effect.gen(function* () {
        const supervisor = yield* PushSupervisor
        const exit = yield* Effect.exit(supervisor.push(request("a.example.com/app:1")))
        assert.isTrue(Exit.isFailure(exit) && Cause.isDie(exit.cause))
        assert.isFalse(Exit.isInterrupted(exit))
      }).pipe(Effect.provide(supervised(() => Effect.interrupt)))
    )
  })

  describe("joining", () => {
    it.scoped("equal requests in flight are one push, and everyone gets its result", () =>
      Effect.gen(function* () {
        const supervisor = yield* PushSupervisor
        const transport = yield* TestTransport.TestTransport
        const first = yield* supervisor.submit(request("a.example.com/app"))
        const second = yield* supervisor.submit(request("a.example.com/app:latest", "a.example.com/app"))
        assert.strictEqual(first.id, second.id)
        yield* TestClock.adjust("1 second")
        assert.deepStrictEqual(yield* first.await, yield* second.await)
        assert.strictEqual((yield* transport.calls).length, 1)
        const third = yield* supervisor.submit(request("a.example.com/app"))
        assert.notStrictEqual(third.id, first.id)
        yield* third.cancel
      }).pipe(Effect.provide(supervised(afterOneSecond)))
    )

    it.scoped("requests for other platforms of one image are pushes of their own", () =>
      Effect.gen(function* () {
        const supervisor = yield* PushSupervisor
        const app = request("a.example.com/app:1")
        const platforms = [undefined, "linux/amd64", "linux/arm64", "linux/arm64"]
        const handles = yield* supervisor.submitAll(platforms.map((platform) => PushRequest.make({ ...app, platform })))
        const [any, amd, arm, again] = handles.map(({ id }) => id)
        assert.strictEqual(new Set([any, amd, arm]).size, 3)
        assert.strictEqual(again, arm)
      }).pipe(Effect.provide(supervised(() => Effect.never, { drainTimeout: 0 })))
    )

    it.scoped("interrupting one who waits stops nothing", () =>
      Effect.gen(function* () {
        const supervisor = yield* PushSupervisor
        const waiting = yield* Effect.fork(supervisor.push(request("a.example.com/app:1")))
        yield* Effect.yieldNow()
        const joined = yield* supervisor.submit(request("a.example.com/app:1"))
        const other = yield* Effect.fork(joined.await)
        yield* TestClock.adjust("500 millis")
        yield* Fiber.interrupt(waiting)
        yield* Fiber.interrupt(other)
        yield* TestClock.adjust("500 millis")
        assert.strictEqual((yield* joined.await).status, "pushed")
      }).pipe(Effect.provide(supervised(afterOneSecond)))
    )

    it.scoped("the pushes inherit nothing from who submits them", () =>
      Effect.gen(function* () {
        const supervisor = yield* PushSupervisor
        const first = yield* Effect.flatMap(supervisor.submit(request("a.example.com/app:1")), (it) => it.await).pipe(
          Effect.fork,
          Effect.annotateLogs("submitter", "one")
        )
        yield* Fiber.join(first)
      }).pipe(
        Effect.provide(
          supervised(() =>
            Effect.flatMap(Effect.logAnnotations, (annotations) => {
              assert.isFalse(HashMap.has(annotations, "submitter"))
              return Effect.succeed(TestTransport.result())
            })
          )
        )
      )
    )

    it.scoped("different sources for one target run one after the other, in the order of submission", () =>
      Effect.gen(function* () {
        const supervisor = yield* PushSupervisor
        const transport = yield* TestTransport.TestTransport
        const sources = ["one:1", "two:1", "three:1"]
        const all = yield* Effect.fork(
          supervisor.pushAll(sources.map((source) => request("a.example.com/app:1", source)))
        )
        yield* TestClock.adjust("1500 millis")
        assert.strictEqual(yield* transport.pushesInFlight, 1)
        yield* TestClock.adjust("1500 millis")
        yield* Fiber.join(all)
        assert.deepStrictEqual(
          (yield* transport.calls).map((call) => String(call.source)),
          sources.map((source) => `docker://docker.io/library/${source}`)
        )
      }).pipe(Effect.provide(supervised(afterOneSecond)))
    )
  })

  describe("cancel", () => {
    it.scoped("stops the push for all who share it, and interrupts none of them", () =>
      Effect.gen(function* () {
        const supervisor = yield* PushSupervisor
        const transport = yield* TestTransport.TestTransport
        const events = yield* recordedEvents
        const first = yield* supervisor.submit(request("a.example.com/app:1"))
        const second = yield* supervisor.submit(request("a.example.com/app:1"))
        const waiting = yield* Effect.fork(Effect.flip(first.await))
        yield* TestClock.adjust("2 seconds")
        yield* supervisor.cancel(second.id)
        assert.deepStrictEqual(
          yield* Fiber.join(waiting),
          new PushInterrupted({ image: "a.example.com/app:1", reason: "requested" })
        )
        assert.strictEqual((yield* Effect.flip(second.await))._tag, "PushInterrupted")
        assert.strictEqual(yield* transport.pushesInFlight, 0)
        yield* supervisor.drain
        const cancelled = (yield* events).find((event) => event._tag === "PushCancelled")
        assert.deepStrictEqual([cancelled?.attempts, Duration.toMillis(cancelled?.duration ?? 0)], [1, 2000])
      }).pipe(Effect.provide(supervised(() => Effect.never)))
    )

    it.scoped("a queued push that is cancelled never starts, and what waits behind it does", () =>
      Effect.gen(function* () {
        const supervisor = yield* PushSupervisor
        const transport = yield* TestTransport.TestTransport
        const running = yield* supervisor.submit(request("a.example.com/busy:1"))
        const queued = yield* supervisor.submit(request("a.example.com/app:1", "one:1"))
        const behind = yield* supervisor.submit(request("a.example.com/app:1", "two:1"))
        yield* queued.cancel
        assert.strictEqual((yield* Effect.flip(queued.await))._tag, "PushInterrupted")
        yield* TestClock.adjust("2 seconds")
        yield* running.await
        yield* behind.await
        assert.deepStrictEqual(
          (yield* transport.calls).map((call) => String(call.source)),
          ["docker://a.example.com/busy:1", "docker://docker.io/library/two:1"]
        )
      }).pipe(Effect.provide(supervised(afterOneSecond, { concurrency: 1 })))
    )

    it.scoped("an equal request submitted while a cancelled push is still stopping is a push of its own", () =>
      Effect.gen(function* () {
        const supervisor = yield* PushSupervisor
        const transport = yield* TestTransport.TestTransport
        const first = yield* supervisor.submit(request("a.example.com/app:1"))
        yield* TestClock.adjust("10 millis")
        const cancelling = yield* Effect.fork(first.cancel)
        yield* TestClock.adjust("10 millis")
        const second = yield* supervisor.submit(request("a.example.com/app:1"))
        assert.notStrictEqual(second.id, first.id)
        yield* TestClock.adjust("10 millis")
        assert.strictEqual(yield* transport.pushesInFlight, 1)
        yield* TestClock.adjust("1 minute")
        yield* Fiber.join(cancelling)
        assert.strictEqual((yield* second.await).status, "pushed")
      }).pipe(
        Effect.provide(
          supervised((call) =>
            call.attempt === 1 ? Effect.onInterrupt(Effect.never, () => Effect.sleep("1 second")) : afterOneSecond()
          )
        )
      )
    )

    it.scoped("leaves a push that has ended, and an unknown one, as they are", () =>
      Effect.gen(function* () {
        const supervisor = yield* PushSupervisor
        const handle = yield* supervisor.submit(request("a.example.com/app:1"))
        const image = yield* handle.await
        yield* handle.cancel
        yield* supervisor.cancel(handle.id)
        assert.deepStrictEqual(yield* handle.await, image)
      }).pipe(Effect.provide(supervised(undefined)))
    )
  })

  describe("fail-fast", () => {
    it.scoped("starts nothing new after the first failure, lets what runs finish, cancels the rest", () =>
      Effect.gen(function* () {
        const supervisor = yield* PushSupervisor
        const events = yield* recordedEvents
        const first = yield* Effect.fork(
          supervisor.pushAll([...requests("a.example.com", 4), ...requests("b.example.com", 4)])
        )
        yield* TestClock.adjust("1 hour")
        const results = yield* Fiber.join(first)
        assert.deepStrictEqual(
          results.map(
            Either.match({
              onLeft: (error) => (error._tag === "PushInterrupted" ? error.reason : error._tag),
              onRight: (image) => image.status
            })
          ),
          ["ImageNotFound", "pushed", "fail-fast", "fail-fast", "pushed", "pushed", "fail-fast", "fail-fast"]
        )
        const late = yield* Effect.flip(supervisor.push(request("c.example.com/app:1")))
        assert.strictEqual(late._tag, "PushInterrupted")
        yield* supervisor.drain
        const cancelled = (yield* events).filter((event) => event._tag === "PushCancelled")
        assert.deepStrictEqual(
          cancelled.map((event) => [event.attempts, event.at.epochMillis]),
          [
            [0, 1000],
            [0, 1000],
            [0, 1000],
            [0, 1000],
            [0, 3_600_000]
          ]
        )
      }).pipe(
        Effect.provide(
          supervised(
            (call) =>
              call.target.registry === "a.example.com" && call.target.repository === "app-0"
                ? Effect.delay(missing("app-0"), "1 second")
                : Effect.delay(Effect.succeed(TestTransport.result()), "1 minute"),
            { concurrency: 2, failFast: true }
          )
        )
      )
    )

    it.scoped("a push that was cancelled on request is no failure", () =>
      Effect.gen(function* () {
        const supervisor = yield* PushSupervisor
        const [first, second] = yield* supervisor.submitAll(requests("a.example.com", 2))
        yield* TestClock.adjust("500 millis")
        yield* first?.cancel ?? Effect.void
        yield* TestClock.adjust("1 second")
        assert.strictEqual((yield* second?.await ?? Effect.die("no handle")).status, "pushed")
      }).pipe(Effect.provide(supervised(afterOneSecond, { concurrency: 1, failFast: true })))
    )
  })

  describe("limits", () => {
    it.scoped("a registry runs no more than its concurrency at once, and the runtime no more than maxInFlight", () =>
      Effect.gen(function* () {
        const supervisor = yield* PushSupervisor
        const transport = yield* TestTransport.TestTransport
        yield* supervisor.submitAll([
          ...requests("a.example.com", 10),
          ...requests("b.example.com", 10),
          ...requests("c.example.com", 10)
        ])
        yield* TestClock.adjust("1 millis")
        const { registries } = yield* supervisor.snapshot
        assert.deepStrictEqual(
          registries.map(({ queued, registry, running }) => [registry, queued + running]),
          [
            ["a.example.com", 10],
            ["b.example.com", 10],
            ["c.example.com", 10]
          ]
        )
        const [a, b, c] = registries.map(({ running }) => running)
        assert.strictEqual(a, 2)
        assert.isTrue(b !== undefined && c !== undefined && b <= 4 && c <= 4 && b + c === 6)
        assert.strictEqual(yield* transport.pushesInFlight, 8)
      }).pipe(
        Effect.provide(
          supervised(() => Effect.never, {
            concurrency: 4,
            registryConcurrency: { "a.example.com": 2 },
            maxInFlight: 8,
            drainTimeout: 0
          })
        )
      )
    )

    it.scoped("a registry's states can be watched until it is idle, and then nothing of it is left", () =>
      Effect.gen(function* () {
        const supervisor = yield* PushSupervisor
        yield* supervisor.submitAll(requests("a.example.com", 3))
        const states = yield* collected(supervisor.registryStates("a.example.com"))
        yield* TestClock.adjust("2 seconds")
        const seen = yield* states
        const idle = {
          registry: "a.example.com",
          queued: 0,
          running: 0,
          postponed: 0,
          concurrency: 2,
          pausedUntil: Option.none()
        }
        assert.deepStrictEqual(seen.at(-1), idle)
        assert.deepInclude(seen, { ...idle, queued: 1, running: 2 })
        assert.deepStrictEqual(yield* supervisor.snapshot, { pushes: [], registries: [] })
        assert.deepStrictEqual(yield* Effect.flatten(collected(supervisor.registryStates("a.example.com"))), [])
      }).pipe(Effect.provide(supervised(afterOneSecond, { concurrency: 2 })))
    )

    it.scoped("the snapshot says what is queued and what runs", () =>
      Effect.gen(function* () {
        const supervisor = yield* PushSupervisor
        const [running, queued] = yield* supervisor.submitAll(requests("a.example.com", 2))
        yield* TestClock.adjust("1 millis")
        const { pushes } = yield* supervisor.snapshot
        assert.deepStrictEqual(
          pushes.map(({ attempts, id, status }) => ({ attempts, id, status })),
          [
            { attempts: 1, id: running?.id, status: "running" },
            { attempts: 0, id: queued?.id, status: "queued" }
          ]
        )
      }).pipe(Effect.provide(supervised(afterOneSecond, { concurrency: 1, drainTimeout: 0 })))
    )
  })
})
