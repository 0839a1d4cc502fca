/**
 * Credentials for GitLab's container registry: a job's token, a deploy token, or a personal, project or group token.
 *
 * @since 0.1.0
 */
import * as Config from "effect/Config"
import type { ConfigError } from "effect/ConfigError"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type * as Redacted from "effect/Redacted"
import type { ConnectorError } from "./ConnectorError.ts"
import { credentialOf, type Login, registryHost, resourceIdOn } from "./internal/givenToken.ts"
import { environmentLogin } from "./internal/implicitLogin.ts"
import * as ServiceConnector from "./ServiceConnector.ts"

/**
 * What a job of GitLab CI may do: the variables `CI_REGISTRY_USER` and `CI_REGISTRY_PASSWORD`, else `CI_JOB_TOKEN`, with
 * which GitLab may let a job read only. It ends with the job. Because it takes what happens to be in the environment it
 * is off until `allowImplicitMethods` is true, or `GANTRY_ENABLE_IMPLICIT_AUTH_METHODS` is.
 *
 * `host` is the registry's host (`CI_REGISTRY`), `registry.gitlab.com` unless given: a self-managed one can not be told by
 * its name.
 *
 * @since 0.1.0
 * @category models
 */
export interface JobTokenOptions {
  readonly authMethod: "job-token"
  readonly allowImplicitMethods?: boolean | undefined
  readonly host?: string | undefined
}

/**
 * A deploy token (`deploy-token`), or a personal, project or group access token (`personal-token`), with `read_registry` and
 * `write_registry`, and the name that it belongs to. Its end is not known to gantry.
 *
 * @since 0.1.0
 * @category models
 */
export interface GivenTokenOptions {
  readonly authMethod: "deploy-token" | "personal-token"
  readonly username: string
  readonly token: Redacted.Redacted
  readonly host?: string | undefined
}

/**
 * @since 0.1.0
 * @category models
 */
export type Options = JobTokenOptions | GivenTokenOptions

const type = "gitlab"
const GITLAB_COM = "registry.gitlab.com"

const loginOf = (options: Options): Effect.Effect<Effect.Effect<Login, ConnectorError>, ConnectorError> =>
  options.authMethod === "job-token"
    ? environmentLogin({
        connector: type,
        method: options.authMethod,
        allowed: options.allowImplicitMethods,
        candidates: [
          { username: Config.nonEmptyString("CI_REGISTRY_USER"), token: "CI_REGISTRY_PASSWORD" },
          { username: Config.succeed("gitlab-ci-token"), token: "CI_JOB_TOKEN" }
        ]
      })
    : Effect.succeed(Effect.succeed({ username: options.username, token: options.token }))

/**
 * Makes a connector for GitLab's container registry. Its resource id is the registry's host with any path below it.
 *
 * Fails with a `ConnectorError` (`misconfigured`) when the options can not work; so does an issue when the job has no token.
 *
 * Source: https://docs.gitlab.com/user/packages/container_registry/authenticate_with_container_registry/
 *
 * @since 0.1.0
 * @category constructors
 */
export const make = Effect.fn("GitLabConnector.make")(function* (options: Options) {
  const host = yield* registryHost(type, options.host ?? GITLAB_COM)
  const login = yield* loginOf(options)
  return ServiceConnector.make({
    type,
    authMethod: options.authMethod,
    parseResourceId: resourceIdOn(host),
    issue: (resource) => Effect.flatMap(login, (given) => credentialOf(type, resource, given))
  })
})

/**
 * The application's connector.
 *
 * @since 0.1.0
 * @category layers
 * @example
 * import { GitLabConnector } from "gantry"
 * import { Config } from "effect"
 *
 * export const live = GitLabConnector.layerConfig({
 *   authMethod: Config.succeed("deploy-token"),
 *   username: Config.string("DEPLOY_USER"),
 *   token: Config.redacted("DEPLOY_TOKEN"),
 *   host: Config.succeed("registry.gitlab.example.com")
 * })
 */
export const layer = (options: Options): Layer.Layer<ServiceConnector.ServiceConnector, ConnectorError> =>
  Layer.effect(ServiceConnector.ServiceConnector, make(options))

/**
 * The application's connector, with its options from `Config`.
 *
 * @since 0.1.0
 * @category layers
 */
export const layerConfig = (
  config: Config.Config.Wrap<Options>
): Layer.Layer<ServiceConnector.ServiceConnector, ConnectorError | ConfigError> =>
  Layer.unwrapEffect(Effect.map(Config.unwrap(config), layer))
