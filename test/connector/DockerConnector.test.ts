import { inspect } from "node:util"
import { assert, describe, it } from "@effect/vitest"
import * as Config from "effect/Config"
import * as ConfigProvider from "effect/ConfigProvider"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Equal from "effect/Equal"
import * as FastCheck from "effect/FastCheck"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as DockerConnector from "../../src/connector/DockerConnector.ts"
import * as ServiceConnector from "../../src/connector/ServiceConnector.ts"
import * as Credential from "../../src/credential/Credential.ts"
import { registryUriText } from "../../src/testing/Arbitraries.ts"
import { countSteps, hostileTexts } from "../support/countSteps.ts"

const login = { username: "team", password: Redacted.make("canary-4f1d0c") }

const idOf = (text: string) => Option.getOrUndefined(Either.getRight(DockerConnector.resourceId(text)))

describe("DockerConnector", () => {
  it.effect("gives its password to Docker Hub, however it is called, and it does not expire", () =>
    Effect.gen(function* () {
      const connector = yield* DockerConnector.make(login)
      assert.deepStrictEqual([connector.type, connector.authMethod], ["docker", "password"])
      assert.deepStrictEqual(yield* connector.resources, ["docker.io"])
      assert.isTrue(Option.isNone(connector.ensureRepository))
      const expected = Credential.usernamePassword({ host: "docker.io", ...login })
      for (const id of [
        "docker.io",
        "https://index.docker.io/v1/",
        "registry-1.docker.io",
        "my-account",
        "docker.io/team"
      ]) {
        const credential = yield* connector.issue(id)
        assert.isTrue(Equal.equals(credential, expected), id)
        assert.strictEqual(credential.expiry._tag, "Never")
      }
    })
  )

  it.effect("gives its password to the host of its registry, whatever lies below", () =>
    Effect.gen(function* () {
      const connector = yield* DockerConnector.make({ ...login, registry: "https://Reg.IO:5000/team/" })
      assert.deepStrictEqual(yield* connector.resources, ["reg.io:5000"])
      assert.strictEqual((yield* connector.issue("reg.io:5000/other")).host, "reg.io:5000")
    })
  )

  it.effect("gives its password to no other host", () =>
    Effect.gen(function* () {
      const connector = yield* DockerConnector.make({ ...login, registry: "reg.io" })
      for (const id of ["reg.io:5000", "evil-reg.io", "reg.io.evil.com", "my-account", "evil.com/reg.io"]) {
        const error = yield* Effect.flip(connector.issue(id))
        assert.deepStrictEqual([error.connector, error.reason], ["docker", "misconfigured"])
        assert.include(error.message, "reg.io only")
        assert.notInclude(inspect(error, { depth: 9 }), "canary")
      }
    })
  )

  it.effect("is misconfigured by a registry that is no address, and repeats no password of it", () =>
    Effect.gen(function* () {
      for (const registry of ["", "reg io", "https://ci:hunter2@reg.io"]) {
        const error = yield* Effect.flip(DockerConnector.make({ ...login, registry }))
        assert.strictEqual(error.reason, "misconfigured")
        assert.notInclude(inspect(error, { depth: 9 }), "hunter2")
      }
    })
  )

  it.effect("takes its options from the configuration", () => {
    const layer = DockerConnector.layerConfig({
      username: Config.string("USERNAME"),
      password: Config.redacted("PASSWORD")
    })
    return Effect.gen(function* () {
      const connector = yield* ServiceConnector.ServiceConnector
      const { kind } = yield* connector.issue("docker.io")
      assert.isTrue(Equal.equals(kind, Credential.CredentialKind.UsernamePassword(login)))
    }).pipe(
      Effect.provide(layer),
      Effect.withConfigProvider(
        ConfigProvider.fromMap(
          new Map([
            ["USERNAME", "team"],
            ["PASSWORD", "canary-4f1d0c"]
          ])
        )
      )
    )
  })

  describe("resourceId", () => {
    it("gives the host and port, and docker.io for everything of Docker Hub", () => {
      const known = [
        ["https://index.docker.io/v1/", "docker.io"],
        ["my-account", "docker.io"],
        ["docker.io/team/app", "docker.io"],
        ["localhost:5000/foo", "localhost:5000"],
        ["https://host.example/x", "host.example"],
        ["reg.io/", "reg.io"],
        ["[::1]:5000", "[::1]:5000"]
      ] as const
      for (const [text, id] of known) assert.strictEqual(idOf(text), id, text)
    })

    it("gives an id that is its own id, for every registry URI, and never throws", () => {
      FastCheck.assert(
        FastCheck.property(registryUriText, (text) => {
          const id = idOf(text)
          return id !== undefined && idOf(id) === id
        }),
        { numRuns: 50 }
      )
      FastCheck.assert(
        FastCheck.property(FastCheck.string({ unit: "binary" }), (text) => {
          const id = idOf(text)
          return id === undefined || idOf(id) === id
        })
      )
    })

    it("takes steps linear in the length of a hostile id", () => {
      for (const [name, text] of Object.entries(hostileTexts)) {
        assert.isBelow(
          countSteps(() => DockerConnector.resourceId(text(100_000))),
          3_000_000,
          name
        )
      }
    })
  })
})
