import * as Either from "effect/Either"
import type { RegistryResponse } from "../RegistryHttp.ts"
import { allowTarget, type RegistryOrigin } from "./networkPolicy.ts"

/**
 * Behind a proxy that ends TLS a registry names itself with the wrong scheme or without its port; its own host is meant.
 *
 * https://github.com/distribution/distribution/issues/2862, https://github.com/oras-project/oras/issues/177
 */
const withOrigin = (registry: RegistryOrigin, target: URL): URL =>
  target.hostname === registry.url.hostname && (target.protocol !== registry.url.protocol || target.port === "")
    ? new URL(`${target.pathname}${target.search}`, registry.url)
    : target

/** Where an upload that was opened at `url` goes on, relative or absolute. Fails with why gantry does not go there. */
export const uploadLocation = (
  registry: RegistryOrigin,
  response: RegistryResponse,
  url: URL
): Either.Either<URL, string> => {
  const location = response.headers["location"]?.[0]
  if (location === undefined || !URL.canParse(location, url.href)) return Either.left("it names no location")
  const target = new URL(location, url.href)
  return target.username === "" && target.password === ""
    ? allowTarget(registry, withOrigin(registry, target).href, url)
    : allowTarget(registry, location, url)
}
