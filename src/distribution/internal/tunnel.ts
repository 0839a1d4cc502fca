import * as NodeHttp from "node:http"
import * as NodeHttps from "node:https"
import { Duplex } from "node:stream"
import * as Duration from "effect/Duration"
import * as Redacted from "effect/Redacted"
import { basic } from "./authorization.ts"
import type { Proxy } from "./proxySettings.ts"

/** A proxy that did not do what it was asked. */
class ProxyError extends Error {
  readonly code = "ERR_PROXY"
}

const TIMEOUT = Duration.toMillis("30 seconds")

export const proxyAuthorization = (proxy: Proxy): NodeHttp.OutgoingHttpHeaders => {
  const { password, username } = Redacted.value(proxy)
  if (username === "" && password === "") return {}
  const value = basic(decodeURIComponent(username), Redacted.make(decodeURIComponent(password)))
  return { "proxy-authorization": Redacted.value(value) }
}

/** Asks a proxy for a connection to `target` (`host:port`): https://www.rfc-editor.org/rfc/rfc9110#name-connect */
const openTunnel = (proxy: Proxy, target: string, done: (error: Error | null, socket: Duplex) => void): void => {
  const { host, hostname, port, protocol } = Redacted.value(proxy)
  const fail = (detail: string) => done(new ProxyError(`the proxy ${host} ${detail}`), new Duplex())
  const client = protocol === "https:" ? NodeHttps : NodeHttp
  const request = client.request({
    hostname,
    port,
    method: "CONNECT",
    path: target,
    headers: { host: target, ...proxyAuthorization(proxy) },
    agent: false,
    timeout: TIMEOUT
  })
  request.on("timeout", () => request.destroy(new Error("gave no answer")))
  request.on("error", ({ message }) => fail(`can not be used: ${message}`))
  request.on("connect", ({ statusCode = 0 }, socket) => {
    if (statusCode >= 200 && statusCode <= 299) return done(null, socket)
    socket.destroy()
    fail(`answered HTTP ${statusCode}`)
  })
  request.end()
}

/** Connections to one host through a proxy that sees nothing of them. */
export class TunnelAgent extends NodeHttps.Agent {
  readonly #proxy: Proxy
  constructor(proxy: Proxy, options: NodeHttps.AgentOptions) {
    super(options)
    this.#proxy = proxy
  }
  override createConnection(
    options: NodeHttps.RequestOptions,
    callback: (error: Error | null, stream: Duplex) => void = () => {}
  ): undefined {
    openTunnel(this.#proxy, `${options.host}:${options.port}`, (error, socket) => {
      const secured = error === null ? super.createConnection(Object.assign({}, options, { socket })) : undefined
      callback(error, secured ?? socket)
    })
  }
}
