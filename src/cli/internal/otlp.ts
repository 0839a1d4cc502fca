import * as OtlpLogger from "@effect/opentelemetry/OtlpLogger"
import * as OtlpMetrics from "@effect/opentelemetry/OtlpMetrics"
import * as OtlpSerialization from "@effect/opentelemetry/OtlpSerialization"
import * as OtlpTracer from "@effect/opentelemetry/OtlpTracer"
import * as FetchHttpClient from "@effect/platform/FetchHttpClient"
import * as Headers from "@effect/platform/Headers"
import * as HttpClient from "@effect/platform/HttpClient"
import * as HttpClientError from "@effect/platform/HttpClientError"
import * as HttpTraceContext from "@effect/platform/HttpTraceContext"
import * as Cause from "effect/Cause"
import * as ConfigProvider from "effect/ConfigProvider"
import * as Context from "effect/Context"
import * as DefaultServices from "effect/DefaultServices"
import * as Effect from "effect/Effect"
import * as ExecutionStrategy from "effect/ExecutionStrategy"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as FiberSet from "effect/FiberSet"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as Scope from "effect/Scope"
import * as Tracer from "effect/Tracer"
import { defectLines } from "../output/problem.ts"
import type { Exporter, Protocol, Telemetry } from "../Telemetry.ts"

/** What the end of a run waits for what is left to be sent: a signal's 5 s have to hold too, after the report. */
const lastExport = "1500 millis"
const lastAnswer = "500 millis"

const requestTimeout = "10 seconds"

const serializations = {
  "http/json": OtlpSerialization.layerJson,
  "http/protobuf": OtlpSerialization.layerProtobuf
} satisfies Record<Protocol, unknown>

interface Observed {
  readonly name: string
  readonly telemetry: Telemetry
  readonly version: string
}

/** What is open while a command runs: exporters end at the same time as each other, and requests after them. */
interface Scopes {
  readonly exporters: Scope.CloseableScope
  readonly requests: Scope.CloseableScope
}

/** Runs as a span of this name, with spans, metrics and warnings on their way to the collector, and sends the rest after it. */
export const exported = <A, E, R>(run: Effect.Effect<A, E, R>, observed: Observed): Effect.Effect<A, E, R> =>
  Effect.acquireUseRelease(
    Effect.all({ exporters: Scope.make(ExecutionStrategy.parallel), requests: Scope.make() }),
    (scopes) =>
      Effect.gen(function* () {
        const parent = parentOf(observed.telemetry)
        const { logger, tracer } = yield* makeExporters(observed, parent, scopes)
        const span = Option.isSome(parent) ? { parent: parent.value } : { root: true }
        return yield* Effect.withSpan(run, observed.name, span).pipe(
          // The spans of HTTP clients have URLs and headers on them.
          Effect.locally(HttpClient.currentTracerDisabledWhen, () => true),
          Effect.withTracer(Option.getOrElse(Option.map(tracer, withoutDefects), () => nobody)),
          Effect.provide(Option.match(logger, { onNone: () => Layer.empty, onSome: Logger.add }))
        )
      }),
    ({ exporters, requests }, exit) => Effect.zipRight(Scope.close(exporters, exit), Scope.close(requests, exit))
  )

/** The tracer whose spans nobody reads. */
const nobody = Context.get(DefaultServices.liveServices, Tracer.Tracer)

const parentOf = ({ parent }: Telemetry): Option.Option<Tracer.ExternalSpan> =>
  Option.flatMap(parent, (traceparent) => HttpTraceContext.w3c(Headers.fromInput({ traceparent })))

const makeExporters = Effect.fnUntraced(function* (
  { telemetry, version }: Observed,
  parent: Option.Option<Tracer.ExternalSpan>,
  { exporters, requests }: Scopes
) {
  const client = yield* Scope.extend(makeClient, requests)
  const exporting = <A>(
    exporter: Option.Option<Exporter>,
    make: (options: Options) => Effect.Effect<A, never, Needs>
  ) =>
    Effect.transposeMapOption(exporter, ({ headers, protocol, url }) =>
      Effect.flatMap(Scope.fork(exporters, ExecutionStrategy.sequential), (scope) =>
        make({
          url: Redacted.value(url),
          headers: Redacted.value(headers),
          resource: { serviceName: telemetry.serviceName, serviceVersion: version, attributes: telemetry.resource },
          shutdownTimeout: lastExport
        }).pipe(
          Effect.provide(serializations[protocol]),
          Effect.provideService(HttpClient.HttpClient, client),
          // The environment has been read already, and otherwise.
          Effect.withConfigProvider(ConfigProvider.fromMap(new Map())),
          Scope.extend(scope)
        )
      )
    )
  const { logs, metrics, traces } = telemetry.exporters
  // A trace of which its beginner keeps nothing is not begun again here.
  const isSampled = Option.match(parent, { onNone: () => true, onSome: ({ sampled }) => sampled })
  yield* exporting(metrics, OtlpMetrics.make)
  return {
    tracer: yield* exporting(isSampled ? traces : Option.none(), OtlpTracer.make),
    logger: yield* exporting(logs, OtlpLogger.make)
  }
})

/** What the three exporters have in common. */
type Options = Parameters<typeof OtlpTracer.make>[0] & Parameters<typeof OtlpMetrics.make>[0]

type Needs = HttpClient.HttpClient | OtlpSerialization.OtlpSerialization | Scope.Scope

/**
 * Sends to collectors. The first trouble is told and no other, and none of the addresses but their origin. A request goes on
 * when its exporter ends, for a short time: what it carries would be lost.
 */
const makeClient = Effect.gen(function* () {
  const requests = yield* FiberSet.make()
  yield* Effect.addFinalizer(() =>
    FiberSet.awaitEmpty(requests).pipe(Effect.interruptible, Effect.timeoutOption(lastAnswer))
  )
  let isTold = false
  const tell = (url: string, what: string) =>
    Effect.suspend(() => {
      if (isTold) return Effect.void
      isTold = true
      return Effect.logWarning(
        `Telemetry does not reach ${new URL(url).origin} (${what}); pushes go on without it. See what OTEL_EXPORTER_OTLP_ENDPOINT names, or set OTEL_SDK_DISABLED=true.`
      )
    })
  const client = yield* HttpClient.HttpClient
  return HttpClient.transform(client, (answer, request) =>
    Effect.flatMap(
      FiberSet.run(
        requests,
        answer.pipe(
          // A redirect would take the headers along.
          Effect.provideService(FetchHttpClient.RequestInit, { redirect: "manual" }),
          Effect.timeoutFail({
            duration: requestTimeout,
            onTimeout: () => new HttpClientError.RequestError({ request, reason: "Transport", description: noAnswer })
          }),
          Effect.tap(({ status }) => (status < 300 ? Effect.void : tell(request.url, `it answers ${status}`))),
          Effect.tapError((error) => tell(request.url, error.description === noAnswer ? noAnswer : "no connection")),
          Effect.onInterrupt(() => tell(request.url, noAnswer))
        )
      ),
      Fiber.join
    )
  )
}).pipe(Effect.provide(FetchHttpClient.layer))

const noAnswer = "no answer"

/** What a defect carries is anybody's guess; its words are what people see of it. */
const withoutDefects = (tracer: Tracer.Tracer): Tracer.Tracer =>
  Tracer.make({
    context: tracer.context,
    span: (...parameters) => {
      const span = tracer.span(...parameters)
      const end = span.end.bind(span)
      span.end = (time, exit) =>
        end(time, Exit.isFailure(exit) && Cause.isDie(exit.cause) ? Exit.die(defectLines(exit.cause).join("\n")) : exit)
      return span
    }
  })
