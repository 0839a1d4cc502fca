/** A collector of OTLP on loopback that keeps the names of the spans it is sent. */
import * as http from "node:http"
import { text } from "node:stream/consumers"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { listen } from "../stack/internal/listen.ts"

const Traces = Schema.parseJson(
  Schema.Struct({
    resourceSpans: Schema.Array(
      Schema.Struct({
        scopeSpans: Schema.Array(Schema.Struct({ spans: Schema.Array(Schema.Struct({ name: Schema.String })) }))
      })
    )
  })
)

const namesIn = (body: string): ReadonlyArray<string> =>
  Schema.decodeSync(Traces)(body).resourceSpans.flatMap(({ scopeSpans }) =>
    scopeSpans.flatMap(({ spans }) => spans.map(({ name }) => name))
  )

/** Listens until the scope closes. */
export const make = Effect.gen(function* () {
  const names: Array<string> = []
  const receive = async (request: http.IncomingMessage): Promise<number> => {
    const body = await text(request)
    if (request.url === "/v1/traces") names.push(...namesIn(body))
    return 200
  }
  const server = http.createServer((request, response) => {
    receive(request)
      .catch(() => 400)
      .then((status) => response.writeHead(status, { "content-type": "application/json" }).end("{}"))
  })
  const port = yield* listen(server, 0)
  return { endpoint: `http://127.0.0.1:${port}`, spans: Effect.sync(() => names.slice()) }
})
