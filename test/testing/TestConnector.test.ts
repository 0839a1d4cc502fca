import { assert, describe, it } from "@effect/vitest"
import * as Array from "effect/Array"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Redacted from "effect/Redacted"
import * as TestClock from "effect/TestClock"
import { ConnectorError } from "../../src/connector/ConnectorError.ts"
import { ServiceConnector } from "../../src/connector/ServiceConnector.ts"
import type { Credential } from "../../src/credential/Credential.ts"
import * as CredentialExpiry from "../../src/credential/CredentialExpiry.ts"
import * as Lease from "../../src/credential/Lease.ts"
import * as TestConnector from "../../src/testing/TestConnector.ts"

const passwordOf = ({ kind }: Credential) =>
  kind._tag === "UsernamePassword" ? Redacted.value(kind.password) : undefined

/** A lease over the connector, as a registry has it. */
const makeLease = (options?: CredentialExpiry.Options) =>
  Effect.flatMap(ServiceConnector, (connector) =>
    Lease.make({
      acquire: connector.issue("reg.io"),
      check: ({ expiry }, now) => Effect.succeed(CredentialExpiry.isExpired(expiry, now, options) ? "stale" : "reuse")
    })
  )

const borrowPassword = (lease: Effect.Effect.Success<ReturnType<typeof makeLease>>) =>
  Effect.scoped(Effect.map(lease.borrow, ({ value }) => passwordOf(value)))

const unavailable = new ConnectorError({ connector: "test", reason: "unavailable", detail: "maintenance" })

describe("TestConnector", () => {
  it.effect("gives another credential for each issue, and counts them", () =>
    Effect.gen(function* () {
      const connector = yield* ServiceConnector
      const test = yield* TestConnector.TestConnector
      yield* connector.issue("reg.io")
      const second = yield* connector.issue("https://Reg.io/team")
      assert.strictEqual(second.host, "reg.io")
      assert.strictEqual(yield* test.issues, 2)
      assert.deepStrictEqual((yield* test.issued).map(passwordOf), ["password-1", "password-2"])
    }).pipe(Effect.provide(TestConnector.layer()))
  )

  it.effect("fails on command until it recovers, and counts what failed", () =>
    Effect.gen(function* () {
      const connector = yield* ServiceConnector
      const test = yield* TestConnector.TestConnector
      yield* test.failWith(unavailable)
      assert.strictEqual((yield* Effect.flip(connector.issue("reg.io"))).detail, "maintenance")
      assert.strictEqual((yield* Effect.flip(connector.resources)).detail, "maintenance")
      yield* test.recover
      assert.strictEqual(passwordOf(yield* connector.issue("reg.io")), "password-2")
      assert.deepStrictEqual(yield* connector.resources, ["reg.io"])
      assert.strictEqual(yield* test.issues, 2)
    }).pipe(Effect.provide(TestConnector.layer({ resources: ["reg.io"] })))
  )

  it.effect("takes its time on the Clock, and a credential's life begins when it is issued", () =>
    Effect.gen(function* () {
      const connector = yield* ServiceConnector
      const fiber = yield* Effect.fork(connector.issue("reg.io"))
      yield* TestClock.adjust("2 seconds")
      const { expiry } = yield* Fiber.join(fiber)
      assert.strictEqual(expiry._tag === "At" && expiry.at.epochMillis, 62_000)
    }).pipe(Effect.provide(TestConnector.layer({ latency: "2 seconds", lifetime: "1 minute" })))
  )

  it.scoped("issues once for 50 users of a one-hour credential with 299 seconds left, and never with 301", () =>
    Effect.gen(function* () {
      const test = yield* TestConnector.TestConnector
      const lease = yield* makeLease()
      yield* borrowPassword(lease)
      yield* TestClock.adjust("3299 seconds")
      assert.strictEqual(yield* borrowPassword(lease), "password-1")
      yield* TestClock.adjust("2 seconds")
      const borrowed = yield* Effect.forEach(Array.range(1, 50), () => borrowPassword(lease), {
        concurrency: "unbounded"
      })
      assert.deepStrictEqual(new Set(borrowed), new Set(["password-2"]))
      assert.strictEqual(yield* test.issues, 2)
    }).pipe(Effect.provide(TestConnector.layer()))
  )

  it.scoped("is used to its last moment with a skew of zero", () =>
    Effect.gen(function* () {
      const lease = yield* makeLease({ skew: 0 })
      yield* borrowPassword(lease)
      yield* TestClock.adjust("1 hour")
      assert.strictEqual(yield* borrowPassword(lease), "password-1")
      yield* TestClock.adjust("1 millis")
      assert.strictEqual(yield* borrowPassword(lease), "password-2")
    }).pipe(Effect.provide(TestConnector.layer()))
  )

  it.scoped("issues 4-minute credentials that are used for 216 seconds", () =>
    Effect.gen(function* () {
      const lease = yield* makeLease()
      yield* borrowPassword(lease)
      yield* TestClock.adjust("216 seconds")
      assert.strictEqual(yield* borrowPassword(lease), "password-1")
      yield* TestClock.adjust("1 seconds")
      assert.strictEqual(yield* borrowPassword(lease), "password-2")
    }).pipe(Effect.provide(TestConnector.layer({ lifetime: "4 minutes" })))
  )

  it.scoped("issues credentials of unknown end that are used for 5 minutes", () =>
    Effect.gen(function* () {
      const lease = yield* makeLease()
      yield* borrowPassword(lease)
      yield* TestClock.adjust("5 minutes")
      assert.strictEqual(yield* borrowPassword(lease), "password-1")
      yield* TestClock.adjust("1 millis")
      assert.strictEqual(yield* borrowPassword(lease), "password-2")
    }).pipe(Effect.provide(TestConnector.layer({ lifetime: "unknown" })))
  )

  it.scoped("issues credentials without an end that are used for ever", () =>
    Effect.gen(function* () {
      const lease = yield* makeLease()
      yield* borrowPassword(lease)
      yield* TestClock.adjust("3650 days")
      assert.strictEqual(yield* borrowPassword(lease), "password-1")
    }).pipe(Effect.provide(TestConnector.layer({ lifetime: "never" })))
  )
})
