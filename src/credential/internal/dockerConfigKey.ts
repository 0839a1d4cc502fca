import { canonicalHost } from "../../reference/internal/grammar.ts"

/**
 * Splits a key of `auths` or `credHelpers` (`https://index.docker.io/v1/`, `localhost:5000`, `quay.io/team/app`). Userinfo,
 * which has no place in a key, is dropped so that no error shows it.
 */
const split = (key: string): { readonly scheme: string; readonly host: string; readonly path: string } => {
  const scheme = /^https?:\/\//i.exec(key)?.[0] ?? ""
  const rest = key.slice(scheme.length)
  const slash = rest.indexOf("/")
  const authority = slash === -1 ? rest : rest.slice(0, slash)
  return {
    scheme,
    host: canonicalHost(authority.slice(authority.lastIndexOf("@") + 1)),
    path: slash === -1 ? "" : rest.slice(slash).replace(/\/+$/, "")
  }
}

/**
 * The host a key stands for, as Docker takes it: without scheme and path.
 */
export const hostOfKey = (key: string): string => split(key).host

/**
 * The host, or part of a host, a key stands for, as podman takes it: the path of a key with a scheme says nothing.
 */
export const namespaceOfKey = (key: string): string => {
  const { host, path, scheme } = split(key)
  return scheme === "" ? `${host}${path}` : host
}
