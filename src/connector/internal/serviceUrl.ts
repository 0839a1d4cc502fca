import * as Either from "effect/Either"
import * as Option from "effect/Option"
import * as RegistryUri from "../../reference/RegistryUri.ts"

/**
 * The address of a service to which a connector shows a secret, without slashes at its end, or what is wrong with it. Plain
 * HTTP would show the secret to everybody on the way; this machine is no way.
 *
 * @param name what the address is called, for messages
 */
export const readServiceUrl = (name: string, text: string): Either.Either<string, string> => {
  const url = URL.canParse(text) ? new URL(text) : undefined
  const isLocal = url !== undefined && Option.exists(Either.getRight(RegistryUri.parse(url.host)), RegistryUri.isLocal)
  if (url === undefined || !(url.protocol === "https:" || (url.protocol === "http:" && isLocal))) {
    return Either.left(`${name} is no https:// address`)
  }
  return url.username === "" && url.password === "" && url.search === "" && url.hash === ""
    ? Either.right(url.href.replace(/\/+$/, ""))
    : Either.left(`${name} has more than a host and a path`)
}
