import { type IncomingHttpHeaders, IncomingMessage } from "node:http"
import type { Readable } from "node:stream"
import type Modem from "docker-modem"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Inspectable from "effect/Inspectable"
import * as Option from "effect/Option"
import * as Predicate from "effect/Predicate"
import * as Redacted from "effect/Redacted"
import type * as Scope from "effect/Scope"
import { EngineDisconnected, type EngineError } from "../EngineError.ts"
import type { EngineAddress } from "../EngineStream.ts"
import { refusalError, requestError } from "./engineFailure.ts"
import { type Clean, scrub } from "./scrub.ts"

/** One request to the engine's HTTP API. `path` is percent-encoded and has no query. */
export interface EngineRequest {
  readonly method: "GET" | "POST" | "DELETE"
  readonly path: string
  readonly query?: { readonly [name: string]: string | ReadonlyArray<string> } | undefined
  readonly registryAuth?: Redacted.Redacted | undefined
  readonly body?: Readable | undefined
  /** What of the engine's words an error may repeat: without what the request carries, and `scrub` when it carries nothing. */
  readonly clean?: Clean | undefined
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

const headersOf = (request: EngineRequest): RequestHeaders =>
  Object.assign(
    new RequestHeaders(),
    request.registryAuth === undefined ? {} : { "X-Registry-Auth": Redacted.value(request.registryAuth) }
  )

/** A request under way, and its response once there is one. */
interface Flight {
  readonly signal: AbortSignal
  readonly land: (response: IncomingMessage) => void
  readonly abort: () => void
}

/** Each request has an AbortController of its own: one signal with more than ten listeners makes Node warn. */
const makeFlight = (): Flight => {
  const controller = new AbortController()
  let landed: IncomingMessage | undefined
  return {
    signal: controller.signal,
    land: (response) => {
      landed = response
    },
    // A signal that aborts a request whose answer has come in whole, and is not read yet, destroys its connection with an
    // error that nobody listens for and that ends the process (seen on Node 20.20). `destroy` without an error does not.
    abort: () => (landed === undefined ? controller.abort() : void landed.destroy())
  }
}

/** Where a request goes, and how what comes of it is called. */
export interface EngineLine {
  readonly modem: Modem
  readonly address: EngineAddress
}

const dial = (
  { address, modem }: EngineLine,
  request: EngineRequest,
  flight: Flight,
  onAnswer: (answer: Either.Either<IncomingMessage, EngineError>) => void
): void =>
  modem.dial(
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
      if (!(response instanceof IncomingMessage)) return onAnswer(Either.left(requestError(error, address)))
      flight.land(response)
      // An aborted response says so by an error event, which would be thrown if nobody listened.
      response.on("error", () => {})
      onAnswer(Either.right(response))
    }
  )

const incomplete = (address: EngineAddress) =>
  new EngineDisconnected({ ...address, detail: "the connection closed before its answer was complete" })

const isWhole = (response: IncomingMessage): boolean => response.readableEnded && response.complete

/** What makes something of an answer: `feed` may end it early with a failure, `end` tells what it was. */
export interface AnswerReader<out A> {
  readonly feed: (bytes: Uint8Array) => EngineError | undefined
  readonly end: () => Either.Either<A, EngineError>
}

/** Reads a response to its end, or to the end of its connection. What the reader throws is a defect of the effect's. */
const read = <A>(
  response: IncomingMessage,
  address: EngineAddress,
  reader: AnswerReader<A>,
  resume: (result: Effect.Effect<A, EngineError>) => void
): void => {
  const guarded = (run: () => void) => {
    try {
      run()
    } catch (defect) {
      resume(Effect.die(defect))
      response.destroy()
    }
  }
  const feed = (bytes: Uint8Array) => {
    const failure = reader.feed(bytes)
    if (failure === undefined) return
    resume(Effect.fail(failure))
    response.destroy()
  }
  response.on("data", (bytes: Uint8Array) => guarded(() => feed(bytes)))
  response.on("close", () => guarded(() => resume(isWhole(response) ? reader.end() : Effect.fail(incomplete(address)))))
}

const textReader = <A>(end: (text: string) => Either.Either<A, EngineError>): AnswerReader<A> => {
  const decoder = new TextDecoder()
  let text = ""
  return {
    feed: (bytes) => {
      text += decoder.decode(bytes, { stream: true })
      return undefined
    },
    end: () => end(text + decoder.decode())
  }
}

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

const isRefusal = ({ statusCode = 0 }: IncomingMessage): boolean => statusCode >= 300

const refusal = (
  { statusCode = 0 }: IncomingMessage,
  address: EngineAddress,
  { clean = scrub }: EngineRequest
): AnswerReader<never> => textReader((body) => Either.left(refusalError(statusCode, clean(refusalText(body)), address)))

/**
 * Sends a request and reads its answer; a status of 300 or more is `EngineRejected` with the engine's own words. It is one
 * effect from the first byte to the last: a push tells some forty lines, and a Stream costs as many effects for each.
 */
export const exchange = <A>(
  line: EngineLine,
  request: EngineRequest,
  readerOf: (response: IncomingMessage) => AnswerReader<A>
): Effect.Effect<A, EngineError> =>
  Effect.async((resume) => {
    const flight = makeFlight()
    dial(line, request, flight, (answer) => {
      if (Either.isLeft(answer)) return resume(Either.left(answer.left))
      const response = answer.right
      read(
        response,
        line.address,
        isRefusal(response) ? refusal(response, line.address, request) : readerOf(response),
        resume
      )
    })
    return Effect.sync(flight.abort)
  })

/** An answer that is read as a whole. */
export interface TextAnswer {
  readonly headers: IncomingHttpHeaders
  readonly text: string
}

/** An exchange whose answer is text. */
export const ask = (line: EngineLine, request: EngineRequest): Effect.Effect<TextAnswer, EngineError> =>
  exchange(line, request, ({ headers }) => textReader((text) => Either.right({ headers, text })))

/** Sends a request as `exchange` does; the response lives as long as the scope, and what is not read by then is aborted. */
export const open = (
  line: EngineLine,
  request: EngineRequest
): Effect.Effect<IncomingMessage, EngineError, Scope.Scope> =>
  Effect.flatMap(
    Effect.acquireRelease(Effect.sync(makeFlight), (flight) => Effect.sync(flight.abort)),
    (flight) =>
      Effect.async<IncomingMessage, EngineError>((resume) => {
        dial(line, request, flight, (answer) => {
          if (Either.isLeft(answer) || !isRefusal(answer.right)) return resume(answer)
          read(answer.right, line.address, refusal(answer.right, line.address, request), resume)
        })
      })
  )

/**
 * The next bytes of a response at each run, `None` at the end of its body; it fails when the connection ended before the
 * body did.
 */
export const bytesOf = (
  response: IncomingMessage,
  address: EngineAddress
): Effect.Effect<Uint8Array, Option.Option<EngineDisconnected>> => {
  // Only a read that waits is woken: a second one would take bytes that nobody gets.
  const idle = () => {}
  let wake = idle
  for (const event of ["readable", "end", "close"]) response.on(event, () => wake())

  const next = (): Either.Either<Uint8Array, Option.Option<EngineDisconnected>> | undefined => {
    const bytes: Uint8Array | null = response.read()
    if (bytes !== null) return Either.right(bytes)
    if (isWhole(response)) return Either.left(Option.none())
    if (!response.closed && !response.destroyed) return undefined
    return Either.left(Option.some(incomplete(address)))
  }
  const wait = Effect.async<Uint8Array, Option.Option<EngineDisconnected>>((resume) => {
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
  return Effect.suspend(() => next() ?? wait)
}
