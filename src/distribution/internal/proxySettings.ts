import { BlockList, isIP } from "node:net"
import * as Config from "effect/Config"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import { addressKind } from "./networkPolicy.ts"

/** A proxy that stands before a registry; its URL may hold a user and a password. */
export type Proxy = Redacted.Redacted<URL>

const setting = (name: string): Effect.Effect<Option.Option<string>> =>
  Config.redacted(name).pipe(
    Config.orElse(() => Config.redacted(name.toLowerCase())),
    Effect.option,
    Effect.map(Option.filterMap((value) => Option.liftPredicate(Redacted.value(value), (text) => text !== "")))
  )

const familyOf = (address: string): "ipv4" | "ipv6" => (isIP(address) === 6 ? "ipv6" : "ipv4")

const isInNetwork = (entry: string, hostname: string): boolean => {
  const [, network = "", prefix = ""] = /^(.+)\/(\d{1,3})$/.exec(entry) ?? []
  const size = familyOf(network) === "ipv6" ? 128 : 32
  if (isIP(network) === 0 || isIP(hostname) === 0 || Number(prefix) > size) return false
  const list = new BlockList()
  list.addSubnet(network, Number(prefix), familyOf(network))
  return list.check(hostname, familyOf(hostname))
}

/** One entry of NO_PROXY: `*`, a network, or a host or address (`.below` without the host itself), maybe with a port. */
const excludes = (entry: string, hostname: string, port: string): boolean => {
  if (entry === "*" || isInNetwork(entry, hostname)) return true
  const isBareAddress = isIP(entry) === 6
  const colon = isBareAddress ? -1 : entry.search(/:\d+$/)
  const name = (colon < 0 ? entry : entry.slice(0, colon)).replace(/^\[|\]$/g, "")
  if (colon >= 0 && entry.slice(colon + 1) !== port) return false
  const below = name.replace(/^\*?\./, "")
  return hostname === name || hostname.endsWith(`.${below}`)
}

const portOf = ({ port, protocol }: URL): string => port || (protocol === "https:" ? "443" : "80")

const parse = (name: string, text: string): Either.Either<Proxy, string> => {
  const full = text.includes("://") ? text : `http://${text}`
  const url = URL.canParse(full) ? new URL(full) : undefined
  return url?.protocol === "http:" || url?.protocol === "https:"
    ? Either.right(Redacted.make(url))
    : Either.left(`${name} is not the URL of an HTTP proxy`)
}

/**
 * The proxy for a URL, as Docker and Go's other programs read the environment: none for this machine, upper case before
 * lower case. Fails with what is wrong with the setting.
 *
 * Source: https://pkg.go.dev/golang.org/x/net/http/httpproxy#Config
 */
export const proxyFor = (url: URL): Effect.Effect<Option.Option<Proxy>, string> =>
  Effect.gen(function* () {
    const hostname = url.hostname.replace(/^\[|\]$/g, "")
    if (addressKind(hostname) === "loopback") return Option.none()
    const excluded = Option.getOrElse(yield* setting("NO_PROXY"), () => "")
    const entries = excluded.toLowerCase().split(/[\s,]+/)
    if (entries.some((entry) => entry !== "" && excludes(entry, hostname, portOf(url)))) return Option.none()
    const name = url.protocol === "https:" ? "HTTPS_PROXY" : "HTTP_PROXY"
    const text = yield* setting(name)
    return Option.isNone(text) ? Option.none() : Option.some(yield* parse(name, text.value))
  })
