import { assert, describe, it } from "@effect/vitest"
import * as ConfigProvider from "effect/ConfigProvider"
import * as Effect from "effect/Effect"
import * as FastCheck from "effect/FastCheck"
import * as Logger from "effect/Logger"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as Telemetry from "../../src/cli/Telemetry.ts"
import * as RecordingTracer from "../support/recordingTracer.ts"

/** What is exported, with its secrets laid open, and what is wrong. */
const read = (environment: Readonly<Record<string, string>>) =>
  Effect.map(Telemetry.read, ({ problems, telemetry }) => ({
    problems,
    telemetry,
    exporters: Object.fromEntries(
      Object.entries(telemetry.exporters).flatMap(([signal, exporter]) =>
        Option.match(exporter, {
          onNone: () => [],
          onSome: ({ headers, protocol, url }) => [
            [signal, { url: Redacted.value(url), protocol, headers: Redacted.value(headers) }]
          ]
        })
      )
    )
  })).pipe(Effect.withConfigProvider(ConfigProvider.fromMap(new Map(Object.entries(environment)))))

const base = { OTEL_EXPORTER_OTLP_ENDPOINT: "http://collector:4318" }

const to = (url: string, protocol: Telemetry.Protocol = "http/protobuf", headers = {}) => ({ url, protocol, headers })

describe("a command that is observed", () => {
  it.effect("runs all the same when the variables are wrong, and each is told once", () =>
    Effect.gen(function* () {
      const logs: Array<string> = []
      const logger = Logger.make(({ logLevel, message }) => void logs.push(`${logLevel.label} ${message}`))
      const code = yield* Telemetry.observed(Effect.succeed(3), { name: "push", version: "1.2.3" }).pipe(
        Effect.provide(Logger.replace(Logger.defaultLogger, logger)),
        Effect.withConfigProvider(
          ConfigProvider.fromMap(new Map(Object.entries({ ...base, OTEL_EXPORTER_OTLP_PROTOCOL: "grpc" })))
        )
      )
      assert.strictEqual(code, 3)
      assert.lengthOf(logs, 1)
      assert.match(logs[0] ?? "", /^WARN OTEL_EXPORTER_OTLP_PROTOCOL is "grpc"/)
    })
  )

  it.effect("is a span of its name, with its exit code, whatever it runs in", () =>
    Effect.gen(function* () {
      const spans: Array<RecordingTracer.RecordedSpan> = []
      yield* Telemetry.observed(Effect.succeed(3), { name: "config check", version: "1.2.3" }).pipe(
        Effect.withSpan("outside"),
        Effect.withTracer(RecordingTracer.make(spans)),
        Effect.withConfigProvider(ConfigProvider.fromMap(new Map()))
      )
      const span = spans.find(({ name }) => name === "gantry config check")
      assert.deepStrictEqual(span?.parent, Option.none())
      assert.deepStrictEqual(Object.fromEntries(span?.attributes ?? []), { "process.exit.code": 3 })
    })
  )
})

describe("what the OTEL_* variables say", () => {
  it.effect("is nothing where none names an endpoint, or it is empty", () =>
    Effect.gen(function* () {
      for (const environment of [{}, { OTEL_EXPORTER_OTLP_ENDPOINT: "" }, { OTEL_SERVICE_NAME: "app" }]) {
        const { exporters, problems } = yield* read(environment)
        assert.deepStrictEqual([exporters, problems], [{}, []])
      }
    })
  )

  it.effect("is a path for each signal below the common endpoint, and a signal's own as it is", () =>
    Effect.gen(function* () {
      const common = yield* read({ OTEL_EXPORTER_OTLP_ENDPOINT: "http://collector:4318/otlp/" })
      assert.deepStrictEqual(common.exporters, {
        traces: to("http://collector:4318/otlp/v1/traces"),
        metrics: to("http://collector:4318/otlp/v1/metrics"),
        logs: to("http://collector:4318/otlp/v1/logs")
      })
      const own = yield* read({
        OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: "https://traces.example.com/in?key=1",
        OTEL_EXPORTER_OTLP_TRACES_PROTOCOL: "http/json",
        OTEL_EXPORTER_OTLP_PROTOCOL: "http/protobuf"
      })
      assert.deepStrictEqual(own.exporters, { traces: to("https://traces.example.com/in?key=1", "http/json") })
    })
  )

  it.effect("is switched off for all or for one signal", () =>
    Effect.gen(function* () {
      assert.deepStrictEqual((yield* read({ ...base, OTEL_SDK_DISABLED: "TRUE" })).exporters, {})
      const some = yield* read({ ...base, OTEL_METRICS_EXPORTER: "none", OTEL_LOGS_EXPORTER: "none" })
      assert.deepStrictEqual(Object.keys(some.exporters), ["traces"])
    })
  )

  it.effect("has headers in percent-encoding, a signal's own in place of the common ones, and shows none", () =>
    Effect.gen(function* () {
      const { exporters, telemetry } = yield* read({
        ...base,
        OTEL_EXPORTER_OTLP_HEADERS: "authorization=Basic%20aHVudGVyMg%3D%3D, x-team = a=b ",
        OTEL_EXPORTER_OTLP_LOGS_HEADERS: "x-key=hunter2"
      })
      assert.deepStrictEqual(exporters["traces"]?.headers, { authorization: "Basic aHVudGVyMg==", "x-team": "a=b" })
      assert.deepStrictEqual(exporters["logs"]?.headers, { "x-key": "hunter2" })
      assert.notInclude(JSON.stringify(telemetry), "hunter2")
      assert.notInclude(JSON.stringify(telemetry), "aHVudGVyMg")
    })
  )

  it.effect("names the service: by its own variable, else by the resource's, else gantry", () =>
    Effect.gen(function* () {
      const named = (environment: Readonly<Record<string, string>>) =>
        Effect.map(read({ ...base, ...environment }), ({ telemetry: { resource, serviceName } }) => [
          serviceName,
          resource
        ])
      const resource = { OTEL_RESOURCE_ATTRIBUTES: "service.name=app,deployment.environment.name=a%2Cb" }
      assert.deepStrictEqual(yield* named({}), ["gantry", {}])
      assert.deepStrictEqual(yield* named(resource), ["app", { "deployment.environment.name": "a,b" }])
      assert.deepStrictEqual(yield* named({ ...resource, OTEL_SERVICE_NAME: "mine" }), [
        "mine",
        { "deployment.environment.name": "a,b" }
      ])
    })
  )

  it.effect("is a problem that says what to set, and never what may be secret, where gantry can not follow", () =>
    Effect.gen(function* () {
      const wrong: ReadonlyArray<readonly [Readonly<Record<string, string>>, RegExp]> = [
        [{ OTEL_EXPORTER_OTLP_PROTOCOL: "grpc" }, /^OTEL_EXPORTER_OTLP_PROTOCOL is "grpc".*http\/protobuf.*4318/],
        [{ OTEL_EXPORTER_OTLP_HEADERS: "hunter2" }, /^OTEL_EXPORTER_OTLP_HEADERS is not name=value/],
        [{ OTEL_EXPORTER_OTLP_HEADERS: "key=hunter2%" }, /^OTEL_EXPORTER_OTLP_HEADERS is not name=value/],
        [{ OTEL_EXPORTER_OTLP_ENDPOINT: "hunter2:4318" }, /^OTEL_EXPORTER_OTLP_ENDPOINT is not an http or https URL/],
        [{ OTEL_EXPORTER_OTLP_ENDPOINT: "http://me:hunter2@collector" }, /^OTEL_EXPORTER_OTLP_ENDPOINT has a user name/]
      ]
      for (const [environment, expected] of wrong) {
        const { exporters, problems } = yield* read({ ...base, ...environment })
        assert.deepStrictEqual(exporters, {})
        assert.lengthOf(problems, 1)
        assert.match(problems[0] ?? "", expected)
        assert.notInclude(problems.join("\n"), "hunter2")
      }
      const { exporters, problems } = yield* read({ ...base, OTEL_TRACES_EXPORTER: "console" })
      assert.deepStrictEqual(Object.keys(exporters), ["metrics", "logs"])
      assert.match(problems.join("\n"), /^OTEL_TRACES_EXPORTER is "console".*set it to one$/)
    })
  )

  it.effect("gives back every header that was written in percent-encoding", () =>
    Effect.promise(() =>
      FastCheck.assert(
        FastCheck.asyncProperty(
          FastCheck.dictionary(FastCheck.stringMatching(/^[a-z][a-z0-9-]*$/), FastCheck.string(), { minKeys: 1 }),
          async (headers) => {
            const text = Object.entries(headers).map(([name, value]) => `${name}=${encodeURIComponent(value)}`)
            const { exporters } = await Effect.runPromise(read({ ...base, OTEL_EXPORTER_OTLP_HEADERS: text.join(",") }))
            assert.deepStrictEqual(exporters["traces"]?.headers, { ...headers })
          }
        )
      )
    )
  )
})
