/**
 * A username and a password for one registry of any kind, Docker Hub unless said otherwise.
 *
 * @since 0.1.0
 */
import * as Config from "effect/Config"
import type { ConfigError } from "effect/ConfigError"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Layer from "effect/Layer"
import type * as Redacted from "effect/Redacted"
import * as Credential from "../credential/Credential.ts"
import * as RegistryUri from "../reference/RegistryUri.ts"
import { ConnectorError } from "./ConnectorError.ts"
import * as ServiceConnector from "./ServiceConnector.ts"

const CONNECTOR = "docker"

/**
 * - `password`: a password, or a token that the registry takes in its place
 * - `registry`: the registry's address; `docker.io` unless given. Its host is what counts
 *
 * @since 0.1.0
 * @category models
 */
export interface Options {
  readonly username: string
  readonly password: Redacted.Redacted
  readonly registry?: string | undefined
}

/**
 * The canonical id of a registry: its host. Every spelling of Docker Hub, and the bare name of an account there, is
 * `docker.io`.
 *
 * @since 0.1.0
 * @category resources
 */
export const resourceId = (text: string): Either.Either<string, RegistryUri.InvalidRegistryUri> =>
  Either.map(RegistryUri.parse(text), ({ host }) => host)

/**
 * Makes a connector. Its credential does not expire: another issue would give the same.
 *
 * Fails with a `ConnectorError` (`misconfigured`) when `registry` is no address. Issuing fails so too, for a registry on
 * another host, to which the password is not sent.
 *
 * @since 0.1.0
 * @category constructors
 */
export const make = Effect.fn("DockerConnector.make")(function* (options: Options) {
  const misconfigured = (detail: string, resource?: string) =>
    new ConnectorError({ connector: CONNECTOR, reason: "misconfigured", resource, detail })
  const host = yield* Either.mapLeft(resourceId(options.registry ?? "docker.io"), ({ message }) =>
    misconfigured(message)
  )
  return ServiceConnector.make({
    type: CONNECTOR,
    authMethod: "password",
    parseResourceId: resourceId,
    issue: (resource) =>
      resource === host
        ? Effect.succeed(Credential.usernamePassword({ host, username: options.username, password: options.password }))
        : Effect.fail(misconfigured(`its password is for ${host} only`, resource)),
    resources: Effect.succeed([host])
  })
})

/**
 * The application's connector.
 *
 * @since 0.1.0
 * @category layers
 */
export const layer = (options: Options): Layer.Layer<ServiceConnector.ServiceConnector, ConnectorError> =>
  Layer.effect(ServiceConnector.ServiceConnector, make(options))

/**
 * The application's connector, with its options from `Config`.
 *
 * @since 0.1.0
 * @category layers
 * @example
 * import { DockerConnector } from "gantry"
 * import { Config } from "effect"
 *
 * export const connector = DockerConnector.layerConfig({
 *   username: Config.string("DOCKERHUB_USERNAME"),
 *   password: Config.redacted("DOCKERHUB_TOKEN")
 * })
 */
export const layerConfig = (
  config: Config.Config.Wrap<Options>
): Layer.Layer<ServiceConnector.ServiceConnector, ConnectorError | ConfigError> =>
  Layer.unwrapEffect(Effect.map(Config.unwrap(config), layer))
