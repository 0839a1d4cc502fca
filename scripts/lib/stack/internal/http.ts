/** Small requests to the stack's own daemons, over TCP or a unix socket. */
import * as http from "node:http"
import { pipeline, Readable } from "node:stream"
import * as Effect from "effect/Effect"
import { StackError } from "../StackError.ts"

export interface Answer {
  readonly status: number
  readonly headers: http.IncomingHttpHeaders
  readonly text: string
}

/** One request; the answer's body is read whole, the request's body is streamed. Interruption closes the connection. */
export const request = (
  options: http.RequestOptions,
  body: string | Iterable<Uint8Array> = ""
): Effect.Effect<Answer, StackError> =>
  Effect.async<Answer, StackError>((resume) => {
    const fail = (error: Error) =>
      resume(
        Effect.fail(new StackError({ message: `${options.method ?? "GET"} ${options.path ?? "/"}: ${error.message}` }))
      )
    const outgoing = http.request({ agent: false, ...options }, (incoming) => {
      let text = ""
      incoming.setEncoding("utf8")
      incoming.on("data", (chunk: string) => {
        text += chunk
      })
      incoming.on("error", fail)
      incoming.on("end", () =>
        resume(Effect.succeed({ status: incoming.statusCode ?? 0, headers: incoming.headers, text }))
      )
    })
    outgoing.on("error", fail)
    if (typeof body === "string") {
      outgoing.end(body)
    } else {
      pipeline(Readable.from(body, { objectMode: false }), outgoing, (error) => error && fail(error))
    }
    return Effect.sync(() => outgoing.destroy())
  })
