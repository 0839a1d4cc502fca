import { generateKeyPairSync } from "node:crypto"
import * as FetchHttpClient from "@effect/platform/FetchHttpClient"
import { assert, describe, it } from "@effect/vitest"
import * as Config from "effect/Config"
import * as ConfigProvider from "effect/ConfigProvider"
import * as DateTime from "effect/DateTime"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as FastCheck from "effect/FastCheck"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import * as TestClock from "effect/TestClock"
import * as GitHubConnector from "../../src/connector/GitHubConnector.ts"
import * as ServiceConnector from "../../src/connector/ServiceConnector.ts"
import type * as Credential from "../../src/credential/Credential.ts"
import { registryUriText } from "../../src/testing/Arbitraries.ts"
import { assertHidesCanary, canary } from "../credential/support/secrets.ts"
import { countSteps, hostileTexts } from "../support/countSteps.ts"
import * as FakeGitHub from "./support/fakeGitHub.ts"
import { type Answer, nobody, silence } from "./support/loopback.ts"

const http = Effect.provide(FetchHttpClient.layer)
const make = (options: GitHubConnector.Options) => http(GitHubConnector.make(options))

const withVariables = (entries: Readonly<Record<string, string>>) =>
  Effect.withConfigProvider(ConfigProvider.fromMap(new Map(Object.entries(entries))))

const loginOf = ({ kind }: Credential.Credential) =>
  kind._tag === "UsernamePassword" ? [kind.username, Redacted.value(kind.password)] : []

const given = { authMethod: "token", token: Redacted.make("ghp_one") } as const

const NOON = Date.UTC(2026, 0, 2, 12)

/** The App `7` at a fake GitHub, at noon by both clocks. */
const app = Effect.fnUntraced(function* (
  options: Partial<FakeGitHub.Options> = {},
  more: Partial<GitHubConnector.AppInstallationOptions> = {}
) {
  yield* TestClock.setTime(NOON)
  const github = yield* FakeGitHub.make({ token: (issue) => `ghs_${issue}`, now: () => NOON, ...options })
  const connector = yield* make({
    authMethod: "app-installation",
    appId: "7",
    privateKey: Redacted.make(FakeGitHub.privateKeys["PKCS#1"]),
    apiUrl: github.apiUrl,
    ...more
  })
  return { connector, github }
})

const answering = (answer: Answer) => ({ instead: () => answer })

describe("GitHubConnector", () => {
  describe("token", () => {
    it.effect("gives the token with a name that GitHub takes, of which it is not known when it ends", () =>
      Effect.scoped(
        Effect.gen(function* () {
          yield* TestClock.setTime(NOON)
          const connector = yield* make(given)
          const credential = yield* connector.issue("ghcr.io/acme")
          assert.deepStrictEqual(loginOf(credential), ["x-access-token", "ghp_one"])
          assert.deepStrictEqual(
            [credential.host, credential.expiry._tag, connector.type, connector.authMethod],
            ["ghcr.io", "Unknown", "github", "token"]
          )
          const named = yield* make({ ...given, username: "octocat" })
          assert.deepStrictEqual(loginOf(yield* named.issue("ghcr.io")), ["octocat", "ghp_one"])
        })
      )
    )

    it.scoped("refuses a token that can not be one, and does not show it", () =>
      Effect.gen(function* () {
        for (const token of ["", `${canary}\n`, `a ${canary}`]) {
          const connector = yield* make({ authMethod: "token", token: Redacted.make(token) })
          const error = yield* Effect.flip(connector.issue("ghcr.io"))
          assert.strictEqual(error.reason, "misconfigured")
          assertHidesCanary(error)
        }
      })
    )
  })

  describe("actions-token", () => {
    const variables = { GITHUB_TOKEN: "ghs_job", GITHUB_ACTOR: "octocat" }

    it.scoped("takes nothing from the environment until it is allowed to", () =>
      Effect.gen(function* () {
        const error = yield* Effect.flip(make({ authMethod: "actions-token" }))
        assert.strictEqual(error.reason, "misconfigured")
        assert.include(error.message, "allowImplicitMethods")
      }).pipe(withVariables(variables))
    )

    it.scoped("gives the job's token with the name of who runs it, whose end is not known", () =>
      Effect.gen(function* () {
        const connector = yield* make({ authMethod: "actions-token", allowImplicitMethods: true })
        const credential = yield* withVariables({})(connector.issue("ghcr.io/acme"))
        assert.deepStrictEqual([...loginOf(credential), credential.expiry._tag], ["octocat", "ghs_job", "Unknown"])
      }).pipe(withVariables(variables))
    )

    it.scoped("says which variable a job has when there is none", () =>
      Effect.gen(function* () {
        const connector = yield* make({ authMethod: "actions-token", allowImplicitMethods: true })
        const error = yield* Effect.flip(connector.issue("ghcr.io"))
        assert.strictEqual(error.reason, "misconfigured")
        assert.include(error.message, "GITHUB_TOKEN")
      }).pipe(withVariables({ GITHUB_ACTOR: "octocat", GITHUB_TOKEN: "" }))
    )
  })

  describe("app-installation", () => {
    it.scoped("asks as the App with an assertion of at most ten minutes that began a minute ago", () =>
      Effect.gen(function* () {
        const { connector, github } = yield* app({}, { installationId: 42 })
        const credential = yield* connector
          .issue("127.0.0.1:5000/acme")
          .pipe(Effect.flip, Effect.zipRight(connector.issue("ghcr.io/acme")))
        assert.deepStrictEqual(loginOf(credential), ["x-access-token", "ghs_1"])
        assert.lengthOf(github.requests, 1)
        const [request] = github.requests
        assert.strictEqual(request?.path, "/api/v3/app/installations/42/access_tokens")
        assert.deepStrictEqual(JSON.parse(request?.body ?? ""), { permissions: { packages: "write" } })
        const seconds = NOON / 1000
        assert.deepStrictEqual(FakeGitHub.claimsOf(request), { iat: seconds - 60, exp: seconds + 540, iss: "7" })
      })
    )

    it.scoped("ends when GitHub says that it ends", () =>
      Effect.gen(function* () {
        const { connector } = yield* app()
        const { expiry } = yield* connector.issue("ghcr.io/acme")
        assert.strictEqual(expiry._tag === "At" && DateTime.formatIso(expiry.at), "2026-01-02T13:00:00.000Z")
        assert.strictEqual(expiry._tag === "At" && expiry.issuedAt.epochMillis, NOON)
      })
    )

    it.scoped("takes an instant of another time zone for what it is", () =>
      Effect.gen(function* () {
        const body = { token: "ghs_x", expires_at: "2026-01-02T14:30:00+02:00" }
        const { connector } = yield* app(answering({ status: 201, body }), { installationId: 42 })
        const { expiry } = yield* connector.issue("ghcr.io/acme")
        assert.strictEqual(expiry._tag === "At" && DateTime.formatIso(expiry.at), "2026-01-02T12:30:00.000Z")
      })
    )

    const forms = { ...FakeGitHub.privateKeys, "one line": FakeGitHub.privateKeys["PKCS#8"].replaceAll("\n", "\\n") }
    for (const [form, pem] of Object.entries(forms)) {
      it.scoped(`signs with a key in the form ${form}`, () =>
        Effect.gen(function* () {
          const { connector } = yield* app({}, { privateKey: Redacted.make(pem) })
          assert.deepStrictEqual(loginOf(yield* connector.issue("ghcr.io/acme")), ["x-access-token", "ghs_1"])
        })
      )
    }

    it.scoped("refuses a key that can not be an App's, and does not show it", () =>
      Effect.gen(function* () {
        const { privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" })
        const locked = generateKeyPairSync("rsa", { modulusLength: 2048 }).privateKey
        const wrong = [
          canary,
          `-----BEGIN PRIVATE KEY-----\n${canary}\n-----END PRIVATE KEY-----`,
          privateKey.export({ type: "pkcs8", format: "pem" }).toString(),
          locked.export({ type: "pkcs8", format: "pem", cipher: "aes-256-cbc", passphrase: canary }).toString()
        ]
        for (const pem of wrong) {
          const error = yield* Effect.flip(app({}, { privateKey: Redacted.make(pem) }))
          assert.strictEqual(error.reason, "misconfigured")
          assertHidesCanary(error)
          for (const line of pem.split("\n").filter((line) => line.length > 20)) assert.notInclude(String(error), line)
        }
      })
    )

    it.scoped("finds the installation of the owner in the address, an organisation or a user", () =>
      Effect.gen(function* () {
        const { connector, github } = yield* app({ installations: { "orgs/acme": 42, "users/octocat": 43 } })
        yield* connector.issue("https://ghcr.io/acme/team/app")
        yield* connector.issue("ghcr.io/octocat")
        assert.deepStrictEqual(
          github.requests.map(({ method, path }) => `${method} ${path.replace("/api/v3", "")}`),
          [
            "GET /orgs/acme/installation",
            "POST /app/installations/42/access_tokens",
            "GET /orgs/octocat/installation",
            "GET /users/octocat/installation",
            "POST /app/installations/43/access_tokens"
          ]
        )
      })
    )

    it.scoped("asks nobody when it is not said whose installation it is", () =>
      Effect.gen(function* () {
        const { connector, github } = yield* app()
        const error = yield* Effect.flip(connector.issue("ghcr.io"))
        assert.deepStrictEqual([error.reason, github.requests.length], ["misconfigured", 0])
        assert.include(error.message, "ghcr.io/OWNER")
      })
    )

    it.scoped("is denied where the App is not installed, and says what to do", () =>
      Effect.gen(function* () {
        const { connector } = yield* app()
        const error = yield* Effect.flip(connector.issue("ghcr.io/stranger"))
        assert.deepStrictEqual([error.reason, error.resource, error.isRetryable], ["denied", "ghcr.io/stranger", false])
        assert.include(error.message, "packages: write")
        const wrongId = yield* Effect.flatMap(app({}, { installationId: 1 }), ({ connector }) =>
          Effect.flip(connector.issue("ghcr.io/acme"))
        )
        assert.include(wrongId.message, "404 (Integration not found)")
      })
    )

    it.scoped("is denied with another App's key, and when GitHub refuses what the App may do", () =>
      Effect.gen(function* () {
        const other = generateKeyPairSync("rsa", { modulusLength: 2048 }).privateKey
        const { connector } = yield* app(
          {},
          {
            privateKey: Redacted.make(other.export({ type: "pkcs1", format: "pem" }).toString())
          }
        )
        const error = yield* Effect.flip(connector.issue("ghcr.io/acme"))
        assert.strictEqual(error.reason, "denied")
        assert.include(error.message, "A JSON web token could not be decoded")

        for (const status of [403, 422]) {
          const refused = yield* app(answering({ status, body: { message: "no" } }))
          assert.strictEqual((yield* Effect.flip(refused.connector.issue("ghcr.io/acme"))).reason, "denied")
        }
      })
    )

    it.scoped("repeats no secret that GitHub repeats", () =>
      Effect.gen(function* () {
        const { connector } = yield* app({
          instead: ({ headers }) => ({ status: 401, body: { message: `${headers.authorization} ${canary}` } })
        })
        const error = yield* Effect.flip(connector.issue("ghcr.io/acme"))
        assert.notMatch(error.message, /eyJ|Bearer e/)
      })
    )

    it.scoped("takes a refused assertion for a wrong clock when GitHub's differs by more than a minute", () =>
      Effect.gen(function* () {
        const issueAt = (now: number) =>
          Effect.flatMap(app({ now: () => now }), ({ connector }) => Effect.flip(connector.issue("ghcr.io/acme")))
        const ahead = yield* issueAt(NOON - 3_600_000)
        assert.deepStrictEqual([ahead.reason, ahead.isRetryable], ["expired", false])
        assert.include(ahead.message, "this machine's clock is 1h ahead")
        assert.include((yield* issueAt(NOON + 3_600_000)).message, "this machine's clock is 1h behind")
      })
    )

    it.scoped("is unavailable when GitHub has a fault, or wants it slower", () =>
      Effect.gen(function* () {
        const answers: ReadonlyArray<Answer> = [
          { status: 500, body: "<html>" },
          { status: 503, body: { message: "no" } },
          { status: 429, body: { message: "slow" } },
          { status: 403, headers: { "x-ratelimit-remaining": "0" }, body: { message: "API rate limit exceeded" } },
          { status: 403, headers: { "retry-after": "60" }, body: { message: "secondary rate limit" } }
        ]
        for (const answer of answers) {
          const { connector } = yield* app(answering(answer))
          const error = yield* Effect.flip(connector.issue("ghcr.io/acme"))
          assert.deepStrictEqual([error.reason, error.isRetryable], ["unavailable", true], String(answer.status))
        }
      })
    )

    it.scoped("is unavailable where nobody listens, and says so", () =>
      Effect.gen(function* () {
        const { connector } = yield* app({}, { apiUrl: `http://${yield* nobody}` })
        const error = yield* Effect.flip(connector.issue("ghcr.io/acme"))
        assert.strictEqual(error.reason, "unavailable")
        assert.include(error.message, "ECONNREFUSED")
      })
    )

    it.scoped("is unavailable when GitHub does not answer", () =>
      Effect.gen(function* () {
        const asked = yield* Deferred.make<void>()
        const { connector } = yield* app({
          instead: () => {
            Deferred.unsafeDone(asked, Effect.void)
            return silence
          }
        })
        const fiber = yield* Effect.fork(Effect.flip(connector.issue("ghcr.io/acme")))
        yield* Deferred.await(asked)
        yield* TestClock.adjust("30 seconds")
        assert.strictEqual((yield* Fiber.join(fiber)).reason, "unavailable")
      })
    )

    it.scoped("is not denied where something else than GitHub answers", () =>
      Effect.gen(function* () {
        const { connector } = yield* app(answering({ status: 406, body: "<html>" }))
        assert.strictEqual((yield* Effect.flip(connector.issue("ghcr.io/acme"))).reason, "misconfigured")
      })
    )

    const expires_at = "2026-01-02T13:00:00Z"
    const malformed: Readonly<Record<string, unknown>> = {
      "no JSON": `token ${canary}`,
      "no token": { expires_at, other: canary },
      "no end": { token: canary.replace(/[^\w-]/g, "") },
      "an end that is none": { token: canary.replace(/[^\w-]/g, ""), expires_at: "soon" },
      "a token of several lines": { token: `${canary}\r\nx: y`, expires_at }
    }
    for (const [name, body] of Object.entries(malformed)) {
      it.scoped(`does not take an answer with ${name}, and does not show it`, () =>
        Effect.gen(function* () {
          const { connector } = yield* app(answering({ status: 201, body }), { installationId: 42 })
          const error = yield* Effect.flip(connector.issue("ghcr.io/acme"))
          assert.strictEqual(error.reason, "unavailable")
          assertHidesCanary(error)
        })
      )
    }

    it.scoped("refuses an API that it would reach in the clear, and one it can not know", () =>
      Effect.gen(function* () {
        const wrong: ReadonlyArray<Partial<GitHubConnector.AppInstallationOptions>> = [
          { apiUrl: "http://github.example.com/api/v3" },
          { apiUrl: "github.example.com" },
          { apiUrl: `https://u:${canary}@github.example.com` },
          { apiUrl: undefined, host: "containers.github.example.com" },
          { host: "ghcr.io/acme" }
        ]
        for (const options of wrong) {
          const error = yield* Effect.flip(app({}, options))
          assert.strictEqual(error.reason, "misconfigured")
          assertHidesCanary(error)
        }
      })
    )

    describe("shares an issue", () => {
      /** A GitHub that waits for `open` before it issues. */
      const held = Effect.gen(function* () {
        const asked = yield* Deferred.make<void>()
        const gate = yield* Deferred.make<Answer>()
        const answer = Effect.runPromise(Deferred.await(gate))
        const instead = ({ method }: { readonly method: string }) => {
          if (method !== "POST") return undefined
          Deferred.unsafeDone(asked, Effect.void)
          return answer
        }
        const open = Deferred.succeed(gate, {
          status: 201,
          body: { token: "ghs_held", expires_at: "2026-01-02T13:00:00Z" }
        })
        const fail = Deferred.succeed(gate, { status: 500, body: {} })
        return { asked: Deferred.await(asked), fail, instead, open }
      })

      it.scoped("with all who ask for the installation meanwhile, and with nobody afterwards", () =>
        Effect.gen(function* () {
          const gate = yield* held
          const { connector, github } = yield* app({ instead: gate.instead })
          const fibers = yield* Effect.forEach(["ghcr.io/acme", "ghcr.io/acme/team", "ghcr.io/acme"], (id) =>
            Effect.fork(connector.issue(id))
          )
          yield* gate.asked
          yield* gate.open
          const credentials = yield* Fiber.join(Fiber.all(fibers))
          assert.deepStrictEqual(
            new Set(credentials.map((credential) => loginOf(credential)[1])),
            new Set(["ghs_held"])
          )
          assert.strictEqual(github.issues(), 1)
          yield* connector.issue("ghcr.io/acme")
          assert.strictEqual(github.issues(), 2)
        })
      )

      it.scoped("but not with another installation, nor with another App's connector", () =>
        Effect.gen(function* () {
          const installations = { "orgs/acme": 42, "orgs/other": 43 }
          const first = yield* app({ installations, token: () => "ghs_first" })
          const second = yield* app({ installations, token: () => "ghs_second" }, { installationId: 42 })
          const [one, , two] = yield* Effect.all(
            [
              first.connector.issue("ghcr.io/acme"),
              first.connector.issue("ghcr.io/other"),
              second.connector.issue("ghcr.io/acme")
            ],
            { concurrency: "unbounded" }
          )
          assert.deepStrictEqual([loginOf(one)[1], loginOf(two)[1]], ["ghs_first", "ghs_second"])
          assert.deepStrictEqual([first.github.issues(), second.github.issues()], [2, 1])
        })
      )

      it.scoped("which an interrupted caller takes from nobody", () =>
        Effect.gen(function* () {
          const gate = yield* held
          const { connector, github } = yield* app({ instead: gate.instead }, { installationId: 42 })
          const first = yield* Effect.fork(connector.issue("ghcr.io/acme"))
          yield* gate.asked
          const second = yield* Effect.fork(connector.issue("ghcr.io/other"))
          yield* Effect.yieldNow()
          yield* Fiber.interrupt(first)
          yield* gate.open
          assert.deepStrictEqual(loginOf(yield* Fiber.join(second))[1], "ghs_held")
          assert.strictEqual(github.issues(), 1)
        })
      )

      it.scoped("and no failure with who comes later", () =>
        Effect.gen(function* () {
          let fails = true
          const { connector } = yield* app({
            instead: () => (fails ? { status: 500, body: {} } : undefined)
          })
          yield* Effect.flip(connector.issue("ghcr.io/acme"))
          fails = false
          assert.strictEqual(loginOf(yield* connector.issue("ghcr.io/acme"))[1], "ghs_1")
        })
      )
    })
  })

  describe("resource ids", () => {
    it.scoped("are the host and the owner in every spelling", () =>
      Effect.gen(function* () {
        const { connector, github } = yield* app({}, { installationId: 42 })
        for (const id of ["ghcr.io", "HTTPS://GHCR.IO/acme/", "ghcr.io/acme/team/app"]) yield* connector.issue(id)
        assert.strictEqual(github.issues(), 3)
      })
    )

    it.scoped("are of the connector's host alone: a token is sent to nobody else", () =>
      Effect.gen(function* () {
        const ghcr = yield* make(given)
        for (const id of [
          "ghcr.io.evil.com/acme",
          "evil.com/ghcr.io",
          "acme",
          "ghcr.io:444",
          "docker.io/ghcr.io",
          ""
        ]) {
          const error = yield* Effect.flip(ghcr.issue(id))
          assert.strictEqual(error.reason, "misconfigured", id)
        }
        const enterprise = yield* make({ ...given, host: "Containers.GitHub.Example.com" })
        assert.strictEqual(
          (yield* enterprise.issue("containers.github.example.com/acme")).host,
          "containers.github.example.com"
        )
        assert.strictEqual((yield* Effect.flip(enterprise.issue("ghcr.io/acme"))).reason, "misconfigured")
      })
    )

    it.effect("give a credential for their own host, or an error, whatever the text", () =>
      Effect.scoped(
        Effect.gen(function* () {
          const connector = yield* make(given)
          const texts = FastCheck.oneof(
            registryUriText,
            FastCheck.string(),
            registryUriText.map((text) => `ghcr.io/${text}`)
          )
          FastCheck.assert(
            FastCheck.property(texts, (text) => {
              const issued = Effect.runSync(Effect.either(connector.issue(text)))
              return Either.isLeft(issued) ? issued.left.reason === "misconfigured" : issued.right.host === "ghcr.io"
            }),
            { numRuns: 200 }
          )
        })
      )
    )

    it.scoped("take steps linear in their length", () =>
      Effect.gen(function* () {
        const connector = yield* make(given)
        for (const [name, text] of Object.entries(hostileTexts)) {
          const long = `ghcr.io/${text(100_000)}`
          const steps = countSteps(() => void Effect.runSync(Effect.either(connector.issue(long))))
          assert.isBelow(steps, 4_000_000, name)
        }
      })
    )
  })

  it.effect("is a layer, from options and from the configuration", () =>
    Effect.gen(function* () {
      const issue = Effect.flatMap(ServiceConnector.ServiceConnector, ({ issue }) => issue("ghcr.io/acme"))
      const layers = [
        GitHubConnector.layer(given),
        GitHubConnector.layerConfig({ authMethod: Config.succeed("token"), token: Config.redacted("TOKEN") })
      ]
      for (const layer of layers) {
        const credential = yield* Effect.provide(issue, Layer.provide(layer, FetchHttpClient.layer))
        assert.strictEqual(loginOf(credential)[1], "ghp_one")
      }
    }).pipe(withVariables({ TOKEN: "ghp_one" }))
  )
})
