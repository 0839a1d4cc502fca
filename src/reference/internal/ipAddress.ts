/**
 * IP addresses without Node's `net`: a URL's host parser, which every runtime has, reads them and writes them in one way.
 *
 * Source: https://url.spec.whatwg.org/#host-parsing
 */

const IPV4 = /^\d{1,3}(\.\d{1,3}){3}$/
/** https://www.rfc-editor.org/rfc/rfc4291#section-2.5.5.2 */
const IPV4_IN_IPV6 = 0xffffn << 32n

/** The host as a URL has it; undefined for what is no host. A name that a URL reads as a number is an address there too. */
const canonical = (text: string): string | undefined => {
  const url = `http://${text.includes(":") ? `[${text}]` : text}/`
  return /^[\w.:-]+$/.test(text) && URL.canParse(url) ? new URL(url).hostname : undefined
}

const joined = (parts: ReadonlyArray<string>, width: bigint, radix: string): bigint =>
  parts.reduce((bits, part) => (bits << width) | BigInt(radix + part), 0n)

/** `::` stands for as many zeros as are missing: https://www.rfc-editor.org/rfc/rfc5952#section-4.2 */
const groups = (text: string): ReadonlyArray<string> => {
  const [head = "", tail] = text.split("::")
  const left = head === "" ? [] : head.split(":")
  if (tail === undefined) return left
  const right = tail === "" ? [] : tail.split(":")
  return [...left, ...Array.from({ length: 8 - left.length - right.length }, () => "0"), ...right]
}

/** The 128 bits of an address; one of IPv4 is where IPv6 has it. */
const parse = (text: string): bigint | undefined => {
  const host = canonical(text)
  if (host === undefined) return undefined
  if (IPV4.test(host)) return IPV4_IN_IPV6 | joined(host.split("."), 8n, "")
  return host.startsWith("[") ? joined(groups(host.slice(1, -1)), 16n, "0x") : undefined
}

/** Whether a host is an address in one of these networks, as `127.0.0.0/8` or `fe80::/10`. */
export const makeNetworks = (...networks: ReadonlyArray<string>): ((host: string) => boolean) => {
  const known = networks.flatMap((network) => {
    const [text = "", prefix = ""] = network.split("/")
    const address = parse(text)
    if (address === undefined) return []
    const shift = BigInt((text.includes(":") ? 128 : 32) - Number(prefix))
    return [{ shift, bits: address >> shift }]
  })
  return (host) => {
    const address = parse(host)
    return address !== undefined && known.some(({ bits, shift }) => address >> shift === bits)
  }
}
