/**
 * What a kind of registry does differently from the distribution specification, as data.
 *
 * @since 0.1.0
 */
import * as Option from "effect/Option"

/**
 * The deviations of one flavor. Each field has one use; a registry without it is as the specification says.
 *
 * @since 0.1.0
 * @category models
 */
export interface RegistryQuirks {
  /** The host that answers the registry protocol, when it is not the host in image names. */
  readonly apiHost: Option.Option<string>
  /** The key of the registry's credentials in Docker's stores and in `X-Registry-Auth`, when it is not the host. */
  readonly credentialKey: Option.Option<string>
}

/**
 * A registry without deviations: image host, API host and credential key are one.
 *
 * @since 0.1.0
 * @category constructors
 */
export const none: RegistryQuirks = {
  apiHost: Option.none(),
  credentialKey: Option.none()
}

/**
 * `none` with the given deviations.
 *
 * @since 0.1.0
 * @category constructors
 */
export const make = (quirks: Partial<RegistryQuirks>): RegistryQuirks => ({ ...none, ...quirks })
