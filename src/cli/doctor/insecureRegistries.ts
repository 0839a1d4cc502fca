import { BlockList, isIP } from "node:net"
import * as Option from "effect/Option"
import type { GantryFile } from "../../config/GantryFile.ts"
import type { EngineInfo } from "../../engine/DockerEngine.ts"
import * as Finding from "../Finding.ts"

const check = "insecure-registries"

const hostnameOf = (host: string): string => {
  const name = URL.canParse(`http://${host}`) ? new URL(`http://${host}`).hostname : host
  return name.replace(/^\[|\]$/g, "")
}

const networksOf = (cidrs: ReadonlyArray<string>): BlockList => {
  const list = new BlockList()
  for (const cidr of cidrs) {
    const [network = "", prefix = ""] = cidr.split("/")
    const version = isIP(network)
    if (version !== 0) list.addSubnet(network, Number(prefix), version === 6 ? "ipv6" : "ipv4")
  }
  return list
}

type Verdict = "allowed" | "refused" | "unknown"

/** An engine looks a name up and compares its addresses with its networks, so only an address can be judged from here. */
const judge = (host: string, { insecureNetworks, insecureRegistries }: EngineInfo): Verdict => {
  const name = hostnameOf(host)
  if (insecureRegistries.includes(host) || insecureRegistries.includes(name)) return "allowed"
  const address = name === "localhost" ? "127.0.0.1" : name
  const version = isIP(address)
  if (version === 0) return "unknown"
  return networksOf(insecureNetworks).check(address, version === 6 ? "ipv6" : "ipv4") ? "allowed" : "refused"
}

const wants = { off: "plain HTTP", "skip-verify": "a certificate that is not verified" } as const

const findingOf = (name: string, host: string, want: string, verdict: Verdict): Finding.Finding => {
  const registry = `@${name} (${host})`
  const todo = `Add "insecure-registries": ["${host}"] to the engine's daemon.json and restart it.`
  switch (verdict) {
    case "allowed":
      return Finding.ok(check, `The engine allows ${want} to ${registry}.`)
    case "refused":
      return Finding.failed(check, {
        what: `The engine does not allow ${want} to ${registry}: it will not push there.`,
        todo
      })
    case "unknown":
      return Finding.warning(check, {
        what: `The engine does not name ${registry} among those it allows ${want} to: it pushes there only if the name's address is in one of its networks.`,
        todo
      })
  }
}

const isLoopback = (host: string): boolean => /^(?:localhost|127\..*|::1)$/.test(hostnameOf(host))

/** Whether the engine would push where the file says that there is no TLS, or no good certificate. */
export const insecureRegistries = (
  file: Option.Option<Pick<GantryFile, "registries">>,
  info: Option.Option<EngineInfo>
): ReadonlyArray<Finding.Finding> => {
  const registries = Object.entries(Option.match(file, { onNone: () => ({}), onSome: ({ registries }) => registries }))
  const insecure = registries.flatMap(([name, { tls, uri }]) => {
    const used = tls ?? (uri.plainHttp || isLoopback(uri.host) ? "off" : "verify")
    return used === "verify" ? [] : [{ name, host: uri.host, want: wants[used] }]
  })
  if (insecure.length === 0) return [Finding.skipped(check, "No registry of the file needs the engine's permission.")]
  return Option.match(info, {
    onNone: () => [Finding.skipped(check, "No engine says what it allows.")],
    onSome: (info) => insecure.map(({ host, name, want }) => findingOf(name, host, want, judge(host, info)))
  })
}
