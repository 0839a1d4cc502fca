/**
 * Flavors: what kind of registry an address belongs to, as data and a few pure functions.
 *
 * @since 0.1.0
 */
import * as Array from "effect/Array"
import * as Context from "effect/Context"
import type * as Either from "effect/Either"
import * as Option from "effect/Option"
import type { InvalidRegistryUri, RegistryUri } from "../reference/RegistryUri.ts"
import { aws } from "./builtin/aws.ts"
import { azure } from "./builtin/azure.ts"
import { defaultFlavor } from "./builtin/default.ts"
import { dockerhub } from "./builtin/dockerhub.ts"
import { gcp } from "./builtin/gcp.ts"
import { github } from "./builtin/github.ts"
import { gitlab } from "./builtin/gitlab.ts"
import * as internal from "./internal/flavor.ts"
import { none, type RegistryQuirks } from "./RegistryQuirks.ts"
import type { ServiceConnectorRequirements } from "./ServiceConnectorRequirements.ts"

/**
 * @since 0.1.0
 * @category models
 */
export interface RegistryFlavor {
  /** The name in files and arguments, as `aws`. */
  readonly name: string
  /** The name for people, as `Amazon ECR`. */
  readonly displayName: string
  readonly serviceConnectorRequirements: ServiceConnectorRequirements
  /** The vendor's guide to pushing images. */
  readonly docsUrl: Option.Option<string>
  /** The vendor's reference of the API behind the registry. */
  readonly sdkDocsUrl: Option.Option<string>
  readonly logoUrl: Option.Option<string>
  /** Refuses an address that the grammar allows and this kind of registry does not have. */
  readonly validateUri: (uri: RegistryUri) => Either.Either<void, InvalidRegistryUri>
  /** Whether a host, as `RegistryUri` has it, is of this kind. */
  readonly matchesHost: (host: string) => boolean
  readonly quirks: RegistryQuirks
}

/**
 * What a flavor is made of; all but the name has a default.
 *
 * @since 0.1.0
 * @category models
 */
export interface Options {
  readonly name: string
  /** Defaults to `name`. */
  readonly displayName?: string | undefined
  /** Defaults to any connector for container registries. */
  readonly serviceConnectorRequirements?: ServiceConnectorRequirements | undefined
  readonly docsUrl?: string | undefined
  readonly sdkDocsUrl?: string | undefined
  readonly logoUrl?: string | undefined
  /** Defaults to accepting every address. */
  readonly validateUri?: ((uri: RegistryUri) => Either.Either<void, InvalidRegistryUri>) | undefined
  /** Is given hosts in lower case; defaults to no host, so that the flavor is never inferred. */
  readonly matchesHost?: ((host: string) => boolean) | undefined
  /** Defaults to no deviation. */
  readonly quirks?: Partial<RegistryQuirks> | undefined
}

/**
 * Makes a flavor of one's own.
 *
 * @since 0.1.0
 * @category constructors
 * @example
 * import * as RegistryFlavor from "gantry/RegistryFlavor"
 *
 * const harbor = RegistryFlavor.make({ name: "harbor", matchesHost: (host) => host === "harbor.example.com" })
 * const flavors = [harbor, ...RegistryFlavor.builtin]
 */
export const make: (options: Options) => RegistryFlavor = internal.make

export {
  /**
   * @since 0.1.0
   * @category flavors
   */
  aws,
  /**
   * @since 0.1.0
   * @category flavors
   */
  azure,
  /**
   * The flavor of every host that no other one knows.
   *
   * @since 0.1.0
   * @category flavors
   */
  defaultFlavor,
  /**
   * @since 0.1.0
   * @category flavors
   */
  dockerhub,
  /**
   * @since 0.1.0
   * @category flavors
   */
  gcp,
  /**
   * @since 0.1.0
   * @category flavors
   */
  github,
  /**
   * @since 0.1.0
   * @category flavors
   */
  gitlab
}

/**
 * The seven flavors gantry comes with.
 *
 * @since 0.1.0
 * @category flavors
 */
export const builtin: ReadonlyArray<RegistryFlavor> = [defaultFlavor, azure, aws, dockerhub, gcp, github, gitlab]

/**
 * Infers the flavor of an address from its host: the first of `flavors` (default `builtin`) that matches, else the
 * default flavor.
 *
 * @since 0.1.0
 * @category getters
 */
export const forUri = (uri: RegistryUri, flavors: ReadonlyArray<RegistryFlavor> = builtin): RegistryFlavor =>
  Option.getOrElse(
    Array.findFirst(flavors, (flavor) => flavor.matchesHost(uri.host)),
    () => defaultFlavor
  )

/**
 * The flavors an application knows, in order of inference; `builtin` unless provided.
 *
 * @since 0.1.0
 * @category references
 */
export class RegistryFlavors extends Context.Reference<RegistryFlavors>()("gantry/RegistryFlavors", {
  defaultValue: (): ReadonlyArray<RegistryFlavor> => builtin
}) {}

/**
 * What the registry at a host does differently, as far as gantry comes knowing it.
 *
 * @since 0.1.0
 * @category getters
 */
export const quirksOf = (host: string): RegistryQuirks =>
  Option.match(
    Array.findFirst(builtin, (flavor) => flavor.matchesHost(host)),
    { onNone: () => none, onSome: ({ quirks }) => quirks }
  )
