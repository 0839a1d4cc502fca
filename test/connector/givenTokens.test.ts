/**
 * The methods whose token GitHub and GitLab issued beforehand, at registries that ask for it as theirs do.
 */
import * as FetchHttpClient from "@effect/platform/FetchHttpClient"
import { assert, describe, it } from "@effect/vitest"
import * as ConfigProvider from "effect/ConfigProvider"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Redacted from "effect/Redacted"
import { TestTransport } from "gantry/testing"
import * as GitHubConnector from "../../src/connector/GitHubConnector.ts"
import * as GitLabConnector from "../../src/connector/GitLabConnector.ts"
import type { ServiceConnector } from "../../src/connector/ServiceConnector.ts"
import * as Authentication from "../../src/registry/Authentication.ts"
import * as ContainerRegistry from "../../src/registry/ContainerRegistry.ts"
import { assertHidesCanary, canary } from "../credential/support/secrets.ts"
import { type Answer, nobody, serve } from "./support/loopback.ts"

const text = "token-9f86d081884c7d65"
const token = Redacted.make(text)
const job = { GITHUB_ACTOR: "octocat", GITHUB_TOKEN: text, CI_REGISTRY_USER: "ci", CI_REGISTRY_PASSWORD: text }

/** Each method with the name that its registry is to be told. */
const methods: Readonly<
  Record<string, readonly [username: string, make: (host: string) => Effect.Effect<ServiceConnector, unknown>]>
> = {
  "github token": ["x-access-token", (host) => github({ authMethod: "token", token, host })],
  "github actions-token": [
    "octocat",
    (host) => github({ authMethod: "actions-token", allowImplicitMethods: true, host })
  ],
  "gitlab job-token": [
    "ci",
    (host) => GitLabConnector.make({ authMethod: "job-token", allowImplicitMethods: true, host })
  ],
  "gitlab deploy-token": [
    "deploy",
    (host) => GitLabConnector.make({ authMethod: "deploy-token", username: "deploy", token, host })
  ],
  "gitlab personal-token": [
    "bot",
    (host) => GitLabConnector.make({ authMethod: "personal-token", username: "bot", token, host })
  ]
}

const github = (options: GitHubConnector.Options) =>
  Effect.scoped(Effect.provide(GitHubConnector.make(options), FetchHttpClient.layer))

const basic = (username: string) => `Basic ${Buffer.from(`${username}:${text}`).toString("base64")}`

/**
 * A registry whose token server answers as given: https://distribution.github.io/distribution/spec/auth/token/. GitLab's is
 * at `/jwt/auth`, GitHub's at `/token`.
 */
const registry = (tokenAnswer: (authorization: string | undefined) => Answer) =>
  serve(({ headers, path }, host) => {
    if (path.startsWith("/jwt/auth")) return tokenAnswer(headers.authorization)
    if (headers.authorization === "Bearer issued") return { status: 200, body: {} }
    const challenge = `Bearer realm="http://${host}/jwt/auth",service="container_registry"`
    return { status: 401, headers: { "www-authenticate": challenge }, body: { errors: [] } }
  })

const verify = (host: string, make: (host: string) => Effect.Effect<ServiceConnector, unknown>) =>
  Effect.gen(function* () {
    const connector = yield* make(host)
    const made = yield* ContainerRegistry.make({
      uri: `${host}/acme`,
      authentication: Authentication.connector(Tag)
    }).pipe(Effect.provideService(Tag, connector))
    return yield* Effect.either(made.verify)
  }).pipe(
    Effect.scoped,
    Effect.provide(TestTransport.layer()),
    Effect.withConfigProvider(ConfigProvider.fromMap(new Map(Object.entries(job))))
  )

class Tag extends Context.Tag("test/GivenToken")<Tag, ServiceConnector>() {}

const outcomeOf = (checked: Effect.Effect.Success<ReturnType<typeof verify>>) =>
  Either.match(checked, { onLeft: ({ _tag }) => _tag, onRight: () => "accepted" })

for (const [method, [username, make]] of Object.entries(methods)) {
  describe(method, () => {
    it.scoped("logs in at the token server with its name and token", () =>
      Effect.gen(function* () {
        const { host } = yield* registry((authorization) =>
          authorization === basic(username)
            ? { status: 200, body: { token: "issued" } }
            : { status: 401, body: { errors: [{ code: "UNAUTHORIZED" }] } }
        )
        assert.strictEqual(outcomeOf(yield* verify(host, make)), "accepted")
      })
    )

    it.scoped("tells a refused token, one without rights, a token server that talks nonsense and nobody apart", () =>
      Effect.gen(function* () {
        const answers: ReadonlyArray<readonly [Answer, string]> = [
          [
            { status: 401, body: { errors: [{ code: "UNAUTHORIZED", message: "HTTP Basic: Access denied" }] } },
            "RegistryUnauthorized"
          ],
          [{ status: 403, body: { errors: [{ code: "DENIED", message: "access forbidden" }] } }, "RegistryDenied"],
          [{ status: 200, body: `<html>${canary}` }, "RegistryUnavailable"]
        ]
        for (const [answer, outcome] of answers) {
          const { host } = yield* registry(() => answer)
          const checked = yield* verify(host, make)
          assert.strictEqual(outcomeOf(checked), outcome)
          assertHidesCanary(checked)
          assert.notInclude(String(checked), text)
        }
        assert.strictEqual(outcomeOf(yield* verify(yield* nobody, make)), "RegistryUnavailable")
      })
    )
  })
}
