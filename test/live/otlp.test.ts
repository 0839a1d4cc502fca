import { readdir, readFile } from "node:fs/promises"
import { join } from "node:path"
import { assert } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import * as LabUser from "../../scripts/lib/stack/LabUser.ts"
import { type Asked, nobody, serve, silence } from "../connector/support/loopback.ts"
import * as Canary from "./support/canary.ts"
import { readReport, run, start, temporaryFolder } from "./support/command.ts"
import { describeLive, LiveStack, loadedImage, uniqueRepository } from "./support/stack.ts"

/** An image of its own: one that is taken away takes all names of its content along. */
const image = (reference: string) => ({ tags: [reference], layers: [{ seed: reference, size: 20_000 }] })

const Value = Schema.Struct({
  stringValue: Schema.optional(Schema.String),
  intValue: Schema.optional(Schema.Number)
})
const Attributes = Schema.Array(Schema.Struct({ key: Schema.String, value: Value }))
const Resource = Schema.Struct({ attributes: Attributes })
const Span = Schema.Struct({
  traceId: Schema.String,
  spanId: Schema.String,
  parentSpanId: Schema.optional(Schema.String),
  name: Schema.String,
  attributes: Attributes
})
const Point = Schema.Struct({
  attributes: Attributes,
  asDouble: Schema.optional(Schema.Number),
  count: Schema.optional(Schema.Number)
})
const Points = Schema.optional(Schema.Struct({ dataPoints: Schema.Array(Point) }))
const Metric = Schema.Struct({
  name: Schema.String,
  unit: Schema.String,
  sum: Points,
  gauge: Points,
  histogram: Points
})
const Log = Schema.Struct({ severityText: Schema.String, body: Value, traceId: Schema.optional(Schema.String) })

const Traces = Schema.parseJson(
  Schema.Struct({
    resourceSpans: Schema.Array(
      Schema.Struct({ resource: Resource, scopeSpans: Schema.Array(Schema.Struct({ spans: Schema.Array(Span) })) })
    )
  })
)
const Metrics = Schema.parseJson(
  Schema.Struct({
    resourceMetrics: Schema.Array(
      Schema.Struct({ scopeMetrics: Schema.Array(Schema.Struct({ metrics: Schema.Array(Metric) })) })
    )
  })
)
const Logs = Schema.parseJson(
  Schema.Struct({
    resourceLogs: Schema.Array(
      Schema.Struct({ scopeLogs: Schema.Array(Schema.Struct({ logRecords: Schema.Array(Log) })) })
    )
  })
)

const valuesOf = (attributes: typeof Attributes.Type) =>
  Object.fromEntries(attributes.map(({ key, value }) => [key, value.stringValue ?? value.intValue]))

const decoded = <A>(schema: Schema.Schema<A, string>, requests: ReadonlyArray<Asked>, path: string) =>
  Effect.forEach(
    requests.filter((request) => request.path === path),
    ({ body }) => Effect.orDie(Schema.decode(schema)(body))
  )

/** What a collector has received. */
const received = (requests: ReadonlyArray<Asked>) =>
  Effect.gen(function* () {
    const traces = yield* decoded(Traces, requests, "/v1/traces")
    const metrics = yield* decoded(Metrics, requests, "/v1/metrics")
    const logs = yield* decoded(Logs, requests, "/v1/logs")
    const resourceSpans = traces.flatMap(({ resourceSpans }) => resourceSpans)
    return {
      resources: resourceSpans.map(({ resource }) => valuesOf(resource.attributes)),
      spans: resourceSpans.flatMap(({ scopeSpans }) => scopeSpans.flatMap(({ spans }) => spans)),
      // Sums since the run began: the last ones have it all.
      metrics: (metrics.at(-1)?.resourceMetrics ?? []).flatMap(({ scopeMetrics }) =>
        scopeMetrics.flatMap(({ metrics }) => metrics)
      ),
      logs: logs.flatMap(({ resourceLogs }) =>
        resourceLogs.flatMap(({ scopeLogs }) => scopeLogs.flatMap(({ logRecords }) => logRecords))
      )
    }
  })

const accepted = () => ({ status: 200, body: {} })

/** A span's name behind those of all that it is part of, as far as they have arrived. */
const pathOf = (spans: ReadonlyArray<typeof Span.Type>, span: typeof Span.Type): string => {
  const parent = spans.find(({ spanId }) => spanId === span.parentSpanId)
  return parent === undefined ? span.name : `${pathOf(spans, parent)} > ${span.name}`
}

const warnings = (stderr: string) => stderr.match(/Telemetry does not reach/g) ?? []

describeLive("telemetry of the gantry command", (it) => {
  it.scoped("reaches a collector: spans with their parents, metrics, and no secret", () =>
    Effect.gen(function* () {
      const { engine, registries } = yield* LiveStack
      const collector = yield* serve(accepted)
      const reference = `${registries.htpasswd.host}/${uniqueRepository("otlp")}:v1`
      yield* loadedImage(engine, image(reference))
      const canary = Canary.make("header")
      const traceId = "0af7651916cd43dd8448eb211c80319c"
      const push = ["push", reference, "--username", LabUser.dev.username, "--password-stdin", "--progress", "none"]
      const { code, stderr, stdout } = yield* run(push, {
        engine,
        stdin: LabUser.dev.password,
        environment: {
          OTEL_EXPORTER_OTLP_ENDPOINT: `http://${collector.host}`,
          OTEL_EXPORTER_OTLP_PROTOCOL: "http/json",
          OTEL_EXPORTER_OTLP_HEADERS: `x-key=${encodeURIComponent(canary)}`,
          OTEL_SERVICE_NAME: "release",
          OTEL_RESOURCE_ATTRIBUTES: "team=a%20b,service.name=other",
          TRACEPARENT: `00-${traceId}-b7ad6b7169203331-01`
        }
      })
      assert.deepStrictEqual([code, stderr], [0, ""])

      const { metrics, resources, spans } = yield* received(collector.requests)
      for (const { team, ...resource } of resources) {
        assert.deepStrictEqual([resource["service.name"], team], ["release", "a b"])
      }
      assert.isTrue(spans.every((span) => span.traceId === traceId))
      const paths = spans.map((span) => pathOf(spans, span))
      const [pushed, ...others] = spans.filter(({ name }) => name === "PushSupervisor.supervise")
      assert.isDefined(pushed)
      assert.deepStrictEqual(others, [])
      const supervised = pathOf(spans, pushed)
      assert.match(supervised, /^gantry push > .*PushSupervisor\.submitAll > PushSupervisor\.supervise$/)
      const attempt = `${supervised} > PushSupervisor.attempt > ContainerRegistry.pushImage`
      const transport = `${attempt} > EngineTransport.push`
      for (const phase of [
        `${attempt} > Lease.borrow > Lease.issue`,
        `${attempt} > ContainerRegistry.prepareImagePush`,
        `${transport} > DockerEngine.inspectImage`,
        `${transport} > RegistryClient.getManifest`,
        `${transport} > DockerEngine.runPush`
      ]) {
        assert.include(paths, phase)
      }
      assert.strictEqual(
        spans.find(({ name }) => name === "gantry push")?.parentSpanId,
        "b7ad6b7169203331",
        "TRACEPARENT"
      )
      const told = valuesOf(pushed.attributes)
      assert.strictEqual(told["gantry.registry"], registries.htpasswd.host)
      assert.strictEqual(told["gantry.push.outcome"], "pushed")
      assert.include(stdout, String(told["gantry.image.digest"]))

      const pointsOf = (name: string) =>
        metrics.flatMap((metric) =>
          metric.name === name
            ? [metric.sum, metric.gauge, metric.histogram].flatMap((points) => points?.dataPoints ?? [])
            : []
        )
      assert.deepStrictEqual(
        pointsOf("gantry.pushes").map(({ asDouble, attributes }) => [
          valuesOf(attributes)["gantry.push.outcome"],
          asDouble
        ]),
        [["pushed", 1]]
      )
      assert.deepStrictEqual(
        pointsOf("gantry.push.duration").map(({ count }) => count),
        [1]
      )

      const bodies = collector.requests.map(({ body }) => body).join("\n")
      const headers = collector.requests.map((request) => String(request.headers["x-key"]))
      assert.isTrue(headers.every((header) => header === canary))
      assert.deepStrictEqual(Canary.leaksIn(bodies + stdout, { header: canary, password: LabUser.dev.password }), [])
    })
  )

  it.scoped("begins no trace anew of which the one who called it keeps nothing", () =>
    Effect.gen(function* () {
      const collector = yield* serve(accepted)
      const pathsOf = (flags: string) =>
        Effect.map(
          run(["flavors"], {
            environment: {
              OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: `http://${collector.host}/${flags}`,
              TRACEPARENT: `00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-${flags}`
            }
          }),
          () => collector.requests.map(({ path }) => path)
        )
      assert.deepStrictEqual(yield* pathsOf("00"), [])
      assert.deepStrictEqual(yield* pathsOf("01"), ["/01"])
    })
  )

  it.scoped("has the warnings of a run, as protobuf unless told otherwise", () =>
    Effect.gen(function* () {
      const { engine } = yield* LiveStack
      const registry = yield* serve(() => silence)
      const collector = yield* serve(accepted)
      const reference = `${registry.host}/${uniqueRepository("slow")}:v1`
      yield* loadedImage(engine, image(reference))
      const push = (environment: Readonly<Record<string, string>>) =>
        run(["push", reference, "--timeout", "1s", "--progress", "none"], {
          engine,
          environment: { OTEL_EXPORTER_OTLP_ENDPOINT: `http://${collector.host}/base/`, ...environment }
        })
      assert.strictEqual((yield* push({})).code, 1)
      const logs = collector.requests.filter(({ path }) => path === "/base/v1/logs")
      assert.isAbove(logs.length, 0)
      assert.include(logs.map(({ body }) => body).join("\n"), "the time that --timeout allows is over")
      for (const { headers } of collector.requests) {
        assert.strictEqual(headers["content-type"], "application/x-protobuf")
      }

      yield* push({
        OTEL_EXPORTER_OTLP_PROTOCOL: "http/json",
        OTEL_EXPORTER_OTLP_LOGS_ENDPOINT: `http://${collector.host}/v1/logs`,
        OTEL_TRACES_EXPORTER: "none",
        OTEL_METRICS_EXPORTER: "none"
      })
      const told = yield* received(collector.requests)
      assert.deepStrictEqual(
        told.logs.map(({ body, severityText }) => [severityText, body.stringValue]),
        [["WARN", "the time that --timeout allows is over"]]
      )
      assert.deepStrictEqual(told.spans, [])
    })
  )

  it.scoped("fails no push and is told once when nobody listens, or the collector never answers or refuses", () =>
    Effect.gen(function* () {
      const { engine, registries } = yield* LiveStack
      const silent = yield* serve(() => silence)
      const refusing = yield* serve(() => ({ status: 400, body: {} }))
      const elsewhere = yield* serve(() => ({ status: 302, headers: { location: `http://${silent.host}/stolen` } }))
      const reference = `${registries.open.host}/${uniqueRepository("dead")}:v1`
      yield* loadedImage(engine, image(reference))
      for (const host of [yield* nobody, silent.host, refusing.host, elsewhere.host]) {
        const { code, stderr, stdout } = yield* run(["push", reference, "--progress", "none"], {
          engine,
          environment: { OTEL_EXPORTER_OTLP_ENDPOINT: `http://${host}` }
        })
        assert.strictEqual(code, 0, host)
        assert.include(stdout, "@sha256:")
        assert.lengthOf(warnings(stderr), 1, stderr)
        assert.include(stderr, `http://${host} `)
      }
      assert.isAbove(silent.requests.length, 0)
      assert.isFalse(
        silent.requests.some(({ path }) => path.includes("stolen")),
        "no redirect is followed"
      )
    })
  )

  it.scoped("does not keep a run that was stopped from its report and its exit code", () =>
    Effect.gen(function* () {
      const { engine } = yield* LiveStack
      const folder = yield* temporaryFolder
      const registry = yield* serve(() => silence)
      const collector = yield* serve(() => silence)
      const reference = `${registry.host}/${uniqueRepository("stopped")}:v1`
      yield* loadedImage(engine, image(reference))
      const report = join(folder, "report.json")
      const { child, ended } = yield* start(["push", reference, "--progress", "json", "--report", report], {
        engine,
        environment: { OTEL_EXPORTER_OTLP_ENDPOINT: `http://${collector.host}` }
      })
      yield* Effect.async<void>((resume) => {
        child.stderr?.on("data", (chunk) => {
          if (String(chunk).includes("PushStarted")) resume(Effect.void)
        })
      })
      child.kill("SIGTERM")
      const { code } = yield* ended
      assert.strictEqual(code, 143)
      assert.deepStrictEqual(
        (yield* readReport(report)).results.map(({ status }) => status),
        ["cancelled"]
      )
    })
  )

  it.scoped("costs nothing where no variable asks for it: its modules do not even run", () =>
    Effect.gen(function* () {
      const { engine, registries } = yield* LiveStack
      const collector = yield* serve(accepted)
      const reference = `${registries.open.host}/${uniqueRepository("lazy")}:v1`
      yield* loadedImage(engine, image(reference))
      /** The modules of OpenTelemetry that a run evaluates: V8 counts how often each function of the program is called. */
      const telemetryOf = (environment: Readonly<Record<string, string>>) =>
        Effect.gen(function* () {
          const folder = yield* temporaryFolder
          const { code, stderr } = yield* run(["push", reference], {
            engine,
            environment: { NODE_V8_COVERAGE: folder, ...environment }
          })
          assert.strictEqual(code, 0, stderr)
          const [coverage = ""] = yield* Effect.promise(() => readdir(folder))
          const { result } = yield* Schema.decodeUnknown(Coverage)(
            yield* Effect.promise(() => readFile(join(folder, coverage), "utf8"))
          )
          return result
            .flatMap(({ functions }) => functions)
            .filter(({ functionName }) => functionName.includes("node_modules/@effect/opentelemetry/"))
            .filter(({ ranges }) => ranges.some(({ count }) => count > 0))
        })
      const asked = { OTEL_EXPORTER_OTLP_ENDPOINT: `http://${collector.host}` }
      assert.isNotEmpty(yield* telemetryOf(asked), "it is looked for")
      assert.deepStrictEqual(yield* telemetryOf({}), [])
      assert.deepStrictEqual(yield* telemetryOf({ ...asked, OTEL_SDK_DISABLED: "true" }), [])
    })
  )
})

const Coverage = Schema.parseJson(
  Schema.Struct({
    result: Schema.Array(
      Schema.Struct({
        functions: Schema.Array(
          Schema.Struct({
            functionName: Schema.String,
            ranges: Schema.Array(Schema.Struct({ count: Schema.Number }))
          })
        )
      })
    )
  })
)
