import * as FileSystem from "@effect/platform/FileSystem"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as FastCheck from "effect/FastCheck"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import * as Credential from "../../src/credential/Credential.ts"
import * as DockerEngine from "../../src/engine/DockerEngine.ts"
import { EngineRejected } from "../../src/engine/EngineError.ts"
import { EngineEvent, type LayerPhase } from "../../src/engine/EngineStream.ts"
import { Event } from "../../src/engine/internal/engineTape.ts"
import * as ImageReference from "../../src/reference/ImageReference.ts"
import { digest } from "../../src/testing/Arbitraries.ts"
import * as TestEngine from "../../src/testing/TestEngine.ts"
import { Recorder } from "../../src/transcript/Recorder.ts"
import * as Canary from "../live/support/canary.ts"
import { recorder } from "../transcript/support.ts"

const app = ImageReference.unsafeParse("reg.example.com/app:1")
const canary = Canary.make("secret")

const text = FastCheck.string().filter((words) => !/[?]|\/\//.test(words))
const optional = <A>(value: FastCheck.Arbitrary<A>) => FastCheck.option(value, { nil: undefined })
const result = FastCheck.record({ tag: text, digest, size: FastCheck.nat() })

const events = FastCheck.oneof(
  FastCheck.record({
    layer: text,
    phase: FastCheck.constantFrom<LayerPhase>("preparing", "pushing", "retrying", "mounted", "unknown"),
    status: text,
    current: optional(FastCheck.nat()),
    total: optional(FastCheck.nat()),
    mountedFrom: optional(text),
    retryAfterSeconds: optional(FastCheck.nat())
  } as const).map(EngineEvent.LayerStatus),
  result.map(EngineEvent.PushResult),
  result.map(EngineEvent.PushAux),
  FastCheck.record({ originalIndex: digest, selectedManifest: digest }).map(EngineEvent.ManifestPushedInsteadOfIndex),
  FastCheck.record({ digest }).map(EngineEvent.PullResult),
  text.map((text) => EngineEvent.Status({ text }))
)

/** What the transcript has of a scripted engine that is used so. */
const recorded = <A, E>(
  script: TestEngine.TestEngineScript,
  use: (engine: DockerEngine.Service) => Effect.Effect<A, E>
) => {
  const { file, layer } = recorder()
  return Effect.gen(function* () {
    const exit = yield* Effect.exit(Effect.flatMap(DockerEngine.DockerEngine, use))
    yield* Effect.flatMap(Recorder, ({ finish }) => finish)
    return { exit, text: file.text }
  }).pipe(
    Effect.provide(DockerEngine.layerRecording.pipe(Layer.provide(TestEngine.layer(script)), Layer.provideMerge(layer)))
  )
}

const ofPassword = (password: string) =>
  Option.some(
    Credential.usernamePassword({ host: "reg.example.com", username: "dev", password: Redacted.make(password) })
  )

const credential = ofPassword(canary)

describe("an engine's transcript", () => {
  it("has every event as it was, but for what is no JSON", () => {
    const asJson = Schema.parseJson(Event)
    FastCheck.assert(
      FastCheck.property(events, (event) => {
        assert.deepStrictEqual({ ...Schema.decodeSync(asJson)(Schema.encodeSync(asJson)(event)) }, { ...event })
      })
    )
  })

  it.effect("has no credential that the engine repeats, in any writing, and nothing of URLs' queries", () =>
    Effect.gen(function* () {
      const header = Buffer.from(
        JSON.stringify({ username: "dev", password: canary, serveraddress: "reg.example.com" })
      ).toString("base64url")
      const said = [
        canary,
        JSON.stringify(canary),
        encodeURIComponent(canary),
        Buffer.from(`dev:${canary}`).toString("base64"),
        header,
        `PUT https://dev:${encodeURIComponent(canary)}@reg.example.com/x?sig=${encodeURIComponent(canary)}`
      ].join(" | ")
      const { text } = yield* recorded(
        {
          images: [{ names: [String(app)] }],
          push: () =>
            Stream.concat(
              Stream.make(EngineEvent.Status({ text: said })),
              Stream.fail(new EngineRejected({ status: 200, text: `${said} https://x.test/y?sig=unknown` }))
            )
        },
        (engine) => Effect.either(engine.runPush(app, credential, () => {}))
      )
      assert.include(text, `"pushImage ${app}"`)
      assert.deepStrictEqual(Canary.leaksIn(text, { canary }), [])
      assert.notInclude(text, "sig=")
    })
  )

  for (const secret of ["hunter2?xyzzy!", `{\n  "private_key": "hunter2xyzzy"\n}`]) {
    it.effect(`has nothing of the credential ${JSON.stringify(secret)} in an event and an error`, () =>
      Effect.gen(function* () {
        const { text } = yield* recorded(
          {
            images: [{ names: [String(app)] }],
            push: () =>
              Stream.concat(
                Stream.make(EngineEvent.Status({ text: `${secret} is wrong` })),
                Stream.fail(new EngineRejected({ status: 200, text: `${secret} is wrong` }))
              )
          },
          (engine) => Effect.either(engine.runPush(app, ofPassword(secret), () => {}))
        )
        assert.strictEqual(text.split("<redacted> is wrong").length, 3)
        for (const part of ["hunter", "xyzzy", "private"]) assert.notInclude(text, part)
      })
    )
  }

  it.effect("tells pushes apart by their platform and by whether TLS is verified", () =>
    Effect.gen(function* () {
      const { text } = yield* recorded({ images: [{ names: [String(app)] }], push: TestEngine.pushed() }, (engine) =>
        Effect.zipRight(
          engine.runPush(app, Option.none(), () => {}, { platform: "linux/arm64" }),
          Stream.runDrain(engine.pushImage(app, Option.none(), { tlsVerify: false }))
        )
      )
      assert.include(text, `"pushImage ${app} linux/arm64"`)
      assert.include(text, `"pushImage ${app} without verification"`)
    })
  )

  it.effect("may lack what the engine is, which pushes ask when others are in flight", () =>
    Effect.gen(function* () {
      const { text } = yield* recorded({}, (engine) => engine.ping)
      const replay = DockerEngine.layerReplay("run.ndjson").pipe(
        Layer.provide(FileSystem.layerNoop({ readFileString: () => Effect.succeed(text) }))
      )
      const error = yield* Effect.provide(
        Effect.flip(Effect.flatMap(DockerEngine.DockerEngine, ({ info }) => info)),
        replay
      )
      assert.strictEqual(error._tag, "EngineUnavailable")
    })
  )

  it.effect("has no archives: they pass by it", () =>
    Effect.gen(function* () {
      const archive = Stream.make(new Uint8Array([1, 2, 3]))
      const { exit, text } = yield* recorded({ save: archive, load: [{ names: ["app:1"] }] }, (engine) =>
        Effect.zip(Stream.runCount(engine.saveImages([app])), engine.loadImages(archive))
      )
      assert.strictEqual(exit._tag, "Success")
      assert.notInclude(text, "Images")
    })
  )
})
