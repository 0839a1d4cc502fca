/**
 * Credentials for GitHub's container registry: a personal token, a workflow's token, or a GitHub App's installation.
 *
 * @since 0.1.0
 */
import type * as HttpClient from "@effect/platform/HttpClient"
import * as Config from "effect/Config"
import type { ConfigError } from "effect/ConfigError"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Layer from "effect/Layer"
import type * as Redacted from "effect/Redacted"
import type * as Scope from "effect/Scope"
import * as Credential from "../credential/Credential.ts"
import * as RegistryUri from "../reference/RegistryUri.ts"
import { ConnectorError } from "./ConnectorError.ts"
import { type App, type Installation, issueToken, readApiUrl, readPrivateKey } from "./internal/githubApp.ts"
import { credentialOf, type Login, registryHost, resourceIdOn } from "./internal/givenToken.ts"
import { environmentLogin } from "./internal/implicitLogin.ts"
import { makeSharedIssue } from "./internal/sharedIssue.ts"
import * as ServiceConnector from "./ServiceConnector.ts"

/**
 * A personal access token with `write:packages`, which GitHub gives as a classic token only. Its end is not known to
 * gantry.
 *
 * - `username`: GitHub takes any; `x-access-token` unless given
 * - `host`: the registry's host, `ghcr.io` unless given; `containers.HOST` for GitHub Enterprise Server
 *
 * @since 0.1.0
 * @category models
 */
export interface TokenOptions {
  readonly authMethod: "token"
  readonly token: Redacted.Redacted
  readonly username?: string | undefined
  readonly host?: string | undefined
}

/**
 * The token of a job of GitHub Actions, from the variables `GITHUB_TOKEN` and `GITHUB_ACTOR`, which the workflow gives
 * `permissions: packages: write`. It ends with the job. Because it takes what happens to be in the environment it is off
 * until `allowImplicitMethods` is true, or `GANTRY_ENABLE_IMPLICIT_AUTH_METHODS` is.
 *
 * @since 0.1.0
 * @category models
 */
export interface ActionsTokenOptions {
  readonly authMethod: "actions-token"
  readonly allowImplicitMethods?: boolean | undefined
  readonly host?: string | undefined
}

/**
 * A GitHub App that is installed where the packages are, with the permission `packages: write`. Its tokens last an hour.
 *
 * - `appId`: the App's id or its client id
 * - `privateKey`: the App's key, a PEM text (PKCS#1 or PKCS#8)
 * - `installationId`: looked up for the owner in the registry's address (`ghcr.io/OWNER`) unless given
 * - `apiUrl`: `https://api.github.com` unless given; `https://HOST/api/v3` for GitHub Enterprise Server, whose registry
 *   needs its `host` too
 *
 * @since 0.1.0
 * @category models
 */
export interface AppInstallationOptions {
  readonly authMethod: "app-installation"
  readonly appId: string
  readonly privateKey: Redacted.Redacted
  readonly installationId?: number | undefined
  readonly apiUrl?: string | undefined
  readonly host?: string | undefined
}

/**
 * @since 0.1.0
 * @category models
 */
export type Options = TokenOptions | ActionsTokenOptions | AppInstallationOptions

const type = "github"
const GHCR = "ghcr.io"
const API = "https://api.github.com"

const misconfigured = (detail: string) => new ConnectorError({ connector: type, reason: "misconfigured", detail })

type Issue = ServiceConnector.Options["issue"]

const issueGiven =
  (login: Effect.Effect<Login, ConnectorError>): Issue =>
  (resource) =>
    Effect.flatMap(login, (given) => credentialOf(type, resource, given))

const readApp = (options: AppInstallationOptions, host: string): Either.Either<App, ConnectorError> =>
  Either.gen(function* () {
    if (options.apiUrl === undefined && host !== GHCR) {
      return yield* Either.left(misconfigured(`apiUrl is missing, the address of the API beside ${host}`))
    }
    const key = yield* readPrivateKey(options.privateKey)
    const apiUrl = yield* readApiUrl(options.apiUrl ?? API)
    return { appId: options.appId, key, apiUrl }
  })

/** The key of an issue: what GitHub gives out is an installation's, whatever registry it is asked for. */
const installationOf = (
  { installationId }: AppInstallationOptions,
  resource: string
): Either.Either<Installation, ConnectorError> => {
  if (installationId !== undefined) return Either.right({ id: installationId })
  const { host, path } = RegistryUri.unsafeParse(resource)
  return path === ""
    ? Either.left(
        misconfigured(
          `whose installation it is is not said; write the registry as ${host}/OWNER, or give installationId`
        )
      )
    : Either.right({ owner: path })
}

const makeAppIssue = Effect.fnUntraced(function* (options: AppInstallationOptions, host: string) {
  const app = yield* readApp(options, host)
  const share = yield* makeSharedIssue((resource) =>
    Effect.flatMap(installationOf(options, resource), (installation) => issueToken(app, installation, resource))
  )
  const issue: Issue = (resource) =>
    Effect.map(share(options.installationId === undefined ? resource : host), ({ expiresAt, issuedAt, token }) =>
      Credential.usernamePassword({
        host,
        // With another name GitHub refuses to push: reference/auth.md section 8.
        username: "x-access-token",
        password: token,
        expiry: Credential.Expiry.At({ at: expiresAt, issuedAt })
      })
    )
  return issue
})

const makeIssue = (
  options: Options,
  host: string
): Effect.Effect<Issue, ConnectorError, HttpClient.HttpClient | Scope.Scope> => {
  switch (options.authMethod) {
    case "token": {
      const { token, username = "x-access-token" } = options
      return Effect.succeed(issueGiven(Effect.succeed({ username, token })))
    }
    case "actions-token":
      return Effect.map(
        environmentLogin({
          connector: type,
          method: options.authMethod,
          allowed: options.allowImplicitMethods,
          candidates: [{ username: Config.nonEmptyString("GITHUB_ACTOR"), token: "GITHUB_TOKEN" }]
        }),
        issueGiven
      )
    case "app-installation":
      return makeAppIssue(options, host)
  }
}

/**
 * Makes a connector for GitHub's container registry. Its resource id is `ghcr.io[/OWNER]`.
 *
 * Fails with a `ConnectorError` (`misconfigured`) when the options can not work. An issue is `denied` when GitHub refuses the
 * App, `expired` when this machine's clock is the likely reason, and `unavailable` when GitHub does not answer. All who
 * ask for one installation at the same time share one issue.
 *
 * Source: https://docs.github.com/packages/working-with-a-github-packages-registry/working-with-the-container-registry,
 * https://docs.github.com/rest/apps/apps#create-an-installation-access-token-for-an-app
 *
 * @since 0.1.0
 * @category constructors
 */
export const make = Effect.fn("GitHubConnector.make")(function* (
  options: Options
): Effect.fn.Return<ServiceConnector.ServiceConnector, ConnectorError, HttpClient.HttpClient | Scope.Scope> {
  const host = yield* registryHost(type, options.host ?? GHCR)
  return ServiceConnector.make({
    type,
    authMethod: options.authMethod,
    parseResourceId: resourceIdOn(host, 1),
    issue: yield* makeIssue(options, host)
  })
})

/**
 * The application's connector.
 *
 * @since 0.1.0
 * @category layers
 * @example
 * import { GitHubConnector } from "gantry"
 * import { FetchHttpClient } from "@effect/platform"
 * import { Config, Layer } from "effect"
 *
 * export const live = GitHubConnector.layerConfig({
 *   authMethod: Config.succeed("app-installation"),
 *   appId: Config.string("GITHUB_APP_ID"),
 *   privateKey: Config.redacted("GITHUB_APP_PRIVATE_KEY")
 * }).pipe(Layer.provide(FetchHttpClient.layer))
 */
export const layer = (
  options: Options
): Layer.Layer<ServiceConnector.ServiceConnector, ConnectorError, HttpClient.HttpClient> =>
  Layer.scoped(ServiceConnector.ServiceConnector, make(options))

/**
 * The application's connector, with its options from `Config`.
 *
 * @since 0.1.0
 * @category layers
 */
export const layerConfig = (
  config: Config.Config.Wrap<Options>
): Layer.Layer<ServiceConnector.ServiceConnector, ConnectorError | ConfigError, HttpClient.HttpClient> =>
  Layer.unwrapEffect(Effect.map(Config.unwrap(config), layer))
