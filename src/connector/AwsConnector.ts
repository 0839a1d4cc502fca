/**
 * Credentials for Amazon ECR: private registries of every partition, of this account and of others, and the public one.
 *
 * It needs AWS's SDK, which is loaded when it is first used: `@aws-sdk/client-ecr` for private registries,
 * `@aws-sdk/client-ecr-public` for the public one, and `@aws-sdk/client-sts` for the methods that look for an identity
 * (`default-chain`, `profile`) or ask for a session (`assume-role`, `web-identity`).
 *
 * @since 0.1.0
 */
import * as Config from "effect/Config"
import type { ConfigError } from "effect/ConfigError"
import type * as DateTime from "effect/DateTime"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Layer from "effect/Layer"
import type * as Redacted from "effect/Redacted"
import type { ImageReference } from "../reference/ImageReference.ts"
import { ConnectorError } from "./ConnectorError.ts"
import type { IdToken } from "./IdToken.ts"
import { CONNECTOR } from "./internal/awsFailure.ts"
import * as AwsSession from "./internal/awsSession.ts"
import * as EcrApi from "./internal/ecrApi.ts"
import * as EcrRegistry from "./internal/ecrRegistry.ts"
import { requireAllowed } from "./internal/implicitMethod.ts"
import * as ServiceConnector from "./ServiceConnector.ts"

/**
 * Whatever identity the machine has: the SDK's chain of environment, profiles, single sign-on, and the metadata of
 * containers and instances. Off until `allowImplicitMethods` is true, or `GANTRY_ENABLE_IMPLICIT_AUTH_METHODS` is.
 *
 * @since 0.1.0
 * @category models
 */
export interface DefaultChain {
  readonly authMethod: "default-chain"
}

/**
 * A profile of the machine's AWS configuration, with single sign-on, `credential_process` and role chains as it says. Off
 * until switched on, as `default-chain` is.
 *
 * @since 0.1.0
 * @category models
 */
export interface Profile {
  readonly authMethod: "profile"
  readonly profile: string
}

/**
 * The long-lived keys of a user.
 *
 * @since 0.1.0
 * @category models
 */
export interface AccessKey {
  readonly authMethod: "access-key"
  readonly accessKeyId: string
  readonly secretAccessKey: Redacted.Redacted
}

/**
 * A session that somebody else opened. Without `expiresAt` its end is unknown, and logins are renewed every 5 minutes.
 *
 * @since 0.1.0
 * @category models
 */
export interface SessionToken {
  readonly authMethod: "session-token"
  readonly accessKeyId: string
  readonly secretAccessKey: Redacted.Redacted
  readonly sessionToken: Redacted.Redacted
  readonly expiresAt?: DateTime.Utc | undefined
}

/**
 * A role, and the session that is asked of it: `sessionName` is `gantry` unless given, `duration` what AWS gives (an hour).
 *
 * @since 0.1.0
 * @category models
 */
export interface Role {
  readonly roleArn: string
  readonly sessionName?: string | undefined
  readonly duration?: Duration.DurationInput | undefined
}

/**
 * A role that the identity of another method may assume; a new session for each login.
 *
 * @since 0.1.0
 * @category models
 */
export interface AssumeRole<out R = never> extends Role {
  readonly authMethod: "assume-role"
  readonly source: Method<R>
  readonly externalId?: string | undefined
}

/**
 * A role that a CI job or a pod assumes with its id token, without a stored secret; a new session for each login.
 *
 * @since 0.1.0
 * @category models
 */
export interface WebIdentity<out R = never> extends Role {
  readonly authMethod: "web-identity"
  readonly idToken: IdToken<R>
}

/**
 * How the connector authenticates with AWS: data, whose `R` is what its id token needs.
 *
 * @since 0.1.0
 * @category models
 */
export type Method<R = never> = DefaultChain | Profile | AccessKey | SessionToken | AssumeRole<R> | WebIdentity<R>

/**
 * - `region`: the only region whose registries it serves; every registry's own unless given
 * - `createRepository`: creates an image's repository before a push when it does not exist; without it a missing one is
 *   only told of
 * - `allowImplicitMethods`: `GANTRY_ENABLE_IMPLICIT_AUTH_METHODS` of the configuration unless given, and that is false
 * - `endpoints`: URLs in place of AWS's own APIs. Without them the SDK obeys `AWS_ENDPOINT_URL_ECR`,
 *   `AWS_ENDPOINT_URL_ECR_PUBLIC` and `AWS_ENDPOINT_URL_STS`
 *
 * @since 0.1.0
 * @category models
 */
export interface Settings {
  readonly region?: string | undefined
  readonly createRepository?: boolean | undefined
  readonly allowImplicitMethods?: boolean | undefined
  readonly endpoints?:
    | {
        readonly ecr?: string | undefined
        readonly ecrPublic?: string | undefined
        readonly sts?: string | undefined
      }
    | undefined
}

/**
 * @since 0.1.0
 * @category models
 */
export type Options<R = never> = Method<R> & Settings

/** The method by which the machine's own identity comes in, if one does. */
const implicitIn = <R>(method: Method<R>): (DefaultChain | Profile)["authMethod"] | undefined => {
  switch (method.authMethod) {
    case "default-chain":
    case "profile":
      return method.authMethod
    case "assume-role":
      return implicitIn(method.source)
    default:
      return undefined
  }
}

const misconfigured = (detail: string, resource?: string) =>
  new ConnectorError({ connector: CONNECTOR, reason: "misconfigured", resource, detail })

/**
 * The canonical id of a registry: its host, with the suffix it was written with. Takes `[https://]<host>[/repository]` and
 * `arn:<partition>:ecr:<region>:<account>:repository[/name]`.
 *
 * @since 0.1.0
 * @category resources
 */
export const resourceId = (text: string): Either.Either<string, { readonly message: string }> =>
  Either.map(EcrRegistry.parse(text), ({ host }) => host)

/** Below the host, a public registry's images stand under its alias, of which the API does not speak. */
const repositoryOf = (registry: EcrRegistry.EcrRegistry, { repository }: ImageReference): string =>
  registry._tag === "PublicRegistry" ? repository.slice(repository.indexOf("/") + 1) : repository

/**
 * Makes a connector. Its logins are good until ECR's token or the session behind it ends, whichever is first.
 *
 * Fails with a `ConnectorError` (`misconfigured`) when the method is implicit and not switched on. Issuing fails with
 * `expired` (a session or id token that is over), `denied`, `misconfigured` (a missing SDK, profile or region; a resource
 * of another region) or `unavailable`.
 *
 * @since 0.1.0
 * @category constructors
 */
export const make = Effect.fn("AwsConnector.make")(function* <R = never>(options: Options<R>) {
  const { endpoints = {} } = options
  const implicit = implicitIn(options)
  if (implicit !== undefined) {
    yield* requireAllowed({ connector: CONNECTOR, method: implicit, allowed: options.allowImplicitMethods })
  }
  const context = yield* Effect.context<R>()

  const registryOf = Effect.fnUntraced(function* (text: string) {
    const registry = yield* Either.mapLeft(EcrRegistry.parse(text), ({ message }) => misconfigured(message))
    if (registry._tag === "PrivateRegistry" && registry.region !== (options.region ?? registry.region)) {
      const detail = `it is in ${registry.region}, and the connector's \`region\` is ${options.region}`
      return yield* misconfigured(detail, registry.host)
    }
    return registry
  })

  const logIn = (registry: EcrRegistry.EcrRegistry): Effect.Effect<EcrApi.Ecr, ConnectorError> =>
    AwsSession.open<R>(options, { resource: registry.host, region: registry.region, endpoint: endpoints.sts }).pipe(
      Effect.provide(context),
      Effect.map((session) => ({ registry, session, endpoints }))
    )

  const resources = Effect.gen(function* () {
    if (options.region === undefined) {
      const detail = "it lists the registry of one region; set `region`"
      return yield* new ConnectorError({ connector: CONNECTOR, reason: "unsupported", detail })
    }
    return [yield* EcrApi.ownRegistry(yield* logIn(EcrRegistry.ownOf(options.region)))]
  })

  const known = new Set<string>()

  const ensureRepository = Effect.fn("AwsConnector.ensureRepository")(function* (image: ImageReference) {
    if (known.has(image.name)) return
    const registry = yield* registryOf(image.registry)
    const repository = repositoryOf(registry, image)
    const ecr = yield* logIn(registry)
    if (!(yield* EcrApi.repositoryExists(ecr, repository))) {
      if (options.createRepository !== true) {
        const detail = `the repository ${repository} does not exist; create it, or set \`createRepository\``
        return yield* misconfigured(detail, registry.host)
      }
      yield* EcrApi.createRepository(ecr, repository)
    }
    known.add(image.name)
  })

  return ServiceConnector.make({
    type: CONNECTOR,
    authMethod: options.authMethod,
    parseResourceId: resourceId,
    issue: (resource) => Effect.flatMap(Effect.flatMap(registryOf(resource), logIn), EcrApi.issue),
    resources,
    ensureRepository
  })
})

/**
 * The application's connector.
 *
 * @since 0.1.0
 * @category layers
 * @example
 * import { AwsConnector, IdToken } from "gantry"
 *
 * // Needs an HttpClient, and a workflow with `permissions: id-token: write`.
 * export const connector = AwsConnector.layer({
 *   authMethod: "web-identity",
 *   roleArn: "arn:aws:iam::123456789012:role/push",
 *   idToken: IdToken.githubActions(),
 *   createRepository: true
 * })
 */
export const layer = <R = never>(
  options: Options<R>
): Layer.Layer<ServiceConnector.ServiceConnector, ConnectorError, R> =>
  Layer.effect(ServiceConnector.ServiceConnector, make(options))

/**
 * The application's connector, with its options from `Config`.
 *
 * @since 0.1.0
 * @category layers
 * @example
 * import { AwsConnector } from "gantry"
 * import { Config } from "effect"
 *
 * export const connector = AwsConnector.layerConfig({
 *   authMethod: Config.succeed("access-key"),
 *   accessKeyId: Config.string("AWS_ACCESS_KEY_ID"),
 *   secretAccessKey: Config.redacted("AWS_SECRET_ACCESS_KEY"),
 *   region: Config.string("AWS_REGION")
 * })
 */
export const layerConfig = <R = never>(
  config: Config.Config.Wrap<Options<R>>
): Layer.Layer<ServiceConnector.ServiceConnector, ConnectorError | ConfigError, R> =>
  Layer.unwrapEffect(Effect.map(Config.unwrap<Options<R>>(config), (options) => layer<R>(options)))
