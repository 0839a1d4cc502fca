import { assert, describe, it } from "@effect/vitest"
import * as Config from "effect/Config"
import * as ConfigProvider from "effect/ConfigProvider"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as FastCheck from "effect/FastCheck"
import * as Redacted from "effect/Redacted"
import * as GitLabConnector from "../../src/connector/GitLabConnector.ts"
import * as ServiceConnector from "../../src/connector/ServiceConnector.ts"
import type * as Credential from "../../src/credential/Credential.ts"
import { registryUriText } from "../../src/testing/Arbitraries.ts"
import { assertHidesCanary, canary } from "../credential/support/secrets.ts"
import { countSteps, hostileTexts } from "../support/countSteps.ts"

const withVariables = (entries: Readonly<Record<string, string>>) =>
  Effect.withConfigProvider(ConfigProvider.fromMap(new Map(Object.entries(entries))))

const loginOf = ({ expiry, kind }: Credential.Credential) =>
  kind._tag === "UsernamePassword" ? [kind.username, Redacted.value(kind.password), expiry._tag] : []

const token = Redacted.make("glpat-one")
const given = { authMethod: "personal-token", username: "bot", token } as const
const job = { authMethod: "job-token", allowImplicitMethods: true } as const

const project = "registry.gitlab.com/group/project"

describe("GitLabConnector", () => {
  for (const authMethod of ["deploy-token", "personal-token"] as const) {
    it.effect(`gives what it was given with ${authMethod}, of which it is not known when it ends`, () =>
      Effect.gen(function* () {
        const connector = yield* GitLabConnector.make({ authMethod, username: "gitlab+deploy-token-1", token })
        assert.deepStrictEqual([connector.type, connector.authMethod], ["gitlab", authMethod])
        assert.deepStrictEqual(loginOf(yield* connector.issue(project)), [
          "gitlab+deploy-token-1",
          "glpat-one",
          "Unknown"
        ])
      })
    )

    it.effect(`refuses what can not be a token with ${authMethod}, and does not show it`, () =>
      Effect.gen(function* () {
        for (const text of ["", `${canary}\r\n`]) {
          const connector = yield* GitLabConnector.make({ authMethod, username: "bot", token: Redacted.make(text) })
          const error = yield* Effect.flip(connector.issue(project))
          assert.strictEqual(error.reason, "misconfigured")
          assertHidesCanary(error)
        }
      })
    )
  }

  describe("job-token", () => {
    const registry = { CI_REGISTRY_USER: "gitlab-ci-token", CI_REGISTRY_PASSWORD: "glcbt-registry" }

    it.effect("takes nothing from the environment until it is allowed to", () =>
      Effect.gen(function* () {
        const error = yield* Effect.flip(GitLabConnector.make({ authMethod: "job-token" }))
        assert.strictEqual(error.reason, "misconfigured")
        assert.include(error.message, "allowImplicitMethods")
      }).pipe(withVariables(registry))
    )

    it.effect("gives the job's login at its registry, which ends with the job", () =>
      Effect.gen(function* () {
        const connector = yield* GitLabConnector.make(job)
        const credential = yield* withVariables({})(connector.issue(project))
        assert.deepStrictEqual(loginOf(credential), ["gitlab-ci-token", "glcbt-registry", "Unknown"])
      }).pipe(withVariables({ ...registry, CI_JOB_TOKEN: "glcbt-job" }))
    )

    it.effect("gives the job's token where there is no login", () =>
      Effect.gen(function* () {
        const connector = yield* GitLabConnector.make(job)
        assert.deepStrictEqual(loginOf(yield* connector.issue(project)), ["gitlab-ci-token", "glcbt-job", "Unknown"])
      }).pipe(withVariables({ CI_JOB_TOKEN: "glcbt-job" }))
    )

    it.effect("says which variables a job has when there are none", () =>
      Effect.gen(function* () {
        const connector = yield* GitLabConnector.make(job)
        const error = yield* Effect.flip(connector.issue(project))
        assert.strictEqual(error.reason, "misconfigured")
        assert.include(error.message, "CI_REGISTRY_PASSWORD or CI_JOB_TOKEN")
      }).pipe(withVariables({}))
    )
  })

  describe("resource ids", () => {
    it.effect("are of the connector's host alone: a token is sent to nobody else", () =>
      Effect.gen(function* () {
        const saas = yield* GitLabConnector.make(given)
        for (const id of ["gitlab.com/group", "registry.gitlab.com.evil.com/x", "evil.com/registry.gitlab.com", ""]) {
          assert.strictEqual((yield* Effect.flip(saas.issue(id))).reason, "misconfigured", id)
        }
        const own = yield* GitLabConnector.make({ ...given, host: "Registry.Example.com:5050" })
        assert.strictEqual(
          (yield* own.issue("https://registry.example.com:5050/a/b/c/d/")).host,
          "registry.example.com:5050"
        )
        assert.strictEqual((yield* Effect.flip(own.issue(project))).reason, "misconfigured")
      })
    )

    it.effect("refuse a host that is none", () =>
      Effect.gen(function* () {
        for (const host of ["registry.example.com/group", "", "https://u:p@registry.example.com"]) {
          assert.strictEqual((yield* Effect.flip(GitLabConnector.make({ ...given, host }))).reason, "misconfigured")
        }
      })
    )

    it.effect("give a credential for their own host, or an error, whatever the text", () =>
      Effect.gen(function* () {
        const connector = yield* GitLabConnector.make(given)
        const texts = FastCheck.oneof(
          registryUriText,
          FastCheck.string(),
          registryUriText.map((text) => `registry.gitlab.com/${text}`)
        )
        FastCheck.assert(
          FastCheck.property(texts, (text) => {
            const issued = Effect.runSync(Effect.either(connector.issue(text)))
            return Either.isLeft(issued)
              ? issued.left.reason === "misconfigured"
              : issued.right.host === "registry.gitlab.com"
          }),
          { numRuns: 200 }
        )
      })
    )

    it.effect("take steps linear in their length", () =>
      Effect.gen(function* () {
        const connector = yield* GitLabConnector.make(given)
        for (const [name, text] of Object.entries(hostileTexts)) {
          const long = `registry.gitlab.com/${text(100_000)}`
          const steps = countSteps(() => void Effect.runSync(Effect.either(connector.issue(long))))
          assert.isBelow(steps, 4_000_000, name)
        }
      })
    )
  })

  it.effect("is a layer, from options and from the configuration", () =>
    Effect.gen(function* () {
      const issue = Effect.flatMap(ServiceConnector.ServiceConnector, ({ issue }) => issue(project))
      const layers = [
        GitLabConnector.layer(given),
        GitLabConnector.layerConfig({
          authMethod: Config.succeed("personal-token"),
          username: Config.string("NAME"),
          token: Config.redacted("TOKEN")
        })
      ]
      for (const layer of layers) {
        assert.deepStrictEqual(loginOf(yield* Effect.provide(issue, layer)), ["bot", "glpat-one", "Unknown"])
      }
    }).pipe(withVariables({ NAME: "bot", TOKEN: "glpat-one" }))
  )
})
