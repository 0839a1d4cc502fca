import { IncomingMessage } from "node:http"
import type { Readable } from "node:stream"
import type Dockerode from "dockerode"
import * as Chunk from "effect/Chunk"
import * as Effect from "effect/Effect"
import * as Inspectable from "effect/Inspectable"
import * as Option from "effect/Option"
import * as Predicate from "effect/Predicate"
import * as Redacted from "effect/Redacted"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import { EngineDisconnected, type EngineError, EngineRejected } from "../EngineError.ts"
import type { EngineAddress } from "../EngineStream.ts"
import { requestError } from "./engineFailure.ts"
import { scrub } from "./scrub.ts"

/** One request to the engine's HTTP API. `path` is percent-encoded and has no query. */
export interface EngineRequest {
  readonly method: "GET" | "POST" | "DELETE"
  readonly path: string
  readonly query?: { readonly [name: string]: string | ReadonlyArray<string> } | undefined
  readonly registryAuth?: Redacted.Redacted | undefined
  readonly body?: Readable | undefined
}

/**
 * docker-modem inspects every request for its debug output, headers and all: this keeps `X-Registry-Auth` out of it.
 * reference/engine.md section 9
 */
class RequestHeaders {
  readonly [header: string]: string
  [Inspectable.NodeInspectSymbol](): string {
    return "<headers>"
  }
}

/** Every status is taken, so that docker-modem makes no error of its own: its text is all that it keeps of an answer. */
const everyStatus: { readonly [status: number]: true } = Object.fromEntries(
  Array.from({ length: 500 }, (_, index) => [index + 100, true] as const)
)

const INCOMPLETE = "the connection closed before its answer was complete"

const headersOf = (request: EngineRequest): RequestHeaders =>
  Object.assign(
    new RequestHeaders(),
    request.registryAuth === undefined ? {} : { "X-Registry-Auth": Redacted.value(request.registryAuth) }
  )

/** A request under way. */
const makeFlight = () => {
  const controller = new AbortController()
  let response: IncomingMessage | undefined
  return {
    signal: controller.signal,
    landed: (message: IncomingMessage) => {
      response = message
    },
    // A signal that aborts a request whose answer has come in whole, and is not read yet, destroys its connection with an
    // error that nobody listens for and that ends the process (seen on Node 20.20). `destroy` without an error does not.
    abort: () => (response === undefined ? controller.abort() : void response.destroy())
  }
}

/**
 * Sends a request; the response lives as long as the scope, and what is not read by then is aborted. Each request has
 * an AbortController of its own: one signal with more than ten listeners makes Node warn.
 */
const send = (
  client: Dockerode,
  address: EngineAddress,
  request: EngineRequest
): Effect.Effect<IncomingMessage, EngineError, Scope.Scope> =>
  Effect.flatMap(
    Effect.acquireRelease(Effect.sync(makeFlight), (flight) => Effect.sync(flight.abort)),
    (flight) =>
      Effect.async<IncomingMessage, EngineError>((resume) => {
        client.modem.dial(
          {
            path: request.query === undefined ? request.path : `${request.path}?`,
            method: request.method,
            headers: headersOf(request),
            options: { _query: request.query ?? {}, _body: {} },
            file: request.body,
            abortSignal: flight.signal,
            isStream: true,
            statusCodes: everyStatus
          },
          (error, response) => {
            if (!(response instanceof IncomingMessage)) return resume(Effect.fail(requestError(error, address)))
            flight.landed(response)
            // An aborted response says so by an error event, which would be thrown if nobody listened.
            response.on("error", () => {})
            resume(Effect.succeed(response))
          }
        )
      })
  )

/** The bytes of a response; it fails when the connection ended before the body did. */
export const readBody = (
  response: IncomingMessage,
  address: EngineAddress
): Stream.Stream<Uint8Array, EngineDisconnected> =>
  Stream.suspend(() => {
    // Only a read that waits is woken: a second one would take bytes that nobody gets.
    const idle = () => {}
    let wake = idle
    for (const event of ["readable", "end", "close"]) response.on(event, () => wake())

    const next = (): Effect.Effect<Chunk.Chunk<Uint8Array>, Option.Option<EngineDisconnected>> | undefined => {
      const bytes: Uint8Array | null = response.read()
      if (bytes !== null) return Effect.succeed(Chunk.of(bytes))
      if (response.readableEnded && response.complete) return Effect.fail(Option.none())
      if (!response.closed && !response.destroyed) return undefined
      return Effect.fail(Option.some(new EngineDisconnected({ ...address, detail: INCOMPLETE })))
    }
    const wait = Effect.async<Chunk.Chunk<Uint8Array>, Option.Option<EngineDisconnected>>((resume) => {
      wake = () => {
        const result = next()
        if (result === undefined) return
        wake = idle
        resume(result)
      }
      return Effect.sync(() => {
        wake = idle
      })
    })
    const read = Effect.suspend(() => next() ?? wait)
    return Stream.repeatEffectChunkOption(read)
  })

const decodeText = (bytes: Chunk.Chunk<Uint8Array>): string => {
  const decoder = new TextDecoder()
  return Chunk.reduce(bytes, "", (text, part) => text + decoder.decode(part, { stream: true })) + decoder.decode()
}

/** The whole body of a response, as text. */
export const readText = (
  response: IncomingMessage,
  address: EngineAddress
): Effect.Effect<string, EngineDisconnected> => Effect.map(Stream.runCollect(readBody(response, address)), decodeText)

const parseJson = (text: string): unknown => {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

/** The engine's words in Docker's `{message}`, in Podman's `{errorDetail: {message}}`, or in a body that is no JSON. */
const refusalText = (body: string): string => {
  const value = parseJson(body)
  if (!Predicate.isRecord(value)) return body.trim()
  const { error, errorDetail, message } = value
  const detail = Predicate.isRecord(errorDetail) ? errorDetail["message"] : undefined
  return [message, detail, error].find(Predicate.isString) ?? body.trim()
}

/** `send`, for which a status of 300 or more is `EngineRejected` with the engine's own words. */
export const sendOk = (
  client: Dockerode,
  address: EngineAddress,
  request: EngineRequest
): Effect.Effect<IncomingMessage, EngineError, Scope.Scope> =>
  Effect.flatMap(send(client, address, request), (response) => {
    const status = response.statusCode ?? 0
    if (status < 300) return Effect.succeed(response)
    return Effect.flatMap(readText(response, address), (body) =>
      Effect.fail(new EngineRejected({ status, text: scrub(refusalText(body)) || "it gave no reason" }))
    )
  })
