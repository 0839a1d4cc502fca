/**
 * What a flavor asks of a service connector that is linked to a registry.
 *
 * @since 0.1.0
 */
import * as Either from "effect/Either"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"

/**
 * @since 0.1.0
 * @category models
 */
export interface ServiceConnectorRequirements {
  /** The types of connector that will do; empty when any will. */
  readonly connectorTypes: ReadonlyArray<string>
  /** The type of resource the connector must give access to. */
  readonly resourceType: string
  /** The attribute of the registry's configuration that names the resource, as `uri`. */
  readonly resourceIdAttribute: Option.Option<string>
}

/**
 * What a connector says of itself.
 *
 * @since 0.1.0
 * @category models
 */
export interface ConnectorDescription {
  readonly type: string
  readonly resourceTypes: ReadonlyArray<string>
}

const advice = {
  "connector-type": (accepted: string) => `Link a connector of type ${accepted}.`,
  "resource-type": (accepted: string) => `Configure it, or another connector, for resources of type ${accepted}.`,
  "resource-id": (accepted: string) => `Set ${accepted} in the registry's configuration, which names the resource.`
}

/**
 * A connector that can not serve a registry, and which of the three requirements it misses: `connector-type` and
 * `resource-type` list what was `accepted`, `resource-id` the attribute that has to be set.
 *
 * @since 0.1.0
 * @category errors
 */
export class RequirementNotMet extends Schema.TaggedError<RequirementNotMet>("gantry/RequirementNotMet")(
  "RequirementNotMet",
  {
    reason: Schema.Literal("connector-type", "resource-type", "resource-id"),
    connectorType: Schema.String,
    accepted: Schema.Array(Schema.String)
  }
) {
  get advice(): string {
    return advice[this.reason](this.accepted.map((value) => `"${value}"`).join(" or "))
  }
  override get message(): string {
    return `The "${this.connectorType}" connector can not serve this registry as it is. ${this.advice}`
  }
  get isRetryable(): boolean {
    return false
  }
}

const DOCKER_REGISTRY = "docker-registry"

/**
 * Any connector that gives access to the container registry of the configured `uri`.
 *
 * @since 0.1.0
 * @category constructors
 */
export const any: ServiceConnectorRequirements = {
  connectorTypes: [],
  resourceType: DOCKER_REGISTRY,
  resourceIdAttribute: Option.some("uri")
}

/**
 * A connector of one type, or a `docker` connector: a username and a password work with every registry.
 *
 * @since 0.1.0
 * @category constructors
 */
export const connector = (type: string): ServiceConnectorRequirements => ({
  ...any,
  connectorTypes: type === "docker" ? ["docker"] : [type, "docker"]
})

/**
 * Whether a connector can serve a component, whose configured attributes are given as text (absent and empty are the
 * same). Fails with `RequirementNotMet` for the first of: its type, its resource types, the resource's id.
 *
 * @since 0.1.0
 * @category predicates
 */
export const isSatisfiedBy = (
  requirements: ServiceConnectorRequirements,
  connector: ConnectorDescription,
  attributes: { readonly [attribute: string]: string | undefined }
): Either.Either<void, RequirementNotMet> => {
  const notMet = (reason: RequirementNotMet["reason"], accepted: ReadonlyArray<string>) =>
    Either.left(new RequirementNotMet({ reason, connectorType: connector.type, accepted }))

  if (requirements.connectorTypes.length > 0 && !requirements.connectorTypes.includes(connector.type)) {
    return notMet("connector-type", requirements.connectorTypes)
  }
  if (!connector.resourceTypes.includes(requirements.resourceType)) {
    return notMet("resource-type", [requirements.resourceType])
  }
  const missing = Option.filter(requirements.resourceIdAttribute, (attribute) => !attributes[attribute])
  return Option.isSome(missing) ? notMet("resource-id", [missing.value]) : Either.void
}
