import * as FileSystem from "@effect/platform/FileSystem"
import * as NodeFileSystem from "@effect/platform-node/NodeFileSystem"
import { assert, describe, it } from "@effect/vitest"
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import * as Random from "effect/Random"
import * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import * as TestClock from "effect/TestClock"
import * as RegistryHttp from "../../src/distribution/RegistryHttp.ts"
import * as DockerEngine from "../../src/engine/DockerEngine.ts"
import * as Descriptor from "../../src/image/Descriptor.ts"
import { PushEvent } from "../../src/push/PushEvent.ts"
import * as ImageReference from "../../src/reference/ImageReference.ts"
import * as Authentication from "../../src/registry/Authentication.ts"
import * as RegistryCatalog from "../../src/registry/RegistryCatalog.ts"
import * as PushSupervisor from "../../src/runtime/PushSupervisor.ts"
import * as TestConnector from "../../src/testing/TestConnector.ts"
import * as TestEngine from "../../src/testing/TestEngine.ts"
import * as TestRegistry from "../../src/testing/TestRegistry.ts"
import * as TestTranscript from "../../src/testing/TestTranscript.ts"
import * as Recorder from "../../src/transcript/Recorder.ts"
import * as Replay from "../../src/transcript/Replay.ts"
import * as PushTransport from "../../src/transport/PushTransport.ts"
import { recordedEvents, request } from "../support/supervisor.ts"

const layer = (seed: number) => `sha256:${String(seed).repeat(64)}`
const bytes = (text: string) => new TextEncoder().encode(text)
const image = (name: string, id?: string): TestEngine.TestImage => ({
  names: [name],
  layers: [layer(1), layer(2)],
  ...(id === undefined ? {} : { id })
})

const config = bytes(`{"os":"linux","architecture":"amd64"}`)
const configDigest = String(Descriptor.fromBytes({ mediaType: "", body: config }).digest)

const unavailable = TestEngine.rejected("received unexpected HTTP status: 503 Service Unavailable")
const throttled = TestEngine.rejected("toomanyrequests: Rate exceeded")
const unauthorized = TestEngine.rejected("unauthorized: authentication required")
const broken: TestEngine.Answer = () => Stream.dieMessage("a bug in the engine's client")

const answers: Readonly<Record<string, TestEngine.Answer>> = {
  good: TestEngine.delayed("1400 millis", TestEngine.pushed()),
  flaky: TestEngine.inOrder(TestEngine.delayed("300 millis", unavailable), unavailable, TestEngine.pushed()),
  throttled: TestEngine.inOrder(TestEngine.delayed("2 seconds", throttled), TestEngine.pushed()),
  stalled: TestEngine.hanging(),
  crashing: TestEngine.delayed("4 seconds", broken),
  lost: TestEngine.inOrder(TestEngine.cut(), TestEngine.pushed()),
  renewed: TestEngine.inOrder(unauthorized, TestEngine.delayed("10 millis", TestEngine.pushed()))
}

const script: TestEngine.TestEngineScript = {
  images: [
    ...Object.keys(answers).map((name) => image(`a.example.com/${name}:1`)),
    ...Object.keys(answers).map((name) => image(`b.example.com/${name}:1`)),
    image("a.example.com/same:1", configDigest)
  ],
  push: (call) => (answers[call.image.repository] ?? TestEngine.pushed())(call)
}

const targets = [
  ...Object.keys(answers).map((name) => `a.example.com/${name}:1`),
  ...["good", "flaky", "throttled"].map((name) => `b.example.com/${name}:1`),
  "a.example.com/missing:1",
  "a.example.com/same:1"
]

const users = [1, 2, 3, 4].map(
  (issue): TestRegistry.TestUser => ({
    username: "test",
    password: Redacted.make(`password-${issue}`),
    actions: ["pull", "push"]
  })
)

/** The run that is recorded, and then played: the same code over another engine and another network. */
const runtime = PushSupervisor.layer({ concurrency: 8 }).pipe(
  Layer.provide(
    RegistryCatalog.layer({
      a: { uri: "a.example.com", authentication: Authentication.connector() },
      b: { uri: "b.example.com", authentication: Authentication.connector() }
    })
  ),
  Layer.provide(PushTransport.layerEngine),
  Layer.provide(TestConnector.layer())
)

const asJson = Schema.encodeSync(PushEvent)

/** Events with their instants since the beginning, and what became of each push. */
const anHour = Effect.gen(function* () {
  const began = yield* DateTime.now
  const supervisor = yield* PushSupervisor.PushSupervisor
  const events = yield* recordedEvents
  const handles = yield* supervisor.submitAll(targets.map((target) => request(target)))
  yield* TestClock.adjust("1 hour")
  yield* supervisor.drain
  const exits = yield* Effect.forEach(handles, (handle) => Effect.exit(Effect.either(handle.await)))
  return {
    events: (yield* events).map((event) => ({
      ...asJson(event),
      at: event.at.epochMillis - began.epochMillis
    })),
    results: exits.map(Exit.match({ onFailure: () => "a defect", onSuccess: (result) => JSON.stringify(result) }))
  }
}).pipe(Effect.scoped)

const recordedTo = (file: string) =>
  runtime.pipe(
    Layer.provide(Layer.merge(DockerEngine.layerRecording, RegistryHttp.layerRecording)),
    Layer.provide(Recorder.layerFile({ file, program: "test 1" })),
    Layer.provideMerge(
      Layer.merge(TestEngine.layer(script), TestRegistry.layer({ authentication: { type: "token", users } }))
    )
  )

const replayOf = (file: string) => Layer.provideMerge(runtime, TestTranscript.layer(file))

const temporaryFile = Effect.gen(function* () {
  const fileSystem = yield* FileSystem.FileSystem
  return `${yield* fileSystem.makeTempDirectoryScoped()}/run.ndjson`
})

/** Runs it all against the scripted engine and the registries in memory. */
const recordedRun = (file: string) =>
  Effect.gen(function* () {
    const registry = yield* TestRegistry.TestRegistry
    yield* registry.addImage(ImageReference.unsafeParse("a.example.com/same:1"), { config, layers: [bytes("x")] })
    yield* registry.fault({
      registry: "a.example.com",
      method: "HEAD",
      times: 1,
      effect: { type: "answer", status: 429, headers: { "retry-after": "7" } }
    })
    yield* registry.fault({
      registry: "b.example.com",
      path: /\/manifests\//,
      times: 2,
      effect: { type: "hang" }
    })
    yield* registry.fault({ registry: "b.example.com", times: 1, effect: { type: "disconnect" } })
    return yield* anHour
  }).pipe(Effect.provide(recordedTo(file)))

describe("TestTranscript", () => {
  it.scoped("plays a recorded run with the same events at the same instants and the same results", () =>
    Effect.gen(function* () {
      const file = yield* temporaryFile
      const recorded = yield* recordedRun(file)
      const { divergences, played, unasked } = yield* Effect.gen(function* () {
        const played = yield* anHour
        const replay = yield* Replay.Replay
        return { played, unasked: yield* replay.unasked, divergences: yield* replay.divergences }
      }).pipe(Effect.provide(replayOf(file)))
      assert.deepStrictEqual(divergences, [])
      assert.deepStrictEqual(unasked, [])
      assert.deepStrictEqual(played.events, recorded.events)
      assert.deepStrictEqual(played.results, recorded.results)
    }).pipe(Effect.withRandom(Random.make("a run")), Effect.provide(NodeFileSystem.layer))
  )
})
