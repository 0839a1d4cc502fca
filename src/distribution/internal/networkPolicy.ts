/**
 * Where a registry's answers may send gantry: token servers, redirects and upload locations are chosen by the server.
 */
import * as Either from "effect/Either"
import * as Option from "effect/Option"
import { quirksOf } from "../../flavor/RegistryFlavor.ts"
import { makeNetworks } from "../../reference/internal/ipAddress.ts"
import type { RegistryTls } from "../RegistryHttp.ts"

type AddressKind = "loopback" | "local-only" | "private" | "public"

// Connecting to the unspecified address reaches this machine too.
const isLoopback = makeNetworks("127.0.0.0/8", "0.0.0.0/8", "::/127")

// Link-local and multicast; 169.254.169.254 gives out cloud credentials.
const isLocalOnly = makeNetworks("169.254.0.0/16", "224.0.0.0/3", "fe80::/10", "ff00::/8")

// https://www.iana.org/assignments/iana-ipv4-special-registry, and NAT64, through which IPv6 reaches all of them.
const isReserved = makeNetworks(
  "10.0.0.0/8",
  "172.16.0.0/12",
  "192.168.0.0/16",
  "100.64.0.0/10",
  "192.0.0.0/24",
  "198.18.0.0/15",
  "fc00::/7",
  "64:ff9b::/96"
)

/** How near an address is to this machine; a name counts as public unless it means this machine. */
export const addressKind = (hostname: string): AddressKind => {
  const name = hostname.replace(/^\[|\]$|\.$/g, "").toLowerCase()
  if (name === "localhost" || name.endsWith(".localhost")) return "loopback"
  if (isLoopback(name)) return "loopback"
  if (isLocalOnly(name)) return "local-only"
  return isReserved(name) ? "private" : "public"
}

/** Plain HTTP on loopback, as engines do it; HTTPS with a verified certificate elsewhere. */
const defaultTls = (host: string): RegistryTls =>
  URL.canParse(`http://${host}`) && addressKind(new URL(`http://${host}`).hostname) === "loopback" ? "off" : "verify"

/** The origin a registry's requests go to, and how they are protected. */
export interface RegistryOrigin {
  /** The registry's canonical host, for errors. */
  readonly host: string
  readonly url: URL
  readonly tls: RegistryTls
}

/** Fails with what is wrong with the host. */
export const originOf = (host: string, tls: RegistryTls = defaultTls(host)): Either.Either<RegistryOrigin, string> => {
  const text = `${tls === "off" ? "http" : "https"}://${Option.getOrElse(quirksOf(host).apiHost, () => host)}/`
  const url = URL.canParse(text) ? new URL(text) : undefined
  return url !== undefined && url.username === "" && url.pathname === "/" && url.search === "" && url.hash === ""
    ? Either.right({ host, url, tls })
    : Either.left("It is not a host with a port from 0 to 65535")
}

/** Skipping the certificate's check was said of the registry's host and holds for no other. */
export const verifiesCertificate = (registry: RegistryOrigin, target: URL): boolean =>
  registry.tls !== "skip-verify" || target.hostname !== registry.url.hostname

/**
 * Whether a registry's answer may send gantry to `text`: HTTPS, or plain HTTP where the registry itself is spoken to so;
 * nowhere nearer to this machine than the registry. Fails with the reason.
 *
 * The same guard as go-containerregistry's: https://github.com/google/go-containerregistry/pull/2258
 */
export const allowTarget = (registry: RegistryOrigin, text: string, base: URL): Either.Either<URL, string> => {
  if (!URL.canParse(text, base.href)) return Either.left("it is not a URL")
  const target = new URL(text, base.href)
  const place = `${target.protocol}//${target.host}`
  if (target.protocol !== "http:" && target.protocol !== "https:") {
    return Either.left(`its scheme is ${target.protocol} and not http: or https:`)
  }
  if (target.username !== "" || target.password !== "") {
    return Either.left(`it names a user in the URL of ${target.protocol}//${target.host}`)
  }
  if (target.origin === registry.url.origin) return Either.right(target)
  const from = addressKind(registry.url.hostname)
  const to = addressKind(target.hostname)
  const sameHost = target.hostname === registry.url.hostname
  if (target.protocol === "http:" && !(registry.tls === "off" && (sameHost || (from === "loopback" && to === from)))) {
    return Either.left(`${place} is plain HTTP`)
  }
  if (sameHost || to === "public") return Either.right(target)
  const isAsNear = to === "loopback" ? from === "loopback" : to === "private" && from !== "public"
  return isAsNear ? Either.right(target) : Either.left(`${place} is an address inside a network the registry is not in`)
}
