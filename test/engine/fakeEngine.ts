import * as NodeFs from "node:fs"
import * as NodeHttp from "node:http"
import type * as NodeNet from "node:net"
import * as NodeOs from "node:os"
import * as NodePath from "node:path"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"

/** A request as the fake engine got it. */
export interface SeenRequest {
  readonly method: string
  readonly url: string
  readonly headers: NodeHttp.IncomingHttpHeaders
  readonly body: Buffer
}

export interface FakeEngine {
  readonly host: string
  readonly socketPath: string
  readonly seen: ReadonlyArray<SeenRequest>
  /** Forgets the requests seen so far. */
  readonly forget: () => void
  readonly connections: () => number
  /** Connections made since the start. */
  readonly accepted: () => number
}

export type Respond = (request: SeenRequest, response: NodeHttp.ServerResponse) => void

/**
 * A server on a unix socket that answers as an engine does. A mock, because no real engine hangs, dies in the middle of
 * a line or speaks another API version on command; what it answers is recorded from real ones. The same code meets real
 * engines in test/live.
 */
export const fakeEngine = (respond: Respond): Effect.Effect<FakeEngine, never, Scope.Scope> =>
  Effect.acquireRelease(
    Effect.async<FakeEngine & { readonly close: Effect.Effect<void> }>((resume) => {
      const folder = NodeFs.mkdtempSync(NodePath.join(NodeOs.tmpdir(), "gantry-engine-"))
      const socketPath = NodePath.join(folder, "engine.sock")
      const seen: Array<SeenRequest> = []
      const sockets = new Set<NodeNet.Socket>()
      let accepted = 0
      const server = NodeHttp.createServer((request, response) => {
        const parts: Array<Buffer> = []
        request.on("data", (part: Buffer) => parts.push(part))
        request.on("error", () => {})
        request.on("end", () => {
          const { headers, method = "", url = "" } = request
          const one = { method, url, headers, body: Buffer.concat(parts) }
          seen.push(one)
          respond(one, response)
        })
      })
      // An idle connection is the client's to close: the server's own timeout would hide one that it forgets.
      server.keepAliveTimeout = 0
      server.on("connection", (socket) => {
        accepted++
        sockets.add(socket)
        socket.on("close", () => sockets.delete(socket))
      })
      const close = Effect.async<void>((done) => {
        server.close(() => done(Effect.sync(() => NodeFs.rmSync(folder, { recursive: true }))))
        server.closeAllConnections()
      })
      server.listen(socketPath, () =>
        resume(
          Effect.succeed({
            host: `unix://${socketPath}`,
            socketPath,
            seen,
            forget: () => {
              seen.length = 0
            },
            connections: () => sockets.size,
            accepted: () => accepted,
            close
          })
        )
      )
    }),
    ({ close }) => close
  )
