/** An origin that remembers what reached it, and a client that tells how far an answer came. */
import * as http from "node:http"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import { listen } from "../../scripts/lib/stack/internal/listen.ts"

export interface Reached {
  readonly line: string
  readonly headers: http.IncomingHttpHeaders
  body: string
  end: "open" | "complete" | "aborted"
}

/** Answers 201 with the body it got, once it has all of it. */
export const origin = Effect.gen(function* () {
  const reached: Array<Reached> = []
  const server = http.createServer((request, response) => {
    const entry: Reached = { line: `${request.method} ${request.url}`, headers: request.headers, body: "", end: "open" }
    reached.push(entry)
    request.on("data", (chunk) => {
      entry.body += chunk
    })
    request.on("error", () => {
      entry.end = "aborted"
    })
    request.on("end", () => {
      entry.end = "complete"
      const location = `http://${request.headers.host}${request.url}`
      response.writeHead(201, { location, "x-twice": ["a", "b"], "content-length": Buffer.byteLength(entry.body) })
      response.end(request.method === "HEAD" ? undefined : entry.body)
    })
  })
  const port = yield* Effect.orDie(listen(server, 0))
  return { host: `127.0.0.1:${port}`, reached }
})

export interface Answer {
  readonly status: number
  readonly headers: http.IncomingHttpHeaders
  readonly text: string
}

/** The connection ended before the answer was complete. */
export class Cut extends Data.TaggedError("Cut")<{ readonly status: number | undefined; readonly received: string }> {}

export interface RequestOptions {
  readonly headers?: http.OutgoingHttpHeaders
  readonly body?: string
  readonly agent?: http.Agent
  /** Called with what has come of the answer so far. */
  readonly received?: (text: string) => void
}

export const request = (host: string, method: string, path: string, options: RequestOptions = {}) =>
  Effect.async<Answer, Cut>((resume) => {
    let status: number | undefined
    let received = ""
    const cut = () => resume(new Cut({ status, received }))
    const url = new URL(`http://${host}${path}`)
    const outgoing = http.request(url, { method, agent: options.agent ?? false, headers: options.headers ?? {} })
    outgoing.on("error", cut)
    outgoing.on("response", (incoming) => {
      status = incoming.statusCode
      options.received?.(received)
      incoming.on("data", (chunk) => {
        received += chunk
        options.received?.(received)
      })
      incoming.on("error", cut)
      incoming.on("end", () =>
        resume(Effect.succeed({ status: incoming.statusCode ?? 0, headers: incoming.headers, text: received }))
      )
    })
    outgoing.end(options.body)
    return Effect.sync(() => outgoing.destroy())
  })

/** Real time passes until the condition holds; for what happens at the other end of a socket. */
export const eventually = (condition: () => boolean): Effect.Effect<void> =>
  Effect.async<void>((resume) => {
    const look = () => (condition() ? resume(Effect.void) : setImmediate(look))
    look()
  })
