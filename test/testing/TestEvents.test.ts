import { readFileSync } from "node:fs"
import { assert, describe, it } from "@effect/vitest"
import * as Cause from "effect/Cause"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as TestClock from "effect/TestClock"
import { PushSupervisor } from "gantry"
import { TestEvents, TestTransport, TestWorld } from "gantry/testing"
import { RegistryRateLimited, RegistryUnauthorized } from "../../src/distribution/RegistryError.ts"
import { request, requests } from "../support/supervisor.ts"

const host = "a.example.com"
const refused = new RegistryUnauthorized({ registry: host, status: 401, text: "token expired" })
const throttled = new RegistryRateLimited({ registry: host, text: "", retryAfter: Duration.seconds(30) })

/** One image for each way a push goes. */
const answers: Readonly<Record<string, TestTransport.Answer>> = {
  [`${host}/app:1`]: ({ emit, ...call }) =>
    Effect.suspend(() => {
      emit({ _tag: "LayerProgress", layer: "layer-1", current: 1 })
      emit({ _tag: "LayerPushed", layer: "layer-1", outcome: "uploaded" })
      return TestTransport.delayed("3 seconds", TestTransport.pushed())({ ...call, emit })
    }),
  [`${host}/refused:1`]: TestTransport.delayed("1 second", TestTransport.failed(refused)),
  [`${host}/throttled:1`]: TestTransport.inOrder(TestTransport.failed(throttled), TestTransport.pushed()),
  [`${host}/broken:1`]: () => Effect.die(new TypeError("the hook is broken")),
  [`${host}/hanging:1`]: () => Effect.never,
  [`${host}/repaired:1`]: TestTransport.inOrder(TestTransport.failed(refused), TestTransport.pushed())
}

const world = (supervisor?: PushSupervisor.PushSupervisorOptions) =>
  TestWorld.layer({
    registries: { a: { uri: host } },
    supervisor,
    push: (call) => (answers[String(call.target)] ?? TestTransport.pushed())(call)
  })

const submitAll = (...names: ReadonlyArray<string>) =>
  Effect.flatMap(PushSupervisor.PushSupervisor, (supervisor) =>
    supervisor.submitAll(names.map((name) => request(`${host}/${name}:1`)))
  )

/** What a reader of a failed test gets to see. */
const difference = (expectation: Effect.Effect<unknown>) =>
  Effect.map(Effect.exit(expectation), (exit) => {
    const [defect] = Exit.isFailure(exit) ? Cause.defects(exit.cause) : []
    return defect instanceof Error ? `${defect.name}: ${defect.message}` : "met"
  })

describe("TestEvents", () => {
  it.effect("shows what came instead of what was expected, as test/golden/expectations.txt has it", () =>
    Effect.gen(function* () {
      const events = yield* TestEvents.TestEvents
      const told: Array<string> = []
      const tell = (expectation: Effect.Effect<unknown>) =>
        Effect.map(difference(expectation), (text) => void told.push(text))

      yield* tell(events.expectPushed(`${host}/app:1`))
      yield* tell(events.expectOrder("PushQueued"))
      yield* submitAll("app", "refused", "broken", "hanging")
      yield* TestClock.adjust("10 seconds")
      yield* submitAll("throttled")
      yield* TestClock.adjust("5 seconds")
      yield* submitAll("waiting")
      yield* tell(events.expectPushed(`${host}/ap:1`))
      yield* tell(events.expectPushed(`${host}/app:1`, { status: "unchanged", attempts: 2 }))
      yield* tell(events.expectPushed(`${host}/refused:1`))
      yield* tell(events.expectPushed(`${host}/hanging:1`))
      yield* tell(events.expectPushed(`${host}/waiting:1`))
      yield* tell(events.expectFailed(`${host}/app:1`, "RegistryUnauthorized"))
      yield* tell(events.expectFailed(`${host}/refused:1`, "RegistryDenied"))
      yield* tell(events.expectFailed(`${host}/broken:1`, "RegistryUnauthorized"))
      yield* tell(events.expectCancelled(`${host}/app:1`, "shutdown"))
      yield* tell(
        events.expectOrder(
          `PushStarted ${host}/app:1`,
          `PushCompleted ${host}/app:1`,
          `PushStarted ${host}/refused:1`,
          `PushFailed ${host}/refused:1`
        )
      )
      assert.strictEqual(
        `${told.join("\n\n").replace(/ at \S+ \(.*\)$/gm, " at ...")}\n`,
        readFileSync(new URL("../golden/expectations.txt", import.meta.url), "utf8")
      )
    }).pipe(Effect.provide(world({ concurrency: 4 })))
  )

  it.effect("meets expectations of every end of a push, and gives what is known of it", () =>
    Effect.gen(function* () {
      const events = yield* TestEvents.TestEvents
      const [, , hanging] = yield* submitAll("app", "refused", "hanging")
      yield* TestClock.adjust("3 seconds")
      if (hanging !== undefined) yield* hanging.cancel
      const image = yield* events.expectPushed(`${host}/app:1`, { status: "pushed", transport: "engine" })
      assert.strictEqual(String(image.reference), `${host}/app:1`)
      yield* events.expectPushed(image.reference, { digest: image.digest })
      const error = yield* events.expectFailed(`${host}/refused:1`, "RegistryUnauthorized")
      assert.strictEqual(error["status"], 401)
      yield* events.expectCancelled(`${host}/hanging:1`, "requested")
      yield* events.expectOrder(`PushFailed ${host}/refused:1`, "PushCompleted", "PushCancelled")
    }).pipe(Effect.provide(world()))
  )

  it.effect("takes the last of several pushes to an image for what became of it", () =>
    Effect.gen(function* () {
      const events = yield* TestEvents.TestEvents
      const supervisor = yield* PushSupervisor.PushSupervisor
      const image = `${host}/repaired:1`
      yield* Effect.flip(supervisor.push(request(image)))
      yield* events.expectFailed(image, "RegistryUnauthorized")
      yield* supervisor.push(request(image))
      yield* events.expectPushed(image)
      assert.include(yield* difference(events.expectFailed(image, "RegistryUnauthorized")), "but it was pushed")
    }).pipe(Effect.provide(world()))
  )

  it.effect("knows an image by any spelling", () =>
    Effect.gen(function* () {
      const events = yield* TestEvents.TestEvents
      const supervisor = yield* PushSupervisor.PushSupervisor
      const push = request("docker.io/library/app:1")
      yield* Effect.flip(supervisor.push(push))
      yield* Effect.flip(supervisor.push(push))
      for (const name of ["app:1", "docker.io/app:1", push.target]) {
        yield* events.expectFailed(name, "NoMatchingRegistry")
      }
      yield* events.expectOrder("PushFailed app:1", "PushQueued app:1", "PushFailed docker.io/library/app:1")
      assert.strictEqual((yield* events.of("app:1")).length, 6)
    }).pipe(Effect.provide(world()))
  )

  it.effect("has everything that was published before it is asked, however much that is", () =>
    Effect.gen(function* () {
      const events = yield* TestEvents.TestEvents
      const supervisor = yield* PushSupervisor.PushSupervisor
      yield* supervisor.submit(request(`${host}/app:2`))
      yield* events.expectOrder(`PushQueued ${host}/app:2`)
      yield* supervisor.pushAll(requests(host, 300))
      const all = yield* events.all
      assert.strictEqual(all.filter(({ _tag }) => _tag === "PushCompleted").length, 301)
      assert.deepStrictEqual(
        (yield* events.of(`${host}/app-299:1`)).map(({ _tag }) => _tag),
        ["PushQueued", "PushStarted", "PushCompleted"]
      )
      const text = yield* difference(events.expectOrder("RuntimeDrained"))
      assert.include(text, "... 863 before these")
    }).pipe(Effect.provide(world()))
  )

  it.effect("waits for an event without moving the clock, and finds one that has come", () =>
    Effect.gen(function* () {
      const events = yield* TestEvents.TestEvents
      const waiting = yield* Effect.fork(events.waitFor(`PushCompleted ${host}/app:1`))
      yield* submitAll("app")
      const started = yield* events.waitFor("PushStarted")
      assert.strictEqual(started.at.epochMillis, 0)
      yield* TestClock.adjust("3 seconds")
      const completed = yield* Fiber.join(waiting)
      assert.strictEqual(completed.image.attempts, 1)
      assert.strictEqual(yield* events.waitFor("PushCompleted"), completed)
    }).pipe(Effect.provide(world()))
  )

  it.effect("waits for nothing that can not come any more", () =>
    Effect.gen(function* () {
      const events = yield* TestEvents.TestEvents
      const supervisor = yield* PushSupervisor.PushSupervisor
      const waiting = yield* Effect.fork(difference(events.waitFor("RegistryPaused")))
      yield* supervisor.drain
      assert.include(yield* Fiber.join(waiting), "NOT  RegistryPaused")
      assert.include(yield* difference(events.waitFor("PushQueued")), "NOT  PushQueued")
      yield* events.waitFor("RuntimeDrained")
    }).pipe(Effect.provide(world()))
  )
})
