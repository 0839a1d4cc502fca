/**
 * The types of connector there are, as data: their methods, what each method has to be told, and what they serve.
 *
 * @since 0.1.0
 */
import type * as FileSystem from "@effect/platform/FileSystem"
import type * as HttpClient from "@effect/platform/HttpClient"
import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import type * as Redacted from "effect/Redacted"
import type * as Scope from "effect/Scope"
import type { RegistryFlavor } from "../flavor/RegistryFlavor.ts"
import * as ServiceConnectorRequirements from "../flavor/ServiceConnectorRequirements.ts"
import type { RegistryUri } from "../reference/RegistryUri.ts"
import { aws } from "./builtin/aws.ts"
import { azure } from "./builtin/azure.ts"
import { docker } from "./builtin/docker.ts"
import { gcp } from "./builtin/gcp.ts"
import { github } from "./builtin/github.ts"
import { gitlab } from "./builtin/gitlab.ts"
import type { ConnectorError } from "./ConnectorError.ts"
import * as internal from "./internal/connectorType.ts"
import type { ServiceConnector } from "./ServiceConnector.ts"

/**
 * What a field holds: `text`, a `secret`, an `integer`, or a `flag` that is true or false.
 *
 * @since 0.1.0
 * @category models
 */
export type FieldKind = "text" | "secret" | "integer" | "flag"

/**
 * @since 0.1.0
 * @category models
 */
export type FieldValue = string | number | boolean | Redacted.Redacted

/**
 * What a method has to be told, or may be. `about` says what it is, as in `the App's id or its client id`.
 *
 * @since 0.1.0
 * @category models
 */
export interface Field {
  readonly kind: FieldKind
  readonly about: string
  readonly isRequired: boolean
}

/**
 * A way for connectors of a type to authenticate themselves.
 *
 * `isImplicit` says that it takes what the machine happens to have, and is off until it is allowed. `make` makes its
 * connector of the fields' values; it fails with a `ConnectorError` (`misconfigured`) when they are not what the fields say,
 * or can not work.
 *
 * @since 0.1.0
 * @category models
 */
export interface AuthMethod {
  readonly name: string
  readonly about: string
  readonly isImplicit: boolean
  readonly fields: Readonly<Record<string, Field>>
  readonly make: (
    values: Readonly<Record<string, FieldValue | undefined>>
  ) => Effect.Effect<ServiceConnector, ConnectorError, HttpClient.HttpClient | FileSystem.FileSystem | Scope.Scope>
}

/**
 * A type of connector.
 *
 * - `type` is its name in files, as `aws`; `displayName` the one for people
 * - `flavors` are the kinds of registry that it is for; none for any kind
 * - `packages` are what has to be installed beside gantry, with the versions that will do
 *
 * @since 0.1.0
 * @category models
 */
export interface ConnectorType {
  readonly type: string
  readonly displayName: string
  readonly resourceType: string
  readonly flavors: ReadonlyArray<string>
  readonly authMethods: ReadonlyArray<AuthMethod>
  readonly packages: ReadonlyArray<{ readonly name: string; readonly range: string }>
  readonly docsUrl: string
}

export {
  /**
   * @since 0.1.0
   * @category types
   */
  aws,
  /**
   * @since 0.1.0
   * @category types
   */
  azure,
  /**
   * @since 0.1.0
   * @category types
   */
  docker,
  /**
   * @since 0.1.0
   * @category types
   */
  gcp,
  /**
   * @since 0.1.0
   * @category types
   */
  github,
  /**
   * @since 0.1.0
   * @category types
   */
  gitlab
}

/**
 * The types gantry comes with.
 *
 * @since 0.1.0
 * @category types
 */
export const builtin: ReadonlyArray<ConnectorType> = [docker, aws, azure, gcp, github, gitlab]

/**
 * The types an application knows; `builtin` unless provided. A type of one's own can be used in the gantry file, too.
 *
 * @since 0.1.0
 * @category references
 */
export class ConnectorTypes extends Context.Reference<ConnectorTypes>()("gantry/ConnectorTypes", {
  defaultValue: (): ReadonlyArray<ConnectorType> => builtin
}) {}

export {
  /**
   * A field that is true or false.
   *
   * @since 0.1.0
   * @category fields
   */
  flag,
  /**
   * A field that holds a whole number.
   *
   * @since 0.1.0
   * @category fields
   */
  integer,
  /**
   * A field that may be left out.
   *
   * @since 0.1.0
   * @category fields
   */
  optional,
  /**
   * A field that holds a secret.
   *
   * @since 0.1.0
   * @category fields
   */
  secret,
  /**
   * A field that holds text.
   *
   * @since 0.1.0
   * @category fields
   */
  text
} from "./internal/connectorType.ts"

/**
 * A method of a type of one's own. Its `make` gets each field's value as its kind says.
 *
 * @since 0.1.0
 * @category constructors
 */
export const method = internal.method

/**
 * Makes a type of one's own.
 *
 * @since 0.1.0
 * @category constructors
 * @example
 * import { ConnectorType, Credential, ServiceConnector } from "gantry"
 * import { Effect } from "effect"
 *
 * export const company = ConnectorType.make({
 *   type: "company",
 *   displayName: "Our token service",
 *   docsUrl: "https://wiki.example.com/registries",
 *   authMethods: [
 *     ConnectorType.method({
 *       name: "token",
 *       about: "a token of the service",
 *       fields: { token: ConnectorType.secret("the token") },
 *       make: ({ token }) =>
 *         Effect.succeed(
 *           ServiceConnector.make({
 *             type: "company",
 *             authMethod: "token",
 *             issue: (host) => Effect.succeed(Credential.usernamePassword({ host, username: "ci", password: token }))
 *           })
 *         )
 *     })
 *   ]
 * })
 *
 * export const types = [...ConnectorType.builtin, company]
 */
export const make: (
  options: Pick<ConnectorType, "type" | "displayName" | "docsUrl"> &
    Partial<Pick<ConnectorType, "flavors" | "packages">> & {
      readonly authMethods: ReadonlyArray<(type: string) => AuthMethod>
    }
) => ConnectorType = internal.make

/**
 * The types that are of all that is asked for: a `type`, an `authMethod` among theirs, a `resourceType`, a `flavor` that they
 * are for.
 *
 * @since 0.1.0
 * @category filters
 */
export const filter = (
  types: ReadonlyArray<ConnectorType>,
  wanted: {
    readonly type?: string | undefined
    readonly authMethod?: string | undefined
    readonly resourceType?: string | undefined
    readonly flavor?: string | undefined
  }
): ReadonlyArray<ConnectorType> =>
  types.filter(
    (candidate) =>
      (wanted.type === undefined || candidate.type === wanted.type) &&
      (wanted.authMethod === undefined || candidate.authMethods.some(({ name }) => name === wanted.authMethod)) &&
      (wanted.resourceType === undefined || candidate.resourceType === wanted.resourceType) &&
      (wanted.flavor === undefined || isFor(candidate, wanted.flavor))
  )

const isFor = ({ flavors }: ConnectorType, flavor: string): boolean => flavors.length === 0 || flavors.includes(flavor)

/**
 * Whether connectors of a type can serve a registry, or which requirement they miss. Beside what the flavor asks for: where
 * one of `types` is for the flavor alone, a type for other flavors will not do.
 *
 * @since 0.1.0
 * @category predicates
 */
export const canServe = (
  type: ConnectorType,
  registry: { readonly flavor: RegistryFlavor; readonly uri: RegistryUri },
  types: ReadonlyArray<ConnectorType> = builtin
): Either.Either<void, ServiceConnectorRequirements.RequirementNotMet> => {
  const { flavor, uri } = registry
  return Either.flatMap(
    ServiceConnectorRequirements.isSatisfiedBy(
      flavor.serviceConnectorRequirements,
      { type: type.type, resourceTypes: [type.resourceType] },
      { uri: uri.name }
    ),
    () =>
      isFor(type, flavor.name) || !types.some(({ flavors }) => flavors.includes(flavor.name))
        ? Either.void
        : Either.left(
            new ServiceConnectorRequirements.RequirementNotMet({
              reason: "connector-type",
              connectorType: type.type,
              accepted: filter(types, { flavor: flavor.name }).map(({ type }) => type)
            })
          )
  )
}
