/**
 * Services that issue credentials for container registries.
 *
 * @since 0.1.0
 */
import * as Context from "effect/Context"
import * as DateTime from "effect/DateTime"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Option from "effect/Option"
import type { Credential } from "../credential/Credential.ts"
import * as CredentialExpiry from "../credential/CredentialExpiry.ts"
import type { RegistryFlavor } from "../flavor/RegistryFlavor.ts"
import * as ServiceConnectorRequirements from "../flavor/ServiceConnectorRequirements.ts"
import type { ImageReference } from "../reference/ImageReference.ts"
import * as RegistryUri from "../reference/RegistryUri.ts"
import { ConnectorError } from "./ConnectorError.ts"

/**
 * The type of resource that connectors give access to.
 *
 * @since 0.1.0
 * @category models
 */
export const resourceType: string = ServiceConnectorRequirements.any.resourceType

/**
 * A service that issues credentials for registries, for as long as each of them lasts.
 *
 * - `type` (as `aws`) and `authMethod` (as `web-identity`) are what flavors and messages know it by
 * - `issue` gives a new credential at each run, with its true expiry. A resource id is a registry URI, or another spelling
 *   that the connector knows (an ARN)
 * - `resources` are the registries it gives access to, by their canonical ids
 * - `ensureRepository` makes sure that an image's repository exists, where registries do not create it on push
 *
 * @since 0.1.0
 * @category models
 */
export interface ServiceConnector {
  readonly type: string
  readonly authMethod: string
  readonly issue: (resourceId: string) => Effect.Effect<Credential, ConnectorError>
  readonly resources: Effect.Effect<ReadonlyArray<string>, ConnectorError>
  readonly ensureRepository: Option.Option<(image: ImageReference) => Effect.Effect<void, ConnectorError>>
}

/**
 * The tag of an application's one connector. For a second one, make a tag of your own.
 *
 * @since 0.1.0
 * @category tags
 * @example
 * import { ServiceConnector } from "gantry"
 * import { Context } from "effect"
 *
 * export class Staging extends Context.Tag("app/Staging")<Staging, ServiceConnector.ServiceConnector>() {}
 */
export const ServiceConnector: Context.Tag<ServiceConnector, ServiceConnector> =
  Context.GenericTag<ServiceConnector>("gantry/ServiceConnector")

/**
 * What makes a connector.
 *
 * - `parseResourceId` gives the canonical form of a resource id, or what is wrong with it; `registryResourceId` unless
 *   given
 * - `issue` asks the service for a credential, for an id in its canonical form
 * - `issueTimeout` is how long an issue, and a look for a repository, may take before it is `unavailable`: 30 seconds
 *   unless given
 * - `resources` is `unsupported` unless given
 *
 * @since 0.1.0
 * @category models
 */
export interface Options {
  readonly type: string
  readonly authMethod: string
  readonly parseResourceId?: ((text: string) => Either.Either<string, { readonly message: string }>) | undefined
  readonly issue: (resourceId: string) => Effect.Effect<Credential, ConnectorError>
  readonly issueTimeout?: Duration.DurationInput | undefined
  readonly resources?: Effect.Effect<ReadonlyArray<string>, ConnectorError> | undefined
  readonly ensureRepository?: ((image: ImageReference) => Effect.Effect<void, ConnectorError>) | undefined
}

/**
 * The canonical id of a registry: `host[/path]`, in which every spelling of Docker Hub is `docker.io`.
 *
 * @since 0.1.0
 * @category resources
 */
export const registryResourceId = (text: string): Either.Either<string, RegistryUri.InvalidRegistryUri> =>
  Either.map(RegistryUri.parse(text), (uri) => uri.name)

const SERVICE_TIMEOUT = Duration.seconds(30)

/**
 * Makes a connector of a way to issue credentials. It refuses ids it can not parse (`misconfigured`), gives up on a
 * service that does not answer (`unavailable`), and refuses a credential that is over when it is issued (`expired`).
 *
 * @since 0.1.0
 * @category constructors
 * @example
 * import { ConnectorError, Credential, ServiceConnector } from "gantry"
 * import { HttpClient, HttpClientResponse } from "@effect/platform"
 * import { DateTime, Effect, Layer, Schema } from "effect"
 *
 * const Issued = Schema.Struct({ token: Schema.Redacted(Schema.String), expiresAt: Schema.DateTimeUtc })
 *
 * // A company's own token service: GET /token?registry=… gives { token, expiresAt }.
 * export const layer = Layer.effect(
 *   ServiceConnector.ServiceConnector,
 *   Effect.map(Effect.map(HttpClient.HttpClient, HttpClient.filterStatusOk), (client) =>
 *     ServiceConnector.make({
 *       type: "company",
 *       authMethod: "token-service",
 *       issue: (registry) =>
 *         Effect.gen(function* () {
 *           const issuedAt = yield* DateTime.now
 *           const answer = yield* client.get("https://tokens.example.com/token", { urlParams: { registry } })
 *           const { expiresAt, token } = yield* HttpClientResponse.schemaBodyJson(Issued)(answer)
 *           const expiry = Credential.Expiry.At({ issuedAt, at: expiresAt })
 *           return Credential.usernamePassword({ host: registry, username: "ci", password: token, expiry })
 *         }).pipe(
 *           Effect.mapError((error) => {
 *             const reason = error._tag === "ResponseError" && error.response.status < 500 ? "denied" : "unavailable"
 *             return ConnectorError.fromUnknown(error, { connector: "company", reason, resource: registry })
 *           })
 *         )
 *     })
 *   )
 * )
 */
export const make = (options: Options): ServiceConnector => {
  const { parseResourceId = registryResourceId, type } = options
  const timeout = Duration.decode(options.issueTimeout ?? SERVICE_TIMEOUT)

  const inTime = <A>(effect: Effect.Effect<A, ConnectorError>, resource: string, missing: string) =>
    Effect.timeoutFail(effect, {
      duration: timeout,
      onTimeout: () => {
        const detail = `${missing} within ${Duration.format(timeout)}`
        return new ConnectorError({ connector: type, reason: "unavailable", resource, detail })
      }
    })

  const issue = Effect.fn("ServiceConnector.issue")(function* (text: string) {
    const resource = yield* Either.mapLeft(
      parseResourceId(text),
      ({ message }) => new ConnectorError({ connector: type, reason: "misconfigured", detail: message })
    )
    const credential = yield* inTime(options.issue(resource), resource, "nothing was issued")
    const { expiry } = credential
    if (expiry._tag === "At" && CredentialExpiry.isExpired(expiry, yield* DateTime.now, { skew: 0 })) {
      const detail = `it issued a credential that was over already at ${DateTime.formatIso(expiry.at)}`
      return yield* new ConnectorError({ connector: type, reason: "expired", resource, detail })
    }
    return credential
  })

  return {
    type,
    authMethod: options.authMethod,
    issue,
    resources:
      options.resources ??
      Effect.fail(
        new ConnectorError({ connector: type, reason: "unsupported", detail: "it can not list its registries" })
      ),
    ensureRepository: Option.map(
      Option.fromNullable(options.ensureRepository),
      (ensure) => (image: ImageReference) =>
        inTime(ensure(image), image.registry, `${image.repository} was not looked for`)
    )
  }
}

/**
 * Whether a connector can serve a registry of a flavor, or which of the flavor's requirements it misses.
 *
 * @since 0.1.0
 * @category predicates
 */
export const canServe = (
  connector: ServiceConnector,
  registry: { readonly flavor: RegistryFlavor; readonly uri: RegistryUri.RegistryUri }
): Either.Either<void, ServiceConnectorRequirements.RequirementNotMet> =>
  ServiceConnectorRequirements.isSatisfiedBy(
    registry.flavor.serviceConnectorRequirements,
    { type: connector.type, resourceTypes: [resourceType] },
    { uri: registry.uri.name }
  )
