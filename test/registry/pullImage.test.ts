import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Equal from "effect/Equal"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as Stream from "effect/Stream"
import * as TestClock from "effect/TestClock"
import * as Credential from "../../src/credential/Credential.ts"
import { EngineEvent } from "../../src/engine/EngineStream.ts"
import * as Digest from "../../src/reference/Digest.ts"
import * as Authentication from "../../src/registry/Authentication.ts"
import * as ContainerRegistry from "../../src/registry/ContainerRegistry.ts"
import * as TestEngine from "../../src/testing/TestEngine.ts"
import { PushTransport } from "../../src/transport/PushTransport.ts"

const digest = Digest.unsafeParse(`sha256:${"b".repeat(64)}`)
const credential = Credential.usernamePassword({ host: "reg.io", username: "dev", password: Redacted.make("devpw") })

const pull = (image: string) =>
  Effect.gen(function* () {
    const registry = yield* ContainerRegistry.make({
      uri: "reg.io/team",
      authentication: Authentication.credential(credential)
    })
    return yield* registry.pullImage(image)
  }).pipe(Effect.provide(Layer.mock(PushTransport, {})))

const downloading = EngineEvent.LayerStatus({
  layer: "abc",
  phase: "downloading",
  status: "Downloading",
  current: 5,
  total: 10,
  mountedFrom: undefined,
  retryAfterSeconds: undefined
})

describe("ContainerRegistry.pullImage", () => {
  it.scoped("pulls with the registry's credential and gives the digest", () =>
    Effect.gen(function* () {
      const pulled = yield* pull("reg.io/team/base")
      assert.strictEqual(pulled.repoDigest, `reg.io/team/base@${digest}`)
      const [call] = yield* Effect.flatMap(TestEngine.TestEngine, (engine) => engine.callsTo("pullImage"))
      assert.deepStrictEqual(call?.images, ["reg.io/team/base:latest"])
      assert.isTrue(Equal.equals(call?.credential, Option.some(credential)))
    }).pipe(
      Effect.provide(TestEngine.layer({ pull: () => Stream.make(downloading, EngineEvent.PullResult({ digest })) }))
    )
  )

  it.scoped("refuses an image of another registry before it asks the engine", () =>
    Effect.gen(function* () {
      assert.strictEqual((yield* Effect.flip(pull("reg.io/teams/base:1")))._tag, "ImageUriMismatch")
      assert.deepStrictEqual(yield* Effect.flatMap(TestEngine.TestEngine, ({ calls }) => calls), [])
    }).pipe(Effect.provide(TestEngine.layer({})))
  )

  for (const [words, tag] of [
    ["manifest for reg.io/team/base:1 not found: manifest unknown: manifest unknown", "ImageNotFound"],
    ["unauthorized: incorrect username or password", "RegistryUnauthorized"],
    [
      "pull access denied for reg.io/team/base, repository does not exist or may require 'docker login': denied: requested access to the resource is denied",
      "RegistryDenied"
    ]
  ] as const) {
    it.scoped(`gives ${tag} for "${words.slice(0, 24)}…"`, () =>
      Effect.gen(function* () {
        const error = yield* Effect.flip(pull("reg.io/team/base:1"))
        assert.strictEqual(error._tag, tag)
        assert.include(error.message, "reg.io/team/base")
      }).pipe(Effect.provide(TestEngine.layer({ pull: TestEngine.rejected(words) })))
    )
  }

  it.scoped("stops the engine's pull when it is interrupted", () => {
    let stopped = false
    const endless = Stream.ensuring(
      Stream.never,
      Effect.sync(() => {
        stopped = true
      })
    )
    return Effect.gen(function* () {
      const fiber = yield* Effect.fork(pull("reg.io/team/base:1"))
      yield* TestClock.adjust("1 second")
      yield* Fiber.interrupt(fiber)
      assert.isTrue(stopped)
    }).pipe(Effect.provide(TestEngine.layer({ pull: () => endless })))
  })
})
