import * as NodeHttp from "node:http"
import * as NodeHttps from "node:https"
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import { scrubText } from "../../reference/internal/scrubText.ts"
import { RegistryUnavailable } from "../RegistryError.ts"
import type { RegistryHttp, RegistryRequest, RegistryResponse } from "../RegistryHttp.ts"
import { MAXIMUM_REFUSAL } from "./answerText.ts"
import { dockerFolders, secureContext } from "./certificates.ts"
import { networkDetail, networkReason } from "./networkReason.ts"

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
  incoming.on("end", () => finish(false))
  incoming.on("error", (error) => resume(Effect.fail({ error, isStale: false })))
}

const exchange = (
  request: RegistryRequest,
  options: NodeHttp.RequestOptions
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

/** Connections, kept alive for each origin; `folders` are those of `certs.d`. */
const makeAgents = (folders: Effect.Effect<ReadonlyArray<string>>) => {
  const plain = new NodeHttp.Agent(idle)
  const secure = new Map<string, { readonly agent: NodeHttps.Agent; readonly madeAt: number }>()

  const makeSecure = (request: RegistryRequest) =>
    Effect.map(
      Effect.flatMap(folders, (names) => secureContext(names, request.url.host)),
      (context) =>
        new NodeHttps.Agent({ ...idle, secureContext: context, rejectUnauthorized: request.verifyCertificate })
    )

  return (request: RegistryRequest): Effect.Effect<NodeHttp.Agent, RegistryUnavailable> =>
    Effect.gen(function* () {
      if (request.url.protocol !== "https:") return plain
      const now = yield* Clock.currentTimeMillis
      const key = `${request.url.host} ${request.verifyCertificate}`
      const known = secure.get(key)
      if (known !== undefined && now < known.madeAt + REREAD) return known.agent
      const agent = yield* Effect.mapError(
        makeSecure(request),
        ({ detail }) => new RegistryUnavailable({ registry: request.registry, reason: "certificate", text: detail })
      )
      secure.set(key, { agent, madeAt: now })
      return agent
    })
}

const isRepeatable = (request: RegistryRequest): boolean => request.method !== "POST"

/** The network through Node's own client. It follows no redirect. */
export const makeNodeHttp = (folders: Effect.Effect<ReadonlyArray<string>> = dockerFolders): RegistryHttp["Type"] => {
  const agentOf = makeAgents(folders)
  return {
    request: (request) =>
      Effect.flatMap(agentOf(request), (agent) =>
        exchange(request, { method: request.method, headers: headersOf(request), agent }).pipe(
          // A server may close an idle connection in the very moment it is used again: https://nodejs.org/docs/latest-v20.x/api/http.html#requestreusedsocket
          Effect.retry({ times: 2, while: ({ isStale }) => isStale && isRepeatable(request) }),
          Effect.mapError(
            ({ error }) =>
              new RegistryUnavailable({
                registry: request.registry,
                reason: networkReason(error),
                text: scrubText(networkDetail(error))
              })
          )
        )
      )
  }
}
