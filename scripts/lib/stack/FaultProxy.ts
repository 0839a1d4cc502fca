/**
 * A proxy before a registry that does harm on request: the nth request that matches a method and a path gets another
 * answer, a delay, a cut connection, a stall or a slow line. Everything else passes unchanged, with the client's Host
 * header, so that a registry builds its Locations with the proxy's address and the client stays on it.
 *
 * ```ts
 * const proxy = yield* FaultProxy.make({ target: registry.host })
 * yield* proxy.add({ method: "PATCH", nth: 2, fault: FaultProxy.Fault.StallRequest({ afterBytes: 1_000_000 }) })
 * const push = yield* Effect.fork(engine.api.push(`${proxy.host}/lab/app:v1`))
 * const stalled = yield* proxy.waitFor({ method: "PATCH", nth: 2, when: (request) => request.requestBytes >= 1_000_000 })
 * ```
 */
import * as http from "node:http"
import * as Data from "effect/Data"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Runtime from "effect/Runtime"
import type * as Scope from "effect/Scope"
import { exchange } from "./internal/exchange.ts"
import { listen } from "./internal/listen.ts"
import * as Recorder from "./internal/recorder.ts"
import * as Rules from "./internal/rules.ts"
import type { StackError } from "./StackError.ts"

/**
 * The harm. Bytes are bytes of a body: `CutRequest({ afterBytes: 10 })` lets ten bytes of the request's body reach the
 * registry, and does nothing to a request that has fewer.
 */
export type Fault = Data.TaggedEnum<{
  /** None; for rules that only delay or throttle. */
  Forward: {}
  /** Answers at once in the registry's place; the request does not reach it. */
  Answer: { readonly status: number; readonly headers?: Readonly<Record<string, string>>; readonly body?: string }
  /** Reads the request, passes nothing on and never answers. */
  Hang: {}
  /** Closes the connection on both sides in the middle of the request. */
  CutRequest: { readonly afterBytes: number }
  /** Stops reading in the middle of the request, and keeps the connection. */
  StallRequest: { readonly afterBytes: number }
  /** Closes the client's connection in the middle of the response, after its head. */
  CutResponse: { readonly afterBytes: number }
  /** Stops in the middle of the response, after its head, and keeps the connection. */
  StallResponse: { readonly afterBytes: number }
  /** The registry does its work and answers in full; the client's connection is closed without a byte of the answer. */
  LoseAnswer: {}
}>

export const Fault = Data.taggedEnum<Fault>()

export type FaultName = Fault["_tag"]

export interface RequestMatcher {
  readonly method?: string | undefined
  /** Searched for in the path without its query. */
  readonly path?: RegExp | undefined
}

export interface FaultRule extends RequestMatcher {
  /** Only the nth request that matches, counted from 1 since the rule was added. */
  readonly nth?: number | undefined
  /** The nth and all later ones. With neither `nth` nor `from`: every request that matches. */
  readonly from?: number | undefined
  /** Waited before anything else, on the Clock of the fiber that made the proxy. */
  readonly delay?: Duration.DurationInput | undefined
  /** The speed of either body. */
  readonly bytesPerSecond?: number | undefined
  /** `Forward` when left out. */
  readonly fault?: Fault | undefined
}

export interface RecordedRequest {
  /** Order of arrival, from 1. */
  readonly index: number
  readonly method: string
  /** Without the query. */
  readonly path: string
  /** An allow-list, names in lower case; `authorization` holds the scheme only. */
  readonly headers: Readonly<Record<string, string>>
  readonly fault: FaultName
  /** Bytes of the request's body read from the client. */
  readonly requestBytes: number
  /** Bytes of the response's body given to the client. */
  readonly responseBytes: number
  /** The registry's status, also when the answer was lost, or the status of `Answer`. */
  readonly status: number | undefined
  /** `cut`: the connection closed before the response was complete, whoever closed it. */
  readonly outcome: "open" | "answered" | "cut"
}

export interface FaultProxy {
  readonly port: number
  /** `127.0.0.1:PORT`, to be used in place of the registry's host. */
  readonly host: string
  /** Adds rules behind those there are; of the rules whose turn it is, the first one decides. */
  readonly add: (...rules: ReadonlyArray<FaultRule>) => Effect.Effect<void>
  /** Removes all rules: later requests pass. What stalls goes on stalling; see `disconnect`. */
  readonly clear: Effect.Effect<void>
  /** Everything that arrived, oldest first. */
  readonly requests: Effect.Effect<ReadonlyArray<RecordedRequest>>
  /** Forgets what arrived. */
  readonly forget: Effect.Effect<void>
  /** Waits for the nth (default: first) request that matches and, if given, fulfils `when`. */
  readonly waitFor: (
    matcher: RequestMatcher & {
      readonly nth?: number | undefined
      readonly when?: ((request: RecordedRequest) => boolean) | undefined
    }
  ) => Effect.Effect<RecordedRequest>
  /** Closes every connection, stalled ones included. */
  readonly disconnect: Effect.Effect<void>
}

export interface FaultProxyOptions {
  /** `HOST:PORT` of the registry, spoken to in plain HTTP. */
  readonly target: string
  readonly rules?: ReadonlyArray<FaultRule> | undefined
  /** 0, the default, takes any. */
  readonly port?: number | undefined
}

/** Runs a fault proxy in this process until the scope closes. */
export const make = (options: FaultProxyOptions): Effect.Effect<FaultProxy, StackError, Scope.Scope> =>
  Effect.gen(function* () {
    const runtime = yield* Effect.runtime()
    const sleep = (duration: Duration.DurationInput, signal: AbortSignal) =>
      Runtime.runPromise(runtime)(Effect.sleep(duration), { signal })
    const recorder = Recorder.make()
    const rules = Rules.make()
    const target = new URL(`http://${options.target}`)

    const server = http.createServer((request, response) => {
      const record = recorder.arrived(request)
      const rule = rules.next(record)
      exchange({ request, response, record, rule, target, sleep, changed: recorder.changed })
    })
    // A stalled request is the purpose here, not an attack.
    server.requestTimeout = 0
    server.headersTimeout = 0
    server.keepAliveTimeout = 0
    const port = yield* listen(server, options.port ?? 0)

    const add = (...added: ReadonlyArray<FaultRule>) => Effect.sync(() => added.forEach(rules.add))
    yield* add(...(options.rules ?? []))
    return {
      port,
      host: `127.0.0.1:${port}`,
      add,
      clear: Effect.sync(rules.clear),
      requests: Effect.sync(recorder.all),
      forget: Effect.sync(recorder.forget),
      waitFor: ({ nth = 1, when = () => true, ...matcher }) => recorder.waitFor(matcher, nth, when),
      disconnect: Effect.sync(() => server.closeAllConnections())
    }
  })
