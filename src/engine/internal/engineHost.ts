import * as Data from "effect/Data"
import * as Either from "effect/Either"
import { EngineContextInvalid } from "../EngineError.ts"
import { scrub } from "./scrub.ts"
import * as SshAddress from "./sshAddress.ts"

/** Where an engine listens. `endpoint` is the address as people write it, with its port. */
export type EngineHost = Data.TaggedEnum<{
  readonly Socket: { readonly endpoint: string; readonly socketPath: string }
  readonly Tcp: { readonly endpoint: string; readonly hostname: string; readonly port: number }
  readonly Ssh: { readonly endpoint: string; readonly address: SshAddress.SshAddress }
}>

export const EngineHost = Data.taggedEnum<EngineHost>()

/** Where the platform's own engine listens. */
export const defaultHost = (): string =>
  process.platform === "win32" ? "npipe:////./pipe/docker_engine" : "unix:///var/run/docker.sock"

const PLAIN_PORT = 2375
const TLS_PORT = 2376

const schemeAdvice: Record<string, string> = {
  http: "Write tcp:// instead of http://.",
  https: "Write tcp:// instead of https://, and set DOCKER_TLS_VERIFY=1 with the certificates in DOCKER_CERT_PATH."
}

/**
 * Reads `unix:///path`, `npipe:////./pipe/name`, `tcp://host[:port]`, `host[:port]` or `ssh://[user@]host[:port][/path]`, as
 * the docker command does.
 */
export const parse = (options: {
  readonly value: string
  readonly origin: string
  readonly secure: boolean
}): Either.Either<EngineHost, EngineContextInvalid> => {
  const { origin, secure } = options
  const value = options.value.trim()
  // Whatever stands before an @ may be a password, also one with a slash in it.
  const shown = scrub(value.replace(/\/\/.*@/s, "//"))
  const invalid = (detail: string) => Either.left(new EngineContextInvalid({ origin, value: shown, detail }))

  const mark = value.indexOf("://")
  const scheme = mark === -1 ? "tcp" : value.slice(0, mark)
  const rest = mark === -1 ? value : value.slice(mark + 3)
  switch (scheme) {
    case "unix":
    case "npipe":
      return rest === "" || rest.includes("\0")
        ? invalid("Name the socket's path, such as unix:///var/run/docker.sock.")
        : Either.right(EngineHost.Socket({ endpoint: `${scheme}://${rest}`, socketPath: rest }))
    case "tcp": {
      if (!URL.canParse(`tcp://${rest}`)) return invalid("Write it as tcp://HOST:PORT.")
      const url = new URL(`tcp://${rest}`)
      const hasMore = url.username + url.password + url.search + url.hash !== "" || !["", "/"].includes(url.pathname)
      if (url.hostname === "") return invalid("Write it as tcp://HOST:PORT, or a socket as unix:///PATH.")
      if (hasMore) return invalid("Leave out everything but host and port: tcp://HOST:PORT.")
      const port = url.port === "" ? (secure ? TLS_PORT : PLAIN_PORT) : Number(url.port)
      const hostname = url.hostname.replace(/^\[(.*)\]$/, "$1")
      return Either.right(EngineHost.Tcp({ endpoint: `tcp://${url.hostname}:${port}`, hostname, port }))
    }
    case "ssh":
      return Either.match(SshAddress.parse(rest), {
        onLeft: invalid,
        onRight: (address) => Either.right(EngineHost.Ssh({ endpoint: SshAddress.format(address), address }))
      })
    default:
      return invalid(
        schemeAdvice[scheme] ??
          "Write unix:///PATH, npipe:////./pipe/NAME, tcp://HOST:PORT or ssh://USER@HOST; no other form is known."
      )
  }
}
