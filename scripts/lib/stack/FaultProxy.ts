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
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Runtime from "effect/Runtime"
import type * as Scope from "effect/Scope"
import type { FaultRule, RecordedRequest, RequestMatcher } from "./Fault.ts"
import { exchange } from "./internal/exchange.ts"
import { listen } from "./internal/listen.ts"
import * as Recorder from "./internal/recorder.ts"
import * as Rules from "./internal/rules.ts"
import type { StackError } from "./StackError.ts"

export * from "./Fault.ts"

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
