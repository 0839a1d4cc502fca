import { assert, describe, it } from "@effect/vitest"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as TestClock from "effect/TestClock"
import * as ServiceConnector from "../../src/connector/ServiceConnector.ts"
import type { Credential } from "../../src/credential/Credential.ts"
import * as SecretStore from "../../src/credential/SecretStore.ts"
import { RegistryDenied, RegistryUnauthorized } from "../../src/distribution/RegistryError.ts"
import { DockerEngine } from "../../src/engine/DockerEngine.ts"
import type { PushError } from "../../src/push/PushError.ts"
import type { AttemptEvent } from "../../src/push/PushEvent.ts"
import * as Digest from "../../src/reference/Digest.ts"
import * as Authentication from "../../src/registry/Authentication.ts"
import * as ContainerRegistry from "../../src/registry/ContainerRegistry.ts"
import * as TestConnector from "../../src/testing/TestConnector.ts"
import * as TestEngine from "../../src/testing/TestEngine.ts"
import { PushTransport } from "../../src/transport/PushTransport.ts"

const digest = Digest.unsafeParse(`sha256:${"a".repeat(64)}`)
const refusal = { registry: "reg.io", text: "no" }

const passwordOf = (credential: Option.Option<Credential>): string =>
  Option.match(credential, {
    onNone: () => "nobody",
    onSome: ({ kind }) => (kind._tag === "UsernamePassword" ? Redacted.value(kind.password) : "a token")
  })

type Emit = (event: AttemptEvent) => void

/** A transport that tells which password it was given, and answers by it. */
const gate = (answer: (password: string, emit: Emit) => PushError | undefined) => {
  const seen: Array<string> = []
  const layer = Layer.succeed(PushTransport, {
    push: ({ credential, emit }) =>
      Effect.suspend(() => {
        const password = passwordOf(credential)
        seen.push(password)
        const error = answer(password, emit)
        return error === undefined
          ? Effect.succeed({ digest, status: "pushed" as const, transport: "engine" as const })
          : Effect.fail(error)
      }),
    compare: () => Effect.succeed({ _tag: "Absent" as const })
  })
  return { seen, layer }
}

const unauthorized = new RegistryUnauthorized(refusal)
const denied = new RegistryDenied(refusal)

const sending = (current: number): AttemptEvent => ({ _tag: "LayerProgress", layer: "big", current, total: 100 })
const through = (layer: string): AttemptEvent => ({ _tag: "LayerPushed", layer, outcome: "uploaded" })

const byConnector = ContainerRegistry.make({ uri: "reg.io", authentication: Authentication.connector() })

const issues = Effect.flatMap(TestConnector.TestConnector, (test) => test.issues)

describe("a registry's credential", () => {
  it.scoped("is issued once for pushes at the same time, and again when it has expired", () => {
    const { layer, seen } = gate(() => undefined)
    return Effect.gen(function* () {
      const registry = yield* byConnector
      const push = registry.pushImage("reg.io/app:1")
      yield* Effect.all([push, push, push], { concurrency: "unbounded" })
      yield* TestClock.adjust("54 minutes")
      yield* push
      yield* TestClock.adjust("2 minutes")
      yield* push
      assert.deepStrictEqual(seen, ["password-1", "password-1", "password-1", "password-1", "password-2"])
      assert.strictEqual(yield* issues, 2)
    }).pipe(Effect.provide(Layer.merge(layer, TestConnector.layer({ lifetime: "1 hour" }))))
  })

  it.scoped("is replaced once when the registry refuses it, and the event says so", () => {
    const { layer, seen } = gate((password) => (password === "password-1" ? unauthorized : undefined))
    const events: Array<AttemptEvent> = []
    return Effect.gen(function* () {
      const registry = yield* byConnector
      yield* registry.pushImage("reg.io/app:1", { emit: (event) => events.push(event) })
      assert.deepStrictEqual(seen, ["password-1", "password-2"])
      assert.deepStrictEqual(events, [
        { _tag: "Reauthenticated", registry: "reg.io", origin: "the test connector (test)" }
      ])
    }).pipe(Effect.provide(Layer.merge(layer, TestConnector.layer())))
  })

  it.scoped("is replaced once for all who are refused at the same time, and one event says so", () => {
    const { layer } = gate((password) => (password === "password-1" ? unauthorized : undefined))
    const events: Array<AttemptEvent> = []
    return Effect.gen(function* () {
      const registry = yield* byConnector
      const names = Array.from({ length: 20 }, (_, index) => `reg.io/app:${index}`)
      yield* Effect.forEach(names, (name) => registry.pushImage(name, { emit: (event) => events.push(event) }), {
        concurrency: "unbounded"
      })
      assert.strictEqual(yield* issues, 2)
      assert.strictEqual(events.length, 1)
    }).pipe(Effect.provide(Layer.merge(layer, TestConnector.layer())))
  })

  it.scoped("is not replaced twice when the registry takes none: the second answer is final", () => {
    const { layer, seen } = gate((_, emit) => {
      // What an engine says of each layer before it asks the registry for anything, and what it is told without a right to push.
      emit(sending(0))
      emit({ _tag: "LayerPushed", layer: "there", outcome: "existing" })
      return unauthorized
    })
    return Effect.gen(function* () {
      const registry = yield* byConnector
      const error = yield* Effect.flip(registry.pushImage("reg.io/app:1"))
      assert.strictEqual(error._tag, "RegistryUnauthorized")
      assert.deepStrictEqual(seen, ["password-1", "password-2"])
    }).pipe(Effect.provide(Layer.merge(layer, TestConnector.layer())))
  })

  it.scoped("is replaced each time one ends that the registry had taken, as long as layers get through", () => {
    const { layer, seen } = gate((password, emit) => {
      emit(sending(50))
      emit(through(`with ${password}`))
      return password === "password-9" ? undefined : unauthorized
    })
    return Effect.gen(function* () {
      const registry = yield* byConnector
      yield* registry.pushImage("reg.io/app:1")
      assert.deepStrictEqual(
        seen,
        Array.from({ length: 9 }, (_, index) => `password-${index + 1}`)
      )
    }).pipe(Effect.provide(Layer.merge(layer, TestConnector.layer())))
  })

  it.scoped("is replaced five times in a row at most while no other layer gets through", () => {
    const { layer, seen } = gate((_, emit) => {
      emit(through("always the same"))
      emit(sending(50))
      return unauthorized
    })
    return Effect.gen(function* () {
      const registry = yield* byConnector
      const error = yield* Effect.flip(registry.pushImage("reg.io/app:1"))
      assert.strictEqual(error._tag, "RegistryUnauthorized")
      // The layer was new once.
      assert.strictEqual(seen.length, 6)
    }).pipe(Effect.provide(Layer.merge(layer, TestConnector.layer())))
  })

  it.scoped("is replaced by a third when an earlier push's has ended and the registry did not take the second", () => {
    const good = new Set(["password-1"])
    const { layer, seen } = gate((password) => (good.has(password) ? undefined : unauthorized))
    return Effect.gen(function* () {
      const registry = yield* byConnector
      yield* registry.pushImage("reg.io/app:1")
      good.clear()
      good.add("password-3")
      yield* registry.pushImage("reg.io/app:1")
      assert.deepStrictEqual(seen, ["password-1", "password-1", "password-2", "password-3"])
    }).pipe(Effect.provide(Layer.merge(layer, TestConnector.layer())))
  })

  it.scoped("is replaced on a denial only when it was issued before the push began", () => {
    const { layer, seen } = gate((password) => (password === "password-1" ? denied : undefined))
    return Effect.gen(function* () {
      const registry = yield* byConnector
      const fresh = yield* Effect.flip(registry.pushImage("reg.io/app:1"))
      assert.strictEqual(fresh._tag, "RegistryDenied")
      yield* TestClock.adjust("1 second")
      yield* registry.pushImage("reg.io/app:1")
      assert.deepStrictEqual(seen, ["password-1", "password-1", "password-2"])
    }).pipe(Effect.provide(Layer.merge(layer, TestConnector.layer())))
  })

  it.scoped("is not tried again when it is the same: a given one can not change", () => {
    const { layer, seen } = gate(() => unauthorized)
    return Effect.gen(function* () {
      const registry = yield* ContainerRegistry.make({
        uri: "reg.io",
        authentication: Authentication.usernamePassword("dev", Redacted.make("given"))
      })
      yield* Effect.flip(registry.pushImage("reg.io/app:1"))
      assert.deepStrictEqual(seen, ["given"])
    }).pipe(Effect.provide(layer))
  })

  it.scoped("is read again from a secret for each push, and again when a rotated one is refused", () => {
    const secret = (password: string) => ({ username: Redacted.make("dev"), password: Redacted.make(password) })
    const secrets = { ghcr: secret("old") }
    const { layer, seen } = gate((password) => {
      if (password !== "stale") return undefined
      secrets.ghcr = secret("new")
      return unauthorized
    })
    return Effect.gen(function* () {
      const registry = yield* ContainerRegistry.make({ uri: "reg.io", authentication: Authentication.secret("ghcr") })
      yield* registry.pushImage("reg.io/app:1")
      secrets.ghcr = secret("stale")
      yield* registry.pushImage("reg.io/app:1")
      assert.deepStrictEqual(seen, ["old", "stale", "new"])
    }).pipe(Effect.provide(Layer.merge(layer, SecretStore.layerMemory(secrets))))
  })

  it.scoped("keeps its generation while a secret that is read again is equal, and gets another when it is not", () => {
    const secret = (password: string) => ({ username: Redacted.make("dev"), password: Redacted.make(password) })
    const secrets = { ci: secret("first") }
    return Effect.gen(function* () {
      const { lease } = yield* ContainerRegistry.make({ uri: "reg.io", authentication: Authentication.secret("ci") })
      const generation = Effect.scoped(Effect.map(lease.borrow, ({ generation }) => generation))
      const first = yield* generation
      assert.strictEqual(yield* generation, first)
      secrets.ci = secret("first")
      assert.strictEqual(yield* generation, first)
      secrets.ci = secret("second")
      assert.isAbove(yield* generation, first)
    }).pipe(Effect.provide(Layer.merge(gate(() => undefined).layer, SecretStore.layerMemory(secrets))))
  })

  it.scoped("comes from the connector behind a tag of its own", () => {
    class Staging extends Context.Tag("test/Staging")<Staging, ServiceConnector.ServiceConnector>() {}
    const { layer, seen } = gate(() => undefined)
    return Effect.gen(function* () {
      const registry = yield* ContainerRegistry.make({
        uri: "reg.io",
        authentication: Authentication.connector(Staging)
      })
      assert.isTrue(registry.requiresAuthentication)
      yield* registry.pushImage("reg.io/app:1")
      assert.deepStrictEqual(seen, ["password-1"])
    }).pipe(
      Effect.provide(
        Layer.merge(
          layer,
          Layer.project(TestConnector.layer(), ServiceConnector.ServiceConnector, Staging, (connector) => connector)
        )
      )
    )
  })

  it.scoped("is replaced once under a Docker client that is refused", () => {
    const { layer } = gate(() => undefined)
    const used: Array<string> = []
    return Effect.gen(function* () {
      const registry = yield* byConnector
      const engine = yield* DockerEngine
      const result = yield* ContainerRegistry.withDockerClient(registry, ({ credential, engine: given }) => {
        assert.strictEqual(given, engine)
        const password = passwordOf(Option.map(credential, (held) => held.credential))
        used.push(password)
        return password === "password-1" ? Effect.fail(unauthorized) : Effect.succeed(password)
      })
      assert.strictEqual(result, "password-2")
      assert.deepStrictEqual(used, ["password-1", "password-2"])
    }).pipe(Effect.provide(Layer.mergeAll(layer, TestConnector.layer(), TestEngine.layer({}))))
  })
})
