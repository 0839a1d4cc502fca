/** What went through a fault proxy, and who waits for more of it. */
import type { IncomingMessage } from "node:http"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as FiberId from "effect/FiberId"
import type { FaultName, RecordedRequest, RequestMatcher } from "../Fault.ts"

/** A record while its request goes on. */
export type OpenRecord = { -readonly [Key in keyof RecordedRequest]: RecordedRequest[Key] }

export interface Recorder {
  readonly arrived: (request: IncomingMessage) => OpenRecord
  /** To be called after a record was changed. */
  readonly changed: () => void
  readonly all: () => ReadonlyArray<RecordedRequest>
  readonly forget: () => void
  readonly waitFor: (
    matcher: RequestMatcher,
    nth: number,
    when: (request: RecordedRequest) => boolean
  ) => Effect.Effect<RecordedRequest>
}

const recordedHeaders: ReadonlySet<string> = new Set([
  "accept",
  "content-length",
  "content-range",
  "content-type",
  "docker-content-digest",
  "docker-distribution-api-version",
  "expect",
  "host",
  "if-none-match",
  "range",
  "transfer-encoding",
  "user-agent"
])

/** The headers a test may look at; of a credential only how it is presented. */
const headersOf = (request: IncomingMessage): Record<string, string> => {
  const headers: Record<string, string> = {}
  for (const [name, value] of Object.entries(request.headers)) {
    if (value !== undefined && recordedHeaders.has(name)) {
      headers[name] = Array.isArray(value) ? value.join(", ") : value
    }
  }
  const scheme = request.headers.authorization?.split(" ")[0]
  return scheme === undefined ? headers : { ...headers, authorization: scheme }
}

export const pathOf = (request: IncomingMessage): string => (request.url ?? "/").split("?")[0] ?? "/"

export const matches = (matcher: RequestMatcher, request: { readonly method: string; readonly path: string }) =>
  (matcher.method === undefined || matcher.method === request.method) &&
  (matcher.path === undefined || request.path.search(matcher.path) >= 0)

interface Waiter {
  readonly find: () => RecordedRequest | undefined
  readonly found: Deferred.Deferred<RecordedRequest>
}

export const make = (): Recorder => {
  let records: Array<OpenRecord> = []
  const waiters = new Set<Waiter>()

  const changed = () => {
    for (const waiter of waiters) {
      const record = waiter.find()
      if (record !== undefined) {
        waiters.delete(waiter)
        Deferred.unsafeDone(waiter.found, Effect.succeed({ ...record }))
      }
    }
  }

  return {
    arrived: (request) => {
      const record: OpenRecord = {
        index: (records.at(-1)?.index ?? 0) + 1,
        method: request.method ?? "",
        path: pathOf(request),
        headers: headersOf(request),
        fault: "Forward" satisfies FaultName,
        requestBytes: 0,
        responseBytes: 0,
        status: undefined,
        outcome: "open"
      }
      records.push(record)
      return record
    },
    changed,
    all: () => records.map((record) => ({ ...record })),
    forget: () => {
      records = []
    },
    waitFor: (matcher, nth, when) =>
      Effect.suspend(() => {
        const find = () => records.filter((record) => matches(matcher, record) && when(record))[nth - 1]
        const waiter: Waiter = { find, found: Deferred.unsafeMake<RecordedRequest>(FiberId.none) }
        waiters.add(waiter)
        changed()
        return Effect.ensuring(
          Deferred.await(waiter.found),
          Effect.sync(() => waiters.delete(waiter))
        )
      })
  }
}
