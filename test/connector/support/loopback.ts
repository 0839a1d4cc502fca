import * as NodeHttp from "node:http"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import { listen } from "../../../scripts/lib/stack/internal/listen.ts"

export interface Asked {
  readonly method: string
  readonly path: string
  readonly headers: NodeHttp.IncomingHttpHeaders
  readonly body: string
}

export interface Answer {
  readonly status: number
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: unknown
}

/** Answers nothing, and leaves the connection open. */
export const silence = "silence"

export interface Server {
  readonly host: string
  readonly requests: ReadonlyArray<Asked>
  /** How many requests to which it answered nothing were taken back. */
  readonly abandoned: () => number
}

/** A server on loopback that answers as `respond` says: JSON, unless the body is text. */
export const serve = (
  respond: (asked: Asked, host: string) => Answer | typeof silence | Promise<Answer | typeof silence>
): Effect.Effect<Server, never, Scope.Scope> =>
  Effect.gen(function* () {
    const requests: Array<Asked> = []
    let host = ""
    let abandoned = 0
    const server = NodeHttp.createServer(async (request, response) => {
      let body = ""
      for await (const chunk of request) body += chunk
      const asked = { method: request.method ?? "", path: request.url ?? "", headers: request.headers, body }
      requests.push(asked)
      const answer = await respond(asked, host)
      if (answer === silence) return void request.socket.on("close", () => abandoned++)
      response.writeHead(answer.status, answer.headers)
      response.end(typeof answer.body === "string" ? answer.body : JSON.stringify(answer.body))
    })
    host = `127.0.0.1:${yield* Effect.orDie(listen(server, 0))}`
    return { host, requests, abandoned: () => abandoned }
  })

/** A place on loopback where nobody listens. */
export const nobody = Effect.map(Effect.scoped(serve(() => silence)), ({ host }) => host)
