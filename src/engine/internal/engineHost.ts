import * as Data from "effect/Data"
import * as Either from "effect/Either"
import { EngineContextInvalid } from "../EngineError.ts"
import { scrub } from "./scrub.ts"

/** Where an engine listens. `endpoint` is the address as people write it, with its port. */
export type EngineHost = Data.TaggedEnum<{
  readonly Socket: { readonly endpoint: string; readonly socketPath: string }
  readonly Tcp: { readonly endpoint: string; readonly hostname: string; readonly port: number }
}>

export const EngineHost = Data.taggedEnum<EngineHost>()

const PLAIN_PORT = 2375
const TLS_PORT = 2376

const SSH_ADVICE =
  "gantry opens no ssh connection to an engine. Forward its socket (ssh -nNT -L /tmp/engine.sock:/var/run/docker.sock USER@HOST) and use unix:///tmp/engine.sock."

const schemeAdvice: Record<string, string> = {
  ssh: SSH_ADVICE,
  http: "Write tcp:// instead of http://.",
  https: "Write tcp:// instead of https://, and set DOCKER_TLS_VERIFY=1 with the certificates in DOCKER_CERT_PATH."
}

/** Reads `unix:///path`, `npipe:////./pipe/name`, `tcp://host[:port]` or `host[:port]`, as the docker command does. */
export const parse = (options: {
  readonly value: string
  readonly origin: string
  readonly secure: boolean
}): Either.Either<EngineHost, EngineContextInvalid> => {
  const { origin, secure, value } = options
  const invalid = (detail: string) => Either.left(new EngineContextInvalid({ origin, value: scrub(value), detail }))

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
    default:
      return invalid(
        schemeAdvice[scheme] ?? "Write unix:///PATH, npipe:////./pipe/NAME or tcp://HOST:PORT; no other form is known."
      )
  }
}
