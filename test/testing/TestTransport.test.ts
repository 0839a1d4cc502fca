import { assert, describe, it } from "@effect/vitest"
import * as DateTime from "effect/DateTime"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as TestClock from "effect/TestClock"
import * as Credential from "../../src/credential/Credential.ts"
import * as Source from "../../src/image/ImageSource.ts"
import { ImageNotFound } from "../../src/push/PushError.ts"
import * as ImageReference from "../../src/reference/ImageReference.ts"
import * as TestTransport from "../../src/testing/TestTransport.ts"
import { PushTransport } from "../../src/transport/PushTransport.ts"

const requestFor = (name: string) => {
  const target = ImageReference.unsafeParse(name)
  return {
    source: Source.docker(target),
    target,
    platform: Option.none(),
    credential: Option.none(),
    sourceCredential: Option.none(),
    tls: Option.none(),
    emit: () => {}
  }
}

const notThere = new ImageNotFound({ image: "app:1", where: "the engine" })

const app = requestFor("a.example.com/app:1")

describe("TestTransport", () => {
  it.effect("without a script every push goes through and every tag is absent", () =>
    Effect.gen(function* () {
      const transport = yield* PushTransport
      assert.deepStrictEqual(yield* transport.push(app), TestTransport.result())
      assert.deepStrictEqual(yield* transport.compare(app), { _tag: "Absent" })
    }).pipe(Effect.provide(TestTransport.layer()))
  )

  it.effect("keeps what it was asked, in order, and counts the attempts of each target and method", () =>
    Effect.gen(function* () {
      const transport = yield* PushTransport
      const test = yield* TestTransport.TestTransport
      yield* transport.push(app)
      yield* transport.compare(app)
      yield* transport.push(requestFor("a.example.com/other:1"))
      yield* transport.push(app)
      assert.deepStrictEqual(
        (yield* test.calls).map((call) => `${call.method} ${call.target} ${call.attempt}`),
        [
          "push a.example.com/app:1 1",
          "compare a.example.com/app:1 1",
          "push a.example.com/other:1 1",
          "push a.example.com/app:1 2"
        ]
      )
    }).pipe(Effect.provide(TestTransport.layer()))
  )

  it.effect("answers attempt by attempt as the script says, on the Clock", () =>
    Effect.gen(function* () {
      const transport = yield* PushTransport
      const test = yield* TestTransport.TestTransport
      assert.strictEqual((yield* Effect.flip(transport.push(app)))._tag, "ImageNotFound")
      const second = yield* Effect.fork(transport.push(app))
      yield* TestClock.adjust("59 seconds")
      assert.strictEqual(yield* test.pushesInFlight, 1)
      yield* TestClock.adjust("1 second")
      assert.strictEqual((yield* Fiber.join(second)).status, "unchanged")
      assert.strictEqual(yield* test.pushesInFlight, 0)
    }).pipe(
      Effect.provide(
        TestTransport.layer({
          push: (call) =>
            call.attempt === 1
              ? new ImageNotFound({ image: "app:1", where: "the engine" })
              : Effect.delay(Effect.succeed(TestTransport.result({ status: "unchanged" })), "1 minute")
        })
      )
    )
  )

  it.effect("a hung push that is interrupted runs no more", () =>
    Effect.gen(function* () {
      const transport = yield* PushTransport
      const test = yield* TestTransport.TestTransport
      const hung = yield* Effect.fork(transport.push(app))
      yield* TestClock.adjust("1 day")
      assert.strictEqual(yield* test.pushesInFlight, 1)
      yield* Fiber.interrupt(hung)
      assert.strictEqual(yield* test.pushesInFlight, 0)
    }).pipe(Effect.provide(TestTransport.layer({ push: () => Effect.never })))
  )

  it.effect("hands the attempt's sink to the script", () =>
    Effect.gen(function* () {
      const transport = yield* PushTransport
      const heard: Array<string> = []
      yield* transport.push({ ...app, emit: (event) => heard.push(event._tag) })
      assert.deepStrictEqual(heard, ["LayerPushed"])
    }).pipe(
      Effect.provide(
        TestTransport.layer({
          push: ({ emit }) =>
            Effect.sync(() => {
              emit({ _tag: "LayerPushed", layer: "layer-1", outcome: "existing" })
              return TestTransport.result()
            })
        })
      )
    )
  )

  it.effect("gives its answers in order, and has none that the script does not name", () =>
    Effect.gen(function* () {
      const transport = yield* PushTransport
      assert.strictEqual(yield* Effect.flip(transport.push(app)), notThere)
      assert.deepStrictEqual(yield* transport.push(app), TestTransport.result({ status: "unchanged" }))
      const exit = yield* Effect.exit(transport.push(app))
      assert.include(String(exit), "no answer to attempt 3 of a.example.com/app:1")
    }).pipe(
      Effect.provide(
        TestTransport.layer({
          push: TestTransport.inOrder(TestTransport.failed(notThere), TestTransport.pushed({ status: "unchanged" }))
        })
      )
    )
  )

  it.effect("looks at a credential's expiry at the end of an attempt", () =>
    Effect.gen(function* () {
      const transport = yield* PushTransport
      const issuedAt = yield* DateTime.now
      const lasting = (lifetime: Duration.DurationInput) =>
        Option.some(
          Credential.usernamePassword({
            host: "a.example.com",
            username: "test",
            password: Redacted.make("secret"),
            expiry: Credential.Expiry.At({ issuedAt, at: DateTime.addDuration(issuedAt, lifetime) })
          })
        )
      const outcome = (credential: Option.Option<Credential.Credential>) =>
        Effect.fork(Effect.either(transport.push({ ...app, credential })))
      const expiring = yield* outcome(lasting("60 seconds"))
      const good = yield* outcome(lasting("61 seconds"))
      const anonymous = yield* outcome(Option.none())
      yield* TestClock.adjust("60 seconds")
      const refused = yield* Fiber.join(expiring)
      assert.strictEqual(Either.isLeft(refused) && refused.left._tag, "RegistryUnauthorized")
      assert.isTrue(Either.isRight(yield* Fiber.join(good)))
      assert.isTrue(Either.isRight(yield* Fiber.join(anonymous)))
    }).pipe(
      Effect.provide(
        TestTransport.layer({
          push: TestTransport.refusingExpired(TestTransport.delayed("60 seconds", TestTransport.pushed()))
        })
      )
    )
  )
})
