import * as NodeHttp from "node:http"
import * as NodeHttps from "node:https"
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import { scrubText } from "../../reference/internal/scrubText.ts"
import { RegistryUnavailable, type UnavailableReason } from "../RegistryError.ts"
import type { RegistryHttp, RegistryRequest, RegistryResponse } from "../RegistryHttp.ts"
import { MAXIMUM_REFUSAL } from "./answerText.ts"
import { dockerFolders, secureContext } from "./certificates.ts"
import { networkDetail, networkReason } from "./networkReason.ts"
import { type Proxy, proxyFor } from "./proxySettings.ts"
import { proxyAuthorization, TunnelAgent } from "./tunnel.ts"

const USER_AGENT = "gantry"

/** Idle connections do not keep the process alive, and end by themselves. */
const idle = { keepAlive: true, timeout: Duration.toMillis("15 seconds") }

/** Certificates on disk are rotated: connections made later than this read them again. */
const REREAD = Duration.toMillis("5 minutes")

interface Failure {
  readonly error: NodeJS.ErrnoException
  /** Whether the request went out on a connection that the server may have closed before it arrived. */
  readonly isStale: boolean
}

const isSuccess = (status: number): boolean => status >= 200 && status <= 299

/** Reads an answer to its end, or to the limit; a body that ends with its connection is no whole answer. */
const readResponse = (
  incoming: NodeHttp.IncomingMessage,
  request: RegistryRequest,
  resume: (effect: Effect.Effect<RegistryResponse, Failure>) => void
): void => {
  const status = incoming.statusCode ?? 0
  const limit = isSuccess(status) ? request.maximumBody : Math.min(request.maximumBody, MAXIMUM_REFUSAL)
  const chunks: Array<Buffer> = []
  let length = 0
  const finish = (truncated: boolean) => {
    const body = Buffer.concat(chunks).subarray(0, limit)
    resume(Effect.succeed({ status, headers: incoming.headersDistinct, body, truncated }))
  }
  incoming.on("data", (chunk: Buffer) => {
    chunks.push(chunk)
    length += chunk.length
    if (length > limit) {
      finish(true)
      incoming.destroy()
    }
  })
  // Not at its end: the connection is free for the next request only now.
  incoming.on("close", () => incoming.complete && finish(false))
  incoming.on("error", (error) => resume(Effect.fail({ error, isStale: false })))
}

const exchange = (
  request: RegistryRequest,
  options: NodeHttps.RequestOptions
): Effect.Effect<RegistryResponse, Failure> =>
  Effect.async((resume) => {
    const client = request.url.protocol === "https:" ? NodeHttps : NodeHttp
    const outgoing = client.request(request.url, options, (incoming) => readResponse(incoming, request, resume))
    outgoing.on("error", (error) =>
      resume(Effect.fail({ error, isStale: outgoing.reusedSocket && networkReason(error) === "reset" }))
    )
    outgoing.end(request.body === undefined ? undefined : Redacted.value(request.body))
    return Effect.sync(() => void outgoing.destroy())
  })

const headersOf = (request: RegistryRequest): NodeHttp.OutgoingHttpHeaders => ({
  "user-agent": USER_AGENT,
  ...request.headers,
  ...(request.body === undefined ? {} : { "content-length": Redacted.value(request.body).length }),
  ...(request.authorization === undefined ? {} : { authorization: Redacted.value(request.authorization) })
})

/** How a request gets to its host: over which connections, and what a proxy in between needs to see. */
interface Route {
  readonly agent: NodeHttp.Agent
  readonly options: NodeHttp.RequestOptions
  readonly reasonOf: (error: NodeJS.ErrnoException) => UnavailableReason
}

const direct = (agent: NodeHttp.Agent): Route => ({ agent, options: {}, reasonOf: networkReason })

/** A plain request that a proxy forwards names its target whole: https://www.rfc-editor.org/rfc/rfc9112#name-absolute-form */
const forwarded = (agent: NodeHttp.Agent, { url }: RegistryRequest, proxy: Proxy): Route => {
  const { hostname, port } = Redacted.value(proxy)
  return {
    agent,
    options: { hostname, port, path: url.href, headers: { host: url.host, ...proxyAuthorization(proxy) } },
    reasonOf: () => "proxy"
  }
}

/** Connections, kept alive for each host; `folders` are those of `certs.d`. */
const makeRoutes = (folders: Effect.Effect<ReadonlyArray<string>>) => {
  const plain = new NodeHttp.Agent(idle)
  const secure = new Map<string, { readonly agent: NodeHttps.Agent; readonly madeAt: number }>()

  const makeSecure = (request: RegistryRequest, proxy: Option.Option<Proxy>) =>
    Effect.gen(function* () {
      const context = yield* secureContext(yield* folders, request.url.host)
      const options = { ...idle, secureContext: context, rejectUnauthorized: request.verifyCertificate }
      return Option.match(proxy, {
        onNone: () => new NodeHttps.Agent(options),
        onSome: (known) => new TunnelAgent(known, options)
      })
    })

  const secureAgent = (request: RegistryRequest, proxy: Option.Option<Proxy>) =>
    Effect.gen(function* () {
      const now = yield* Clock.currentTimeMillis
      const through = Option.getOrElse(
        Option.map(proxy, (known) => Redacted.value(known).href),
        () => ""
      )
      const key = `${request.url.host} ${request.verifyCertificate} ${through}`
      const known = secure.get(key)
      if (known !== undefined && now < known.madeAt + REREAD) return known.agent
      const agent = yield* Effect.mapError(makeSecure(request, proxy), ({ detail }) =>
        unusable(request, "certificate", detail)
      )
      secure.set(key, { agent, madeAt: now })
      return agent
    })

  return (request: RegistryRequest): Effect.Effect<Route, RegistryUnavailable> =>
    Effect.gen(function* () {
      const proxy = yield* Effect.mapError(proxyFor(request.url), (detail) => unusable(request, "proxy", detail))
      if (request.url.protocol === "https:") return direct(yield* secureAgent(request, proxy))
      if (Option.isNone(proxy)) return direct(plain)
      return Redacted.value(proxy.value).protocol === "http:"
        ? forwarded(plain, request, proxy.value)
        : yield* unusable(request, "proxy", "plain HTTP does not go through a proxy of HTTPS")
    })
}

const unusable = (request: RegistryRequest, reason: UnavailableReason, detail: string) =>
  new RegistryUnavailable({ registry: request.registry, reason, text: scrubText(detail) })

const isRepeatable = (request: RegistryRequest): boolean => request.method !== "POST"

/** The network through Node's own client. It follows no redirect. */
export const makeNodeHttp = (folders: Effect.Effect<ReadonlyArray<string>> = dockerFolders): RegistryHttp["Type"] => {
  const routeOf = makeRoutes(folders)
  return {
    request: (request) =>
      Effect.flatMap(routeOf(request), ({ agent, options, reasonOf }) =>
        exchange(request, {
          ...options,
          method: request.method,
          headers: { ...headersOf(request), ...options.headers },
          agent
        }).pipe(
          // A server may close an idle connection in the very moment it is used again: https://nodejs.org/docs/latest-v20.x/api/http.html#requestreusedsocket
          Effect.retry({ times: 2, while: ({ isStale }) => isStale && isRepeatable(request) }),
          Effect.mapError(({ error }) => unusable(request, reasonOf(error), networkDetail(error)))
        )
      )
  }
}
