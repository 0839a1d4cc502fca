/**
 * A fault proxy driven over HTTP, for what is not TypeScript: `scripts/stack proxy`.
 *
 * | request | effect |
 * | --- | --- |
 * | `POST /rules` with a rule, or a list of rules | adds rules |
 * | `DELETE /rules` | removes all rules |
 * | `GET /requests` | what arrived |
 * | `DELETE /requests` | forgets what arrived |
 * | `GET /wait?method=PUT&path=/manifests/&nth=2` | answers with that request once it has arrived |
 * | `POST /disconnect` | closes every connection, stalled ones included |
 *
 * A rule: `{"method":"PATCH","path":"/blobs/","nth":2,"delayMillis":500,"bytesPerSecond":100000,
 * "fault":{"_tag":"StallRequest","afterBytes":1000}}`; `path` is a regular expression, and all but the braces is optional.
 */
import * as http from "node:http"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as ParseResult from "effect/ParseResult"
import * as Runtime from "effect/Runtime"
import * as Schema from "effect/Schema"
import type * as Scope from "effect/Scope"
import type { FaultProxy, FaultRule } from "./FaultProxy.ts"
import { listen } from "./internal/listen.ts"
import type { StackError } from "./StackError.ts"

const Count = Schema.Number.pipe(Schema.int(), Schema.positive())
const Bytes = Schema.Number.pipe(Schema.int(), Schema.nonNegative())

const Fault = Schema.Union(
  Schema.TaggedStruct("Forward", {}),
  Schema.TaggedStruct("Answer", {
    status: Schema.Number.pipe(Schema.int(), Schema.between(200, 599)),
    headers: Schema.optionalWith(Schema.Record({ key: Schema.String, value: Schema.String }), { exact: true }),
    body: Schema.optionalWith(Schema.String, { exact: true })
  }),
  Schema.TaggedStruct("Hang", {}),
  Schema.TaggedStruct("CutRequest", { afterBytes: Bytes }),
  Schema.TaggedStruct("StallRequest", { afterBytes: Bytes }),
  Schema.TaggedStruct("CutResponse", { afterBytes: Bytes }),
  Schema.TaggedStruct("StallResponse", { afterBytes: Bytes }),
  Schema.TaggedStruct("LoseAnswer", {})
)

const Pattern = Schema.transformOrFail(Schema.String, Schema.instanceOf(RegExp), {
  strict: true,
  decode: (source, _, ast) =>
    ParseResult.try({
      try: () => new RegExp(source),
      catch: (error) => new ParseResult.Type(ast, source, String(error))
    }),
  encode: (pattern) => ParseResult.succeed(pattern.source)
})

const Rule = Schema.Struct({
  method: Schema.optional(Schema.String),
  path: Schema.optional(Pattern),
  nth: Schema.optional(Count),
  from: Schema.optional(Count),
  every: Schema.optional(Count),
  delayMillis: Schema.optional(Schema.NonNegative),
  bytesPerSecond: Schema.optional(Schema.Positive),
  fault: Schema.optional(Fault)
})

const Rules = Schema.parseJson(Schema.Union(Rule, Schema.Array(Rule)))

const Wait = Schema.Struct({
  method: Schema.optional(Schema.String),
  path: Schema.optional(Pattern),
  nth: Schema.optional(Schema.compose(Schema.NumberFromString, Count))
})

// Strict: a misspelt key would be a rule that matches everything.
const strict = { onExcessProperty: "error" } as const

const decodeRules = (text: string) =>
  Effect.map(
    Schema.decodeUnknown(Rules, strict)(text),
    (decoded): ReadonlyArray<FaultRule> =>
      ("length" in decoded ? decoded : [decoded]).map(({ delayMillis, ...rule }) => ({ ...rule, delay: delayMillis }))
  )

interface Reply {
  readonly status: number
  readonly body?: unknown
}

const handle = (
  proxy: FaultProxy,
  method: string,
  url: URL,
  body: string
): Effect.Effect<Reply, ParseResult.ParseError> => {
  const done = (effect: Effect.Effect<void>) => Effect.as(effect, { status: 204 })
  const found = (effect: Effect.Effect<unknown>) => Effect.map(effect, (body) => ({ status: 200, body }))
  switch (`${method} ${url.pathname}`) {
    case "POST /rules":
      return Effect.flatMap(decodeRules(body), (rules) => done(proxy.add(...rules)))
    case "DELETE /rules":
      return done(proxy.clear)
    case "GET /requests":
      return found(proxy.requests)
    case "DELETE /requests":
      return done(proxy.forget)
    case "GET /wait":
      return Effect.flatMap(Schema.decodeUnknown(Wait, strict)(Object.fromEntries(url.searchParams)), (wait) =>
        found(proxy.waitFor(wait))
      )
    case "POST /disconnect":
      return done(proxy.disconnect)
    default:
      return Effect.succeed({ status: 404 })
  }
}

/** Serves a proxy's control endpoint until the scope closes; answers its port. */
export const serve = (
  proxy: FaultProxy,
  options: { readonly port?: number | undefined } = {}
): Effect.Effect<number, StackError, Scope.Scope> =>
  Effect.gen(function* () {
    const runFork = Runtime.runFork(yield* Effect.runtime())
    const server = http.createServer((request, response) => {
      let body = ""
      request.setEncoding("utf8")
      request.on("data", (chunk: string) => {
        body += chunk
      })
      request.on("end", () => {
        const reply = handle(proxy, request.method ?? "", new URL(request.url ?? "/", "http://control"), body).pipe(
          Effect.catchAll((error) => Effect.succeed<Reply>({ status: 400, body: { message: error.message } })),
          Effect.andThen(({ body, status }) =>
            Effect.sync(() => {
              response.writeHead(status, { "content-type": "application/json" })
              response.end(body === undefined ? undefined : JSON.stringify(body))
            })
          )
        )
        const fiber = runFork(reply)
        // Somebody who waits for a request that never comes may leave.
        response.once("close", () => runFork(Fiber.interruptFork(fiber)))
      })
    })
    return yield* listen(server, options.port ?? 0)
  })
