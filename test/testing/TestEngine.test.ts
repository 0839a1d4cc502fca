import { assert, describe, it } from "@effect/vitest"
import * as Chunk from "effect/Chunk"
import * as Effect from "effect/Effect"
import * as Equal from "effect/Equal"
import * as Fiber from "effect/Fiber"
import * as Inspectable from "effect/Inspectable"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as Stream from "effect/Stream"
import * as TestClock from "effect/TestClock"
import { usernamePassword } from "../../src/credential/Credential.ts"
import { DockerEngine } from "../../src/engine/DockerEngine.ts"
import { EngineDisconnected, EngineRejected, EngineUnavailable } from "../../src/engine/EngineError.ts"
import { EngineEvent } from "../../src/engine/EngineStream.ts"
import * as Digest from "../../src/reference/Digest.ts"
import * as ImageReference from "../../src/reference/ImageReference.ts"
import * as TestEngine from "../../src/testing/TestEngine.ts"
import { recordings } from "../support/engineRecordings.ts"

const app = ImageReference.unsafeParse("reg.example/app:1")
const id = `sha256:${"ab".repeat(32)}`
const layers = [`sha256:${"01".repeat(32)}`, `sha256:${"02".repeat(32)}`]
const images = [{ names: ["reg.example/app:1"], id, layers }]
const refused = (text: string) => new EngineRejected({ status: 200, text })

const push = (image: ImageReference.ImageReference) =>
  Effect.flatMap(DockerEngine, (engine) => Stream.runCollect(engine.pushImage(image, Option.none()))).pipe(
    Effect.map(Chunk.toReadonlyArray)
  )

const calls = Effect.flatMap(TestEngine.TestEngine, (engine) => engine.calls)

describe("TestEngine", () => {
  it.effect("pushes an image that it has, layer by layer, with the image's id for a digest", () =>
    Effect.gen(function* () {
      const events = yield* push(app)
      const words = events.filter(EngineEvent.$is("LayerStatus")).map(({ layer, phase }) => [layer, phase])
      assert.deepStrictEqual(words, [
        ["010101010101", "preparing"],
        ["020202020202", "preparing"],
        ["010101010101", "pushed"],
        ["020202020202", "pushed"]
      ])
      const result = { tag: "1", digest: Digest.unsafeParse(id), size: 1024 }
      assert.deepStrictEqual(events.slice(-2), [EngineEvent.PushResult(result), EngineEvent.PushAux(result)])
    }).pipe(Effect.provide(TestEngine.layer({ images, push: TestEngine.pushed() })))
  )

  it.effect("says that a registry has everything, with the digest it was told", () =>
    Effect.gen(function* () {
      const events = yield* push(app)
      const phases = events.filter(EngineEvent.$is("LayerStatus")).map(({ phase }) => phase)
      assert.deepStrictEqual(phases, ["preparing", "preparing", "exists", "exists"])
      const [result] = events.filter(EngineEvent.$is("PushResult"))
      assert.deepStrictEqual(result?.digest, Digest.unsafeParse(`sha256:${"cd".repeat(32)}`))
      assert.strictEqual(result?.size, 7)
    }).pipe(
      Effect.provide(
        TestEngine.layer({ images, push: TestEngine.unchanged({ digest: `sha256:${"cd".repeat(32)}`, size: 7 }) })
      )
    )
  )

  it.effect("answers the nth push of an image with the nth answer, and dies by name when there is none", () =>
    Effect.gen(function* () {
      assert.deepStrictEqual(yield* Effect.flip(push(app)), refused("503"))
      assert.instanceOf(yield* Effect.flip(push(app)), EngineDisconnected)
      assert.strictEqual((yield* push(app)).at(-1)?._tag, "PushAux")
      const defect = yield* Effect.catchAllDefect(push(app), Effect.succeed)
      assert.include(String(defect), "no answer to pushImage(reg.example/app:1), attempt 4")
    }).pipe(
      Effect.provide(
        TestEngine.layer({
          images,
          push: TestEngine.inOrder(TestEngine.rejected("503"), TestEngine.cut(), TestEngine.pushed())
        })
      )
    )
  )

  it.effect("takes no time but the Clock's", () =>
    Effect.gen(function* () {
      const fiber = yield* Effect.fork(push(app))
      yield* TestClock.adjust("59 minutes")
      assert.isTrue(Option.isNone(yield* Fiber.poll(fiber)))
      yield* TestClock.adjust("1 minute")
      assert.isAbove((yield* Fiber.join(fiber)).length, 0)
    }).pipe(Effect.provide(TestEngine.layer({ images, push: TestEngine.delayed("1 hour", TestEngine.pushed()) })))
  )

  it.effect("hangs after its events until it is interrupted, and counts the pushes in flight", () =>
    Effect.gen(function* () {
      const test = yield* TestEngine.TestEngine
      const engine = yield* DockerEngine
      const seen: Array<EngineEvent> = []
      const fiber = yield* engine.pushImage(app, Option.none()).pipe(
        Stream.runForEach((event) => Effect.sync(() => seen.push(event))),
        Effect.fork
      )
      yield* TestClock.adjust("1 day")
      assert.deepStrictEqual(seen, [EngineEvent.Status({ text: "Waiting" })])
      assert.strictEqual(yield* test.pushesInFlight, 1)
      yield* Fiber.interrupt(fiber)
      assert.strictEqual(yield* test.pushesInFlight, 0)
    }).pipe(
      Effect.provide(TestEngine.layer({ images, push: TestEngine.hanging(EngineEvent.Status({ text: "Waiting" })) }))
    )
  )

  it.effect("plays a recorded stream through the framing of a real engine's", () =>
    Effect.gen(function* () {
      const events = yield* push(app)
      assert.strictEqual(events.filter(EngineEvent.$is("PushResult")).length, 1)
      assert.deepStrictEqual(yield* Effect.flip(push(app)), refused("no basic auth credentials"))
      assert.instanceOf(yield* Effect.flip(push(app)), EngineDisconnected)
    }).pipe(
      Effect.provide(
        TestEngine.layer({
          images,
          push: TestEngine.inOrder(
            TestEngine.recorded(recordings.find(({ name }) => name === "d20-first-push")?.body ?? ""),
            TestEngine.recorded('{"error":"no basic auth credentials"}\n'),
            TestEngine.recorded('{"status":"The push refers to repository [reg.example/app]"}\n')
          )
        })
      )
    )
  )

  it.effect("has the images of its script and no other, under the names that they are given", () =>
    Effect.gen(function* () {
      const engine = yield* DockerEngine
      const test = yield* TestEngine.TestEngine
      const alpine = ImageReference.unsafeParse("alpine")
      assert.deepInclude({ ...(yield* Effect.flip(engine.inspectImage(alpine))) }, { status: 404 })
      assert.include((yield* Effect.flip(push(alpine))).message, "does not exist locally")
      yield* engine.tagImage(app, alpine)
      assert.deepStrictEqual((yield* engine.inspectImage(Digest.unsafeParse(id))).repoTags, [
        "reg.example/app:1",
        "alpine:latest"
      ])
      assert.strictEqual(yield* engine.untagImage(app), "untagged")
      assert.strictEqual(yield* engine.untagImage(alpine), "kept")
      assert.deepStrictEqual(yield* test.imageNames, ["docker.io/library/alpine:latest"])
      assert.strictEqual(
        yield* Effect.flip(engine.untagImage(app)).pipe(Effect.map(({ _tag }) => _tag)),
        "EngineRejected"
      )
    }).pipe(Effect.provide(TestEngine.layer({ images })))
  )

  it.effect("moves a name to another image, as an engine does", () =>
    Effect.gen(function* () {
      const engine = yield* DockerEngine
      const other = ImageReference.unsafeParse("other:1")
      yield* engine.tagImage(other, app)
      assert.deepStrictEqual((yield* engine.inspectImage(app)).repoTags, ["other:1", "reg.example/app:1"])
      assert.deepStrictEqual((yield* engine.inspectImage(Digest.unsafeParse(id))).repoTags, [])
    }).pipe(Effect.provide(TestEngine.layer({ images: [...images, { names: ["other:1"] }] })))
  )

  it.effect("records every call with the credential it had, and prints no secret", () =>
    Effect.gen(function* () {
      const engine = yield* DockerEngine
      const test = yield* TestEngine.TestEngine
      const credential = usernamePassword({ host: "reg.example", username: "bob", password: Redacted.make("pa55") })
      yield* engine.ping
      yield* Stream.runDrain(engine.pushImage(app, Option.some(credential), { platform: "linux/arm64" }))
      yield* Stream.runDrain(engine.pushImage(app, Option.none()))
      const pushes = yield* test.callsTo("pushImage")
      assert.deepStrictEqual(
        (yield* calls).map(({ attempt, images, method }) => [method, images, attempt]),
        [
          ["ping", [], 1],
          ["pushImage", ["reg.example/app:1"], 1],
          ["pushImage", ["reg.example/app:1"], 2]
        ]
      )
      assert.isTrue(Equal.equals(pushes[0]?.credential, Option.some(credential)))
      assert.deepStrictEqual(pushes[0]?.platform, Option.some("linux/arm64"))
      assert.notInclude(Inspectable.format(pushes) + JSON.stringify(pushes), "pa55")
    }).pipe(Effect.provide(TestEngine.layer({ images, push: TestEngine.pushed() })))
  )

  it.effect("fails any call at the attempt it is told to", () =>
    Effect.gen(function* () {
      const engine = yield* DockerEngine
      yield* engine.ping
      assert.instanceOf(yield* Effect.flip(engine.ping), EngineUnavailable)
      yield* engine.ping
    }).pipe(
      Effect.provide(
        TestEngine.layer({
          fail: ({ attempt, method }) =>
            method === "ping" && attempt === 2
              ? new EngineUnavailable({ endpoint: "x", origin: "y", reason: "refused", detail: "z" })
              : undefined
        })
      )
    )
  )

  it.effect("loads the images of its script, and fails as the archive fails", () =>
    Effect.gen(function* () {
      const engine = yield* DockerEngine
      assert.strictEqual(yield* Effect.flip(engine.loadImages(Stream.fail("broken"))), "broken")
      assert.deepStrictEqual(yield* engine.loadImages(Stream.make(new Uint8Array(1))), ["loaded:1"])
      yield* engine.inspectImage(ImageReference.unsafeParse("loaded:1"))
    }).pipe(Effect.provide(TestEngine.layer({ load: [{ names: ["loaded:1"] }] })))
  )

  it.effect("dies by name at each call that its script does not answer", () =>
    Effect.gen(function* () {
      const engine = yield* DockerEngine
      const unscripted = {
        pushImage: Stream.runDrain(engine.pushImage(app, Option.none())),
        pullImage: Stream.runDrain(engine.pullImage(app, Option.none())),
        saveImages: Stream.runDrain(engine.saveImages([app])),
        loadImages: Effect.asVoid(engine.loadImages(Stream.empty)),
        inspectDistribution: Effect.asVoid(engine.inspectDistribution(app, Option.none())),
        use: engine.use(() => Promise.resolve())
      }
      for (const [method, call] of Object.entries(unscripted)) {
        const defect = yield* Effect.catchAllDefect(call, Effect.succeed)
        assert.include(String(defect), `TestEngine: the script has no answer to ${method}(`)
      }
    }).pipe(Effect.provide(TestEngine.layer({ images })))
  )
})
