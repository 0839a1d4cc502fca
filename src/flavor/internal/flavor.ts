import * as Either from "effect/Either"
import * as Option from "effect/Option"
import type * as RegistryFlavor from "../RegistryFlavor.ts"
import * as RegistryQuirks from "../RegistryQuirks.ts"
import * as ServiceConnectorRequirements from "../ServiceConnectorRequirements.ts"

export const make = (options: RegistryFlavor.Options): RegistryFlavor.RegistryFlavor => ({
  name: options.name,
  displayName: options.displayName ?? options.name,
  serviceConnectorRequirements: options.serviceConnectorRequirements ?? ServiceConnectorRequirements.any,
  docsUrl: Option.fromNullable(options.docsUrl),
  sdkDocsUrl: Option.fromNullable(options.sdkDocsUrl),
  logoUrl: Option.fromNullable(options.logoUrl),
  validateUri: options.validateUri ?? (() => Either.void),
  matchesHost: (host) => options.matchesHost?.(host.toLowerCase()) ?? false,
  quirks: RegistryQuirks.make(options.quirks ?? {})
})
