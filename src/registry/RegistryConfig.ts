/**
 * What a registry is, as data.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import type { RegistryTls } from "../distribution/RegistryHttp.ts"
import * as RegistryFlavor from "../flavor/RegistryFlavor.ts"
import { isTagGlob, tagGlobForm } from "../reference/internal/glob.ts"
import * as RegistryUri from "../reference/RegistryUri.ts"

/**
 * A registry without a way to authenticate. `isLocal` is true for loopback hosts, whatever the port; no `tls` leaves it to
 * the host: plain HTTP on loopback, a verified certificate elsewhere. A tag that one of the globs in `protect` matches is not
 * moved to other content.
 *
 * @since 0.1.0
 * @category models
 */
export interface RegistryConfig {
  readonly uri: RegistryUri.RegistryUri
  readonly flavor: RegistryFlavor.RegistryFlavor
  readonly defaultRepository: Option.Option<string>
  readonly tls: Option.Option<RegistryTls>
  readonly isLocal: boolean
  readonly protect: ReadonlyArray<string>
}

/**
 * Reads the URI, infers the flavor from the host unless it is given, and lets the flavor judge the URI. Fails with
 * `InvalidRegistryUri`. A glob that no tag can match is a defect: it would protect nothing.
 *
 * @since 0.1.0
 * @category constructors
 */
export const make = Effect.fnUntraced(function* (options: {
  readonly uri: RegistryUri.RegistryUri | string
  readonly flavor?: RegistryFlavor.RegistryFlavor | undefined
  readonly defaultRepository?: string | undefined
  readonly tls?: RegistryTls | undefined
  readonly protect?: ReadonlyArray<string> | undefined
}) {
  const uri = typeof options.uri === "string" ? yield* RegistryUri.parse(options.uri) : options.uri
  const flavor = options.flavor ?? RegistryFlavor.forUri(uri, yield* RegistryFlavor.RegistryFlavors)
  yield* flavor.validateUri(uri)
  const protect = options.protect ?? []
  for (const pattern of protect) {
    if (!isTagGlob(pattern)) {
      return yield* Effect.dieMessage(`protect: ${JSON.stringify(pattern)} is not ${tagGlobForm}`)
    }
  }
  const config: RegistryConfig = {
    uri,
    flavor,
    defaultRepository: Option.fromNullable(options.defaultRepository),
    tls: Option.fromNullable(options.tls ?? (uri.plainHttp ? "off" : undefined)),
    isLocal: RegistryUri.isLocal(uri),
    protect
  }
  return config
})
