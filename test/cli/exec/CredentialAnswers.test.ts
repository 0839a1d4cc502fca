import { assert, describe, it } from "@effect/vitest"
import * as Array from "effect/Array"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import * as TestClock from "effect/TestClock"
import * as CredentialAnswers from "../../../src/cli/exec/CredentialAnswers.ts"
import { ConnectorError } from "../../../src/connector/ConnectorError.ts"
import * as Credential from "../../../src/credential/Credential.ts"
import * as Keychain from "../../../src/credential/Keychain.ts"
import * as Authentication from "../../../src/registry/Authentication.ts"
import * as ContainerRegistry from "../../../src/registry/ContainerRegistry.ts"
import * as TestConnector from "../../../src/testing/TestConnector.ts"
import * as TestTransport from "../../../src/testing/TestTransport.ts"
import * as TestConsole from "../support/console.ts"
import { credential } from "../support/registries.ts"

const unavailable = new ConnectorError({ connector: "test", reason: "unavailable", detail: "maintenance" })

/** Asks as the helper does, about a registry with a connector and what the machine knows besides it. */
const desk = Effect.gen(function* () {
  const registry = yield* ContainerRegistry.make({ uri: "reg.io/team", authentication: Authentication.connector() })
  const answer = yield* CredentialAnswers.make({
    registries: new Map([["reg.io", registry]]),
    others: ["ghcr.io", "docker.io"]
  })
  return (action: string, input = "") =>
    Effect.map(answer(action, input), ({ isGood, text }) => ({ isGood, text: Redacted.value(text) }))
})

const answered = (address: string, username: string, secret: string) => ({
  isGood: true,
  text: JSON.stringify({ ServerURL: address, Username: username, Secret: secret })
})

const nothing = { isGood: false, text: "credentials not found in native keychain" }

const machine = [
  credential("ghcr.io", "me", "mine"),
  Credential.identityToken({ host: "docker.io", token: Redacted.make("refresh") }),
  Credential.registryToken({ host: "bearer.io", token: Redacted.make("bearer-token") })
]

const world = (options?: TestConnector.Options) =>
  Effect.provide(
    Layer.mergeAll(
      TestConnector.layer(options),
      TestTransport.layer({}),
      Keychain.layerMemory(machine),
      TestConsole.layer()
    )
  )

describe("what docker-credential-gantry answers", () => {
  it.scoped("is the lease of a registry: one issue for all who ask, and another one when it has expired", () =>
    Effect.gen(function* () {
      const ask = yield* desk
      const test = yield* TestConnector.TestConnector
      const fiber = yield* Effect.fork(
        Effect.forEach(Array.range(1, 50), () => ask("get", "reg.io\n"), { concurrency: "unbounded" })
      )
      yield* TestClock.adjust("1 seconds")
      assert.deepStrictEqual(
        Array.dedupeWith(yield* fiber, (a, b) => a.text === b.text),
        [answered("reg.io", "test", "password-1")]
      )
      yield* TestClock.adjust("8 minutes")
      assert.deepStrictEqual(
        yield* ask("get", "https://reg.io/v2/"),
        answered("https://reg.io/v2/", "test", "password-1")
      )
      yield* TestClock.adjust("61 seconds")
      const late = yield* Effect.fork(ask("get", "reg.io"))
      yield* TestClock.adjust("1 seconds")
      assert.deepStrictEqual(yield* Fiber.join(late), answered("reg.io", "test", "password-2"))
      assert.strictEqual(yield* test.issues, 2)
    }).pipe(world({ lifetime: "10 minutes", latency: "1 seconds" }))
  )

  it.scoped("is what went wrong, which is told on stderr once, and the next good issue", () =>
    Effect.gen(function* () {
      const ask = yield* desk
      const test = yield* TestConnector.TestConnector
      const { stderr } = yield* TestConsole.TestConsole
      yield* test.failWith(unavailable)
      const refused = yield* ask("get", "reg.io")
      assert.deepStrictEqual(refused, { isGood: false, text: unavailable.message })
      yield* ask("get", "reg.io")
      assert.strictEqual(yield* stderr, `gantry exec: ${unavailable.message}\n`)
      assert.isTrue(unavailable.message.endsWith(unavailable.advice))
      yield* test.recover
      assert.deepStrictEqual(yield* ask("get", "reg.io"), answered("reg.io", "test", "password-3"))
    }).pipe(world())
  )

  it.scoped("is the machine's for every other host, Docker Hub by its own address, and nothing for a stranger", () =>
    Effect.gen(function* () {
      const ask = yield* desk
      const test = yield* TestConnector.TestConnector
      assert.deepStrictEqual(yield* ask("get", "ghcr.io"), answered("ghcr.io", "me", "mine"))
      const hub = "https://index.docker.io/v1/"
      assert.deepStrictEqual(yield* ask("get", hub), answered(hub, "<token>", "refresh"))
      // Neither an account on Docker Hub nor a part of another host.
      for (const stranger of ["gcr.io", "team", "reg.io.evil", "reg.io:5000"]) {
        assert.deepStrictEqual(yield* ask("get", stranger), nothing, stranger)
      }
      assert.strictEqual(yield* test.issues, 0)
    }).pipe(world())
  )

  it.scoped("is a refusal for a token that the protocol has no form for, which is told on stderr", () =>
    Effect.gen(function* () {
      const ask = yield* desk
      const { isGood, text } = yield* ask("get", "bearer.io")
      assert.isFalse(isGood)
      assert.include(text, "bearer.io is a registry token")
      assert.notInclude(text, "bearer-token")
      const { stderr } = yield* TestConsole.TestConsole
      assert.strictEqual(yield* stderr, `gantry exec: ${text}\n`)
    }).pipe(world())
  )

  it.scoped("lists each host with its user, without those that can not be had", () =>
    Effect.gen(function* () {
      const ask = yield* desk
      const test = yield* TestConnector.TestConnector
      const list = Effect.map(ask("list", "unused"), ({ isGood, text }) => [isGood, JSON.parse(text)])
      const others = { "ghcr.io": "me", "https://index.docker.io/v1/": "<token>" }
      assert.deepStrictEqual(yield* list, [true, { "reg.io": "test", ...others }])
      yield* test.failWith(unavailable)
      yield* TestClock.adjust("1 hour")
      assert.deepStrictEqual(yield* list, [true, others])
    }).pipe(world())
  )

  it.scoped("is a refusal to keep or forget a login, and of what the protocol does not know", () =>
    Effect.gen(function* () {
      const ask = yield* desk
      for (const action of ["store", "erase"]) {
        const { isGood, text } = yield* ask(action, `{"ServerURL":"reg.io","Username":"me","Secret":"hunter2"}`)
        assert.isFalse(isGood)
        assert.match(text, /^gantry exec keeps no logins: /)
      }
      assert.deepStrictEqual(yield* ask("get", " \n"), { isGood: false, text: "no credentials server URL" })
      assert.deepStrictEqual(yield* ask("steal"), { isGood: false, text: 'unknown credential action "steal"' })
    }).pipe(world())
  )
})
