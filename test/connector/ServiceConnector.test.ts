import { assert, describe, it } from "@effect/vitest"
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as FastCheck from "effect/FastCheck"
import * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as TestClock from "effect/TestClock"
import { ConnectorError } from "../../src/connector/ConnectorError.ts"
import * as ServiceConnector from "../../src/connector/ServiceConnector.ts"
import * as Credential from "../../src/credential/Credential.ts"
import * as RegistryFlavor from "../../src/flavor/RegistryFlavor.ts"
import * as ImageReference from "../../src/reference/ImageReference.ts"
import * as RegistryUri from "../../src/reference/RegistryUri.ts"
import { registryUriText } from "../../src/testing/Arbitraries.ts"
import { countSteps, hostileTexts } from "../support/countSteps.ts"

const credential = (host: string, expiry?: Credential.Expiry) =>
  Credential.usernamePassword({ host, username: "ci", password: Redacted.make("secret"), expiry })

/** A connector that records the ids it is asked for. */
const makeRecording = (options: Partial<ServiceConnector.Options> = {}) => {
  const asked: Array<string> = []
  const connector = ServiceConnector.make({
    type: "test",
    authMethod: "token",
    issue: (resourceId) =>
      Effect.sync(() => {
        asked.push(resourceId)
        return credential(resourceId)
      }),
    ...options
  })
  return { asked, connector }
}

describe("ServiceConnector", () => {
  describe("make", () => {
    it.effect("asks its service for the canonical id", () =>
      Effect.gen(function* () {
        const { asked, connector } = makeRecording()
        const spellings = ["HTTPS://Reg.IO/team/", "https://index.docker.io/v1/", "localhost:5000/foo", "my-account"]
        yield* Effect.forEach(spellings, (spelling) => connector.issue(spelling))
        assert.deepStrictEqual(asked, ["reg.io/team", "docker.io", "localhost:5000/foo", "docker.io/my-account"])
      })
    )

    it.effect("refuses an id it can not parse before it asks, and does not repeat a password in it", () =>
      Effect.gen(function* () {
        const { asked, connector } = makeRecording()
        const error = yield* Effect.flip(connector.issue("https://ci:hunter2@reg.io"))
        assert.strictEqual(error.reason, "misconfigured")
        assert.notInclude(error.message, "hunter2")
        assert.deepStrictEqual(asked, [])
      })
    )

    it.effect("parses ids its own way when it has one", () =>
      Effect.gen(function* () {
        const { asked, connector } = makeRecording({
          parseResourceId: (text) =>
            text.startsWith("arn:") ? Either.right("reg.io") : Either.left({ message: "an ARN was expected" })
        })
        yield* connector.issue("arn:aws:ecr")
        const error = yield* Effect.flip(connector.issue("reg.io"))
        assert.deepStrictEqual(
          [error.reason, error.detail, asked],
          ["misconfigured", "an ARN was expected", ["reg.io"]]
        )
      })
    )

    it.effect("gives up on a service that does not answer, after 30 seconds unless told otherwise", () =>
      Effect.gen(function* () {
        const silent = makeRecording({ issue: () => Effect.never }).connector
        const fiber = yield* Effect.fork(Effect.flip(silent.issue("reg.io")))
        yield* TestClock.adjust("29999 millis")
        assert.isTrue(Option.isNone(yield* Fiber.poll(fiber)))
        yield* TestClock.adjust("1 millis")
        const error = yield* Fiber.join(fiber)
        assert.deepStrictEqual([error.reason, error.resource], ["unavailable", "reg.io"])
        assert.include(error.message, "30s")

        const impatient = makeRecording({ issue: () => Effect.never, issueTimeout: "1 second" }).connector
        const other = yield* Effect.fork(Effect.flip(impatient.issue("reg.io")))
        yield* TestClock.adjust("1 second")
        assert.strictEqual((yield* Fiber.join(other)).reason, "unavailable")
      })
    )

    it.effect("refuses a credential that is over when it is issued, however late that turns out", () =>
      Effect.gen(function* () {
        yield* TestClock.setTime(10_000)
        const until = (millis: number) =>
          Credential.Expiry.At({ issuedAt: DateTime.unsafeMake(0), at: DateTime.unsafeMake(millis) })
        const issuing = (expiry: Credential.Expiry) =>
          makeRecording({ issue: (host) => Effect.delay(Effect.succeed(credential(host, expiry)), "1 second") })
            .connector
        const late = yield* Effect.fork(Effect.flip(issuing(until(10_999)).issue("reg.io")))
        const inTime = yield* Effect.fork(issuing(until(11_000)).issue("reg.io"))
        yield* TestClock.adjust("1 second")
        const error = yield* Fiber.join(late)
        assert.deepStrictEqual([error.reason, error.isRetryable], ["expired", false])
        assert.include(error.message, "1970-01-01T00:00:10.999Z")
        assert.strictEqual((yield* Fiber.join(inTime)).host, "reg.io")
      })
    )

    it.effect("uses a credential without a known end however old it is", () =>
      Effect.gen(function* () {
        yield* TestClock.adjust("1 day")
        const expiry = Credential.Expiry.Unknown({ issuedAt: DateTime.unsafeMake(0) })
        const { connector } = makeRecording({ issue: (host) => Effect.succeed(credential(host, expiry)) })
        assert.deepStrictEqual((yield* connector.issue("reg.io")).expiry, expiry)
      })
    )

    it.effect("says that it can not list registries, nor create repositories, unless it can", () =>
      Effect.gen(function* () {
        const { connector } = makeRecording()
        assert.strictEqual((yield* Effect.flip(connector.resources)).reason, "unsupported")
        assert.isTrue(Option.isNone(connector.ensureRepository))

        const ensured: Array<string> = []
        const able = makeRecording({
          resources: Effect.succeed(["reg.io"]),
          ensureRepository: (image) => Effect.sync(() => void ensured.push(image.repository))
        }).connector
        assert.deepStrictEqual(yield* able.resources, ["reg.io"])
        yield* Option.getOrThrow(able.ensureRepository)(ImageReference.unsafeParse("reg.io/app:1"))
        assert.deepStrictEqual(ensured, ["app"])
      })
    )

    it.effect("gives up looking for a repository after as long as an issue may take", () =>
      Effect.gen(function* () {
        const silent = makeRecording({ ensureRepository: () => Effect.never, issueTimeout: "1 second" }).connector
        const ensure = Option.getOrThrow(silent.ensureRepository)
        const fiber = yield* Effect.fork(Effect.flip(ensure(ImageReference.unsafeParse("reg.io/app:1"))))
        yield* TestClock.adjust("1 second")
        const error = yield* Fiber.join(fiber)
        assert.deepStrictEqual([error.reason, error.resource], ["unavailable", "reg.io"])
      })
    )

    it.effect("hands on the errors of its service as they are", () =>
      Effect.gen(function* () {
        const denied = new ConnectorError({ connector: "test", reason: "denied", detail: "no" })
        const { connector } = makeRecording({ issue: () => Effect.fail(denied) })
        const error = yield* Effect.flip(connector.issue("reg.io"))
        assert.deepStrictEqual([error.reason, error.resource, error.detail], ["denied", undefined, "no"])
      })
    )
  })

  describe("registryResourceId", () => {
    it("gives a canonical id that is its own canonical id, for every registry URI", () => {
      FastCheck.assert(
        FastCheck.property(registryUriText, (text) => {
          const id = ServiceConnector.registryResourceId(text)
          return Either.isRight(id) && Either.getOrThrow(ServiceConnector.registryResourceId(id.right)) === id.right
        }),
        { numRuns: 50 }
      )
    })

    it("takes steps linear in the length of a hostile id", () => {
      for (const [name, text] of Object.entries(hostileTexts)) {
        const steps = countSteps(() => ServiceConnector.registryResourceId(text(100_000)))
        assert.isBelow(steps, 3_000_000, name)
      }
    })
  })

  describe("canServe", () => {
    const aws = { flavor: RegistryFlavor.aws, uri: RegistryUri.unsafeParse("public.ecr.aws/team") }
    const servedBy = (type: string) => ServiceConnector.canServe(makeRecording({ type }).connector, aws)

    it("accepts the types a flavor asks for", () => {
      assert.isTrue(Either.isRight(servedBy("aws")))
      assert.isTrue(Either.isRight(servedBy("docker")))
    })

    it("says which requirement of the flavor a connector misses", () => {
      const missed = Either.getOrThrow(Either.flip(servedBy("azure")))
      assert.deepStrictEqual([missed.reason, missed.accepted], ["connector-type", ["aws", "docker"]])
    })

    it("accepts any type for a registry of no known kind", () => {
      const other = { flavor: RegistryFlavor.defaultFlavor, uri: RegistryUri.unsafeParse("reg.io") }
      assert.isTrue(Either.isRight(ServiceConnector.canServe(makeRecording({ type: "company" }).connector, other)))
    })
  })
})
