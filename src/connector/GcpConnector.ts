/**
 * Credentials for Google's Artifact Registry, and for the hosts of Container Registry that it serves.
 *
 * The methods ask Google's services themselves, except for `default-credentials`, which needs Google's library:
 * `google-auth-library`, loaded when it is first used.
 *
 * @since 0.1.0
 */
import type * as HttpClient from "@effect/platform/HttpClient"
import * as Config from "effect/Config"
import type { ConfigError } from "effect/ConfigError"
import type * as DateTime from "effect/DateTime"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Layer from "effect/Layer"
import type * as Redacted from "effect/Redacted"
import * as Credential from "../credential/Credential.ts"
import * as RegistryUri from "../reference/RegistryUri.ts"
import { ConnectorError } from "./ConnectorError.ts"
import type { IdToken } from "./IdToken.ts"
import * as ArtifactRegistry from "./internal/artifactRegistry.ts"
import { CONNECTOR, misconfigured } from "./internal/gcpFailure.ts"
import * as GcpRegistry from "./internal/gcpRegistry.ts"
import * as GcpSession from "./internal/gcpSession.ts"
import { registryHost, resourceIdOn } from "./internal/givenToken.ts"
import { requireAllowed } from "./internal/implicitMethod.ts"
import { readServiceUrl } from "./internal/serviceUrl.ts"
import * as ServiceConnector from "./ServiceConnector.ts"

/**
 * Whatever identity the machine has, as Google's library finds it: the file that `GOOGLE_APPLICATION_CREDENTIALS` names,
 * gcloud's, or the metadata server's. Off until `allowImplicitMethods` is true, or
 * `GANTRY_ENABLE_IMPLICIT_AUTH_METHODS` is.
 *
 * @since 0.1.0
 * @category models
 */
export interface DefaultCredentials {
  readonly authMethod: "default-credentials"
}

/**
 * A key of a service account: `key` is the JSON text that Google gives out. It is exchanged where its `token_uri` says.
 *
 * @since 0.1.0
 * @category models
 */
export interface ServiceAccount {
  readonly authMethod: "service-account"
  readonly key: Redacted.Redacted
}

/**
 * A CI job's or a pod's id token, exchanged without a stored secret.
 *
 * - `workloadIdentityProvider`: `projects/NUMBER/locations/global/workloadIdentityPools/POOL/providers/PROVIDER`
 * - `serviceAccount`: the email of one that the identity acts as; unless given, it has the registries' roles itself
 *
 * @since 0.1.0
 * @category models
 */
export interface WorkloadIdentity<out R = never> {
  readonly authMethod: "workload-identity"
  readonly workloadIdentityProvider: string
  readonly idToken: IdToken<R>
  readonly serviceAccount?: string | undefined
}

/**
 * A service account that the identity of another method may act as.
 *
 * - `serviceAccount`: its email
 * - `delegates`: the emails of those in between, of whom each may act as the next
 * - `lifetime`: how long a token shall last; what Google gives (an hour) unless given
 *
 * @since 0.1.0
 * @category models
 */
export interface Impersonation<out R = never> {
  readonly authMethod: "impersonation"
  readonly source: Method<R>
  readonly serviceAccount: string
  readonly delegates?: ReadonlyArray<string> | undefined
  readonly lifetime?: Duration.DurationInput | undefined
}

/**
 * An access token that somebody else was given. Without `expiresAt` its end is unknown, and it is looked at again every 5
 * minutes.
 *
 * @since 0.1.0
 * @category models
 */
export interface AccessToken {
  readonly authMethod: "access-token"
  readonly token: Redacted.Redacted
  readonly expiresAt?: DateTime.Utc | undefined
}

/**
 * How the connector authenticates with Google: data, whose `R` is what its id token needs.
 *
 * @since 0.1.0
 * @category models
 */
export type Method<R = never> =
  | DefaultCredentials
  | ServiceAccount
  | WorkloadIdentity<R>
  | Impersonation<R>
  | AccessToken

/**
 * - `project`: the only project whose registries it serves (`example.com:project` for one of a domain); every project's
 *   unless given
 * - `location`: where `resources` looks for the project's repositories, as `europe-west3`
 * - `host`: the one host it serves in place of Google's own, as a proxy or a domain of one's own before them
 * - `allowImplicitMethods`: `GANTRY_ENABLE_IMPLICIT_AUTH_METHODS` of the configuration unless given, and that is false
 * - `endpoints`: https:// addresses in place of Google's own services, http:// on this machine alone
 *
 * @since 0.1.0
 * @category models
 */
export interface Settings {
  readonly project?: string | undefined
  readonly location?: string | undefined
  readonly host?: string | undefined
  readonly allowImplicitMethods?: boolean | undefined
  readonly endpoints?:
    | {
        readonly sts?: string | undefined
        readonly iamCredentials?: string | undefined
        readonly artifactRegistry?: string | undefined
      }
    | undefined
}

/**
 * @since 0.1.0
 * @category models
 */
export type Options<R = never> = Method<R> & Settings

/** Whether the machine's own identity comes in. */
const isImplicit = <R>(method: Method<R>): boolean =>
  method.authMethod === "default-credentials" || (method.authMethod === "impersonation" && isImplicit(method.source))

const unsupported = (detail: string) => new ConnectorError({ connector: CONNECTOR, reason: "unsupported", detail })

const readEndpoints = ({ endpoints = {} }: Settings) => {
  const read = (name: keyof typeof endpoints, googles: string) =>
    Either.mapLeft(readServiceUrl(`the ${name} endpoint`, endpoints[name] ?? googles), (detail) =>
      misconfigured(detail)
    )
  return Either.all({
    sts: read("sts", "https://sts.googleapis.com"),
    iamCredentials: read("iamCredentials", "https://iamcredentials.googleapis.com"),
    artifactRegistry: read("artifactRegistry", "https://artifactregistry.googleapis.com")
  })
}

/**
 * The canonical id of a registry: `HOST/PROJECT/REPOSITORY` in Artifact Registry, `HOST/PROJECT` in Container Registry, or
 * as much of it as is said. Takes `[https://]<id>[/image]`, projects of a domain as `example.com:project` or
 * `example.com/project`, and `projects/PROJECT/locations/LOCATION/repositories/REPOSITORY`.
 *
 * @since 0.1.0
 * @category resources
 */
export const resourceId = (text: string): Either.Either<string, { readonly message: string }> =>
  Either.map(GcpRegistry.parse(text), ({ id }) => id)

/** A registry of another project is not the connector's to serve. */
const requireProject = (resource: string, { host, project }: Settings): Either.Either<void, ConnectorError> => {
  if (host !== undefined || project === undefined) return Either.void
  return Either.flatMap(
    Either.mapLeft(GcpRegistry.parse(resource), ({ message }) => misconfigured(message)),
    (registry) =>
      registry.project === undefined || registry.project === project
        ? Either.void
        : Either.left(
            misconfigured(`it is of ${registry.project}, and the connector's \`project\` is ${project}`, resource)
          )
  )
}

/**
 * Makes a connector. Its logins are access tokens, good until Google's own service says that they end.
 *
 * Fails with a `ConnectorError` (`misconfigured`) when the method is implicit and not switched on, and when the options can
 * not work. Issuing fails with `expired` (an id token that is over, a clock that is wrong), `denied`, `misconfigured` (a
 * missing library, no identity on the machine, a registry of another project) or `unavailable`.
 *
 * Source: https://cloud.google.com/artifact-registry/docs/docker/authentication
 *
 * @since 0.1.0
 * @category constructors
 */
export const make = Effect.fn("GcpConnector.make")(function* <R = never>(options: Options<R>) {
  if (isImplicit(options)) {
    const method = "default-credentials"
    yield* requireAllowed({ connector: CONNECTOR, method, allowed: options.allowImplicitMethods })
  }
  const context = yield* Effect.context<R | HttpClient.HttpClient>()
  const endpoints = yield* readEndpoints(options)
  const prepared = yield* GcpSession.prepare<R>(options, endpoints)
  const open = (resource: string) => Effect.provide(prepared(resource), context)
  const host = options.host === undefined ? undefined : yield* registryHost(CONNECTOR, options.host)

  const issue = Effect.fnUntraced(function* (resource: string) {
    yield* requireProject(resource, options)
    const { expiry, token } = yield* open(resource)
    return Credential.usernamePassword({
      host: RegistryUri.unsafeParse(resource).host,
      username: "oauth2accesstoken",
      password: token,
      expiry
    })
  })

  const resources = Effect.gen(function* () {
    const { location, project } = options
    if (host !== undefined) return yield* unsupported(`it serves ${host} alone, and Google lists its own hosts`)
    if (project === undefined || location === undefined) {
      return yield* unsupported("it lists the repositories of one project and location; set `project` and `location`")
    }
    const place = { endpoint: endpoints.artifactRegistry, project, location }
    const session = yield* open(`projects/${project}/locations/${location}`)
    return yield* Effect.provide(ArtifactRegistry.repositories(place, session), context)
  })

  return ServiceConnector.make({
    type: CONNECTOR,
    authMethod: options.authMethod,
    parseResourceId: host === undefined ? resourceId : resourceIdOn(host),
    issue,
    resources
  })
})

/**
 * The application's connector.
 *
 * @since 0.1.0
 * @category layers
 * @example
 * import { GcpConnector, IdToken } from "gantry"
 *
 * // Needs an HttpClient, and a workflow with `permissions: id-token: write`.
 * export const connector = GcpConnector.layer({
 *   authMethod: "workload-identity",
 *   workloadIdentityProvider: "projects/123456789012/locations/global/workloadIdentityPools/ci/providers/github",
 *   serviceAccount: "push@my-project.iam.gserviceaccount.com",
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
 * import { GcpConnector } from "gantry"
 * import { FetchHttpClient } from "@effect/platform"
 * import { Config, Layer } from "effect"
 *
 * export const connector = GcpConnector.layerConfig({
 *   authMethod: Config.succeed("service-account"),
 *   key: Config.redacted("GOOGLE_SERVICE_ACCOUNT_KEY")
 * }).pipe(Layer.provide(FetchHttpClient.layer))
 */
export const layerConfig = <R = never>(
  config: Config.Config.Wrap<Options<R>>
): Layer.Layer<ServiceConnector.ServiceConnector, ConnectorError | ConfigError, R | HttpClient.HttpClient> =>
  Layer.unwrapEffect(Effect.map(Config.unwrap<Options<R>>(config), (options) => layer<R>(options)))
