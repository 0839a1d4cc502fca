import * as NodeHttp from "node:http"
import type * as NodeHttps from "node:https"
import type { Socket } from "node:net"
import * as NodeNet from "node:net"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import type { RegistryUnavailable } from "../../src/distribution/RegistryError.ts"
import { RegistryHttp, type RegistryRequest, type RegistryResponse } from "../../src/distribution/RegistryHttp.ts"

export const bytes = (text: string): Uint8Array => new TextEncoder().encode(text)

export const answer = (
  status: number,
  headers: Readonly<Record<string, string | ReadonlyArray<string>>> = {},
  body: string | Uint8Array = ""
): RegistryResponse => ({
  status,
  headers: Object.fromEntries(
    Object.entries(headers).map(([name, value]) => [name, typeof value === "string" ? [value] : value])
  ),
  body: typeof body === "string" ? bytes(body) : body,
  truncated: false
})

export const json = (value: unknown, headers: Readonly<Record<string, string>> = {}): RegistryResponse =>
  answer(200, { "content-type": "application/json", ...headers }, JSON.stringify(value))

type Handler = (request: RegistryRequest) => RegistryResponse | Effect.Effect<RegistryResponse, RegistryUnavailable>

/** A network that answers as `handle` says, and remembers what went through it. */
export const network = (handle: Handler) => {
  const requests: Array<RegistryRequest> = []
  const provide = Effect.provideService(RegistryHttp, {
    request: (request) =>
      Effect.suspend(() => {
        requests.push(request)
        const handled = handle(request)
        return Effect.isEffect(handled) ? handled : Effect.succeed(handled)
      })
  })
  return { requests, provide }
}

export const authorizationOf = (request: RegistryRequest | undefined): string =>
  request?.authorization === undefined ? "" : Redacted.value(request.authorization)

export const bodyOf = (request: RegistryRequest | undefined): string =>
  request?.body === undefined ? "" : new TextDecoder().decode(Redacted.value(request.body))

export interface Recorded {
  readonly method: string
  readonly path: string
  readonly headers: NodeHttp.IncomingHttpHeaders
  readonly socket: Socket
}

/** A real server on loopback that remembers what arrives; what `respond` leaves open stays open. */
export const recordingServer = (
  respond: (request: Recorded, response: NodeHttp.ServerResponse, count: number) => void,
  server: NodeHttp.Server | NodeHttps.Server = NodeHttp.createServer()
) =>
  Effect.acquireRelease(
    Effect.async<{ readonly host: string; readonly port: number; readonly requests: Array<Recorded> }>((resume) => {
      const requests: Array<Recorded> = []
      server.on("request", (incoming: NodeHttp.IncomingMessage, response: NodeHttp.ServerResponse) => {
        const { headers, method = "", socket, url = "" } = incoming
        requests.push({ method, path: url, headers, socket })
        incoming.resume().on("end", () => respond({ method, path: url, headers, socket }, response, requests.length))
      })
      server.listen(0, "127.0.0.1", () => {
        const { port } = server.address() as NodeNet.AddressInfo
        resume(Effect.succeed({ host: `127.0.0.1:${port}`, port, requests }))
      })
    }),
    () =>
      Effect.async<void>((resume) => {
        server.closeAllConnections()
        server.close(() => resume(Effect.void))
      })
  )

/** A server below HTTP: `respond` writes whatever it wants. */
export const rawServer = (respond: (socket: Socket) => void) =>
  Effect.acquireRelease(
    Effect.async<{ readonly host: string; readonly close: Effect.Effect<void> }>((resume) => {
      const sockets = new Set<Socket>()
      const server = NodeNet.createServer((socket) => {
        sockets.add(socket)
        socket.on("error", () => {})
        respond(socket)
      })
      server.listen(0, "127.0.0.1", () => {
        const { port } = server.address() as NodeNet.AddressInfo
        const close = Effect.async<void>((done) => {
          for (const socket of sockets) socket.destroy()
          server.close(() => done(Effect.void))
        })
        resume(Effect.succeed({ host: `127.0.0.1:${port}`, close }))
      })
    }),
    ({ close }) => close
  )
