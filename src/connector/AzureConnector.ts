/**
 * Credentials for Azure Container Registry: registries of every cloud, by their login servers.
 *
 * What it needs is the right to push (the role AcrPush): it does not look into subscriptions, and does not use a registry's
 * admin account. It needs Microsoft's SDK, `@azure/identity`, which is loaded when it is first used, for every method but
 * `access-token`.
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
import { ConnectorError } from "./ConnectorError.ts"
import type { IdToken } from "./IdToken.ts"
import { exchange } from "./internal/azureExchange.ts"
import { CONNECTOR } from "./internal/azureFailure.ts"
import * as AzureIdentity from "./internal/azureIdentity.ts"
import * as AzureRegistry from "./internal/azureRegistry.ts"
import { requireAllowed } from "./internal/implicitMethod.ts"
import { readServiceUrl } from "./internal/serviceUrl.ts"
import * as ServiceConnector from "./ServiceConnector.ts"

/**
 * Whatever identity the machine has: the SDK's chain of environment, workload and managed identity, and of the logins of
 * developers' tools. Off until `allowImplicitMethods` is true, or `GANTRY_ENABLE_IMPLICIT_AUTH_METHODS` is.
 *
 * @since 0.1.0
 * @category models
 */
export interface DefaultChain {
  readonly authMethod: "default-chain"
}

/**
 * The identity that Azure gives the machine: the one with `clientId` that a user assigned, or the system's. Off until switched
 * on, as `default-chain` is.
 *
 * @since 0.1.0
 * @category models
 */
export interface ManagedIdentity {
  readonly authMethod: "managed-identity"
  readonly clientId?: string | undefined
}

/**
 * An application with a client secret. The registry never sees the secret.
 *
 * @since 0.1.0
 * @category models
 */
export interface ServicePrincipal {
  readonly authMethod: "service-principal"
  readonly tenantId: string
  readonly clientId: string
  readonly clientSecret: Redacted.Redacted
}

/**
 * An application with a federated credential, as which a CI job or a pod logs in with its id token, without a stored secret.
 *
 * @since 0.1.0
 * @category models
 */
export interface WorkloadIdentity<out R = never> {
  readonly authMethod: "workload-identity"
  readonly tenantId: string
  readonly clientId: string
  readonly idToken: IdToken<R>
}

/**
 * An Entra token that somebody else asked for, with the audience of the registry (`az account get-access-token --resource
 * https://containerregistry.azure.net`). Logins last longer than the token; new ones can not be had when it is over.
 *
 * @since 0.1.0
 * @category models
 */
export interface AccessToken {
  readonly authMethod: "access-token"
  readonly token: Redacted.Redacted
}

/**
 * How the connector authenticates with Azure: data, whose `R` is what its id token needs.
 *
 * @since 0.1.0
 * @category models
 */
export type Method<R = never> = DefaultChain | ManagedIdentity | ServicePrincipal | WorkloadIdentity<R> | AccessToken

/**
 * - `audience`: whom Entra tokens are for, in place of what the registry's cloud has: `https://containerregistry.azure.net` in
 *   the public one, the resource manager in the others
 * - `allowImplicitMethods`: `GANTRY_ENABLE_IMPLICIT_AUTH_METHODS` of the configuration unless given, and that is false
 * - `endpoints`: URLs in place of the login service (`authority`, which has to be https) and of the registry's own address.
 *   Without `authority` it is the login service of the registry's cloud; for the public one the SDK obeys
 *   `AZURE_AUTHORITY_HOST`
 *
 * @since 0.1.0
 * @category models
 */
export interface Settings {
  readonly audience?: string | undefined
  readonly allowImplicitMethods?: boolean | undefined
  readonly endpoints?:
    | {
        readonly authority?: string | undefined
        readonly registry?: string | undefined
      }
    | undefined
}

/**
 * @since 0.1.0
 * @category models
 */
export type Options<R = never> = Method<R> & Settings

const misconfigured = (detail: string) => new ConnectorError({ connector: CONNECTOR, reason: "misconfigured", detail })

const readEndpoint = (name: string, text: string | undefined): Either.Either<string | undefined, ConnectorError> =>
  text === undefined ? Either.right(undefined) : Either.mapLeft(readServiceUrl(name, text), misconfigured)

/** The method by which the machine's own identity comes in, if one does. */
const implicitIn = <R>({ authMethod }: Method<R>): string | undefined =>
  authMethod === "default-chain" || authMethod === "managed-identity" ? authMethod : undefined

/** The tenant of the identity, where the method says it. */
const tenantOf = <R>(method: Method<R>): string | undefined => ("tenantId" in method ? method.tenantId : undefined)

/**
 * The canonical id of a registry: its login server in lower case. Takes `[https://]<login server>[/repository]`, a registry's
 * name and `/subscriptions/…/registries/<name>`; the two latter mean the public cloud's `<name>.azurecr.io`, so a registry
 * with a domain name label or in another cloud has to be given by its login server.
 *
 * @since 0.1.0
 * @category resources
 */
export const resourceId: (text: string) => Either.Either<string, { readonly message: string }> = AzureRegistry.parse

/**
 * Makes a connector. Its logins are refresh tokens of the registry (user `00000000-0000-0000-0000-000000000000`), and good for
 * as long as they say, which is three hours.
 *
 * Fails with a `ConnectorError` (`misconfigured`) when the method is implicit and not switched on, or an endpoint is no address.
 * Issuing fails with `expired` (a client secret, id token or given token that is over), `denied`, `misconfigured` (a missing
 * SDK, a wrong tenant, client or secret, a machine without an identity) or `unavailable`. `resources` is `unsupported`: Azure lists
 * registries to who may read their subscription.
 *
 * Source: https://github.com/Azure/acr/blob/main/docs/AAD-OAuth.md
 *
 * @since 0.1.0
 * @category constructors
 */
export const make = Effect.fn("AzureConnector.make")(function* <R = never>(options: Options<R>) {
  const implicit = implicitIn(options)
  if (implicit !== undefined) {
    yield* requireAllowed({ connector: CONNECTOR, method: implicit, allowed: options.allowImplicitMethods })
  }
  const authority = yield* readEndpoint("endpoints.authority", options.endpoints?.authority)
  const endpoint = yield* readEndpoint("endpoints.registry", options.endpoints?.registry)
  const context = yield* Effect.context<R | HttpClient.HttpClient>()
  const tenant = tenantOf(options)

  const issue = Effect.fnUntraced(function* (resource: string) {
    const token = yield* AzureIdentity.open<R>(options, { resource, authority, audience: options.audience })
    return yield* exchange(resource, { token, tenant, endpoint })
  })

  return ServiceConnector.make({
    type: CONNECTOR,
    authMethod: options.authMethod,
    parseResourceId: resourceId,
    issue: (resource) => Effect.provide(issue(resource), context),
    resources: Effect.fail(
      new ConnectorError({
        connector: CONNECTOR,
        reason: "unsupported",
        detail: "Azure lists registries to who may read their subscription, and the connector is not asked to"
      })
    )
  })
})

/**
 * The application's connector.
 *
 * @since 0.1.0
 * @category layers
 * @example
 * import { AzureConnector, IdToken } from "gantry"
 *
 * // Needs an HttpClient, and a workflow with `permissions: id-token: write`.
 * export const connector = AzureConnector.layer({
 *   authMethod: "workload-identity",
 *   tenantId: "00000000-0000-0000-0000-000000000000",
 *   clientId: "11111111-1111-1111-1111-111111111111",
 *   idToken: IdToken.githubActions()
 * })
 */
export const layer = <R = never>(
  options: Options<R>
): Layer.Layer<ServiceConnector.ServiceConnector, ConnectorError, R | HttpClient.HttpClient> =>
  Layer.effect(ServiceConnector.ServiceConnector, make(options))

/**
 * The application's connector, with its options from `Config`.
 *
 * @since 0.1.0
 * @category layers
 * @example
 * import { AzureConnector } from "gantry"
 * import { Config } from "effect"
 *
 * export const connector = AzureConnector.layerConfig({
 *   authMethod: Config.succeed("service-principal"),
 *   tenantId: Config.string("AZURE_TENANT_ID"),
 *   clientId: Config.string("AZURE_CLIENT_ID"),
 *   clientSecret: Config.redacted("AZURE_CLIENT_SECRET")
 * })
 */
export const layerConfig = <R = never>(
  config: Config.Config.Wrap<Options<R>>
): Layer.Layer<ServiceConnector.ServiceConnector, ConnectorError | ConfigError, R | HttpClient.HttpClient> =>
  Layer.unwrapEffect(Effect.map(Config.unwrap<Options<R>>(config), (options) => layer<R>(options)))
