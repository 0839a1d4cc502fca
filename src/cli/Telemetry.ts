/**
 * Spans, metrics and logs for an OpenTelemetry collector, as the standard variables say.
 *
 * Source: https://opentelemetry.io/docs/specs/otel/configuration/sdk-environment-variables/ and
 * https://opentelemetry.io/docs/specs/otel/protocol/exporter/. What is wrong with them is a warning: a push does not fail
 * because nobody can watch it.
 */
import * as Arr from "effect/Array"
import * as Config from "effect/Config"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"

/** Where one signal goes. The URL may be a secret too, but for its origin. */
export interface Exporter {
  readonly url: Redacted.Redacted
  readonly protocol: Protocol
  readonly headers: Redacted.Redacted<Readonly<Record<string, string>>>
}

export type Protocol = "http/protobuf" | "http/json"

export type Signal = "traces" | "metrics" | "logs"

/** What is exported where, and as whose. */
export interface Telemetry {
  readonly exporters: { readonly [Name in Signal]: Option.Option<Exporter> }
  readonly serviceName: string
  readonly resource: Readonly<Record<string, string>>
  /** What the run is a part of: `TRACEPARENT`. */
  readonly parent: Option.Option<string>
}

type Problem = string

type Read<A> = Effect.Effect<Either.Either<A, Problem>>

const isOn = ({ exporters: { logs, metrics, traces } }: Telemetry): boolean =>
  [traces, metrics, logs].some(Option.isSome)

/** An empty variable is one that is not set. */
const variable = (name: string): Effect.Effect<Option.Option<Redacted.Redacted>> =>
  Config.redacted(Config.nonEmptyString(name)).pipe(Effect.option)

const plainVariable = (name: string): Effect.Effect<Option.Option<string>> =>
  Effect.map(variable(name), Option.map(Redacted.value))

/** The signal's own variable, else the one for all, by the name that was found. */
const found = (own: string, common: string) =>
  Effect.map(Effect.all([variable(own), variable(common)]), ([first, second]) =>
    Option.orElse(
      Option.map(first, (value) => ({ name: own, value: Redacted.value(value) })),
      () => Option.map(second, (value) => ({ name: common, value: Redacted.value(value) }))
    )
  )

const decoded = (text: string): Option.Option<string> => Option.liftThrowable(decodeURIComponent)(text.trim())

/** `name=value,name=value`, percent-encoded. */
const pairs = (text: string): Option.Option<Readonly<Record<string, string>>> =>
  Option.map(
    Option.all(
      text
        .split(",")
        .filter((pair) => pair.trim() !== "")
        .map((pair) => {
          const [name = "", ...value] = pair.split("=")
          return name.trim() === "" || value.length === 0
            ? Option.none()
            : Option.all([decoded(name), decoded(value.join("="))])
        })
    ),
    Object.fromEntries
  )

/** Values are not repeated: each may be a secret. */
const pairsOf = (name: string, text: string): Either.Either<Readonly<Record<string, string>>, Problem> =>
  Either.fromOption(
    pairs(text),
    () => `${name} is not name=value,name=value with values in percent-encoding: write it so`
  )

const endpointOf = (name: string, text: string, path: string): Either.Either<Redacted.Redacted, Problem> => {
  const url = URL.canParse(text) ? new URL(text) : undefined
  if (url === undefined || !["http:", "https:"].includes(url.protocol)) {
    return Either.left(`${name} is not an http or https URL: write it as http://localhost:4318`)
  }
  if (url.username !== "" || url.password !== "") {
    return Either.left(`${name} has a user name or a password: take them out, and set OTEL_EXPORTER_OTLP_HEADERS`)
  }
  url.pathname = `${url.pathname.replace(/\/$/, "")}${path}`
  return Either.right(Redacted.make(url.href))
}

const protocolOf = (name: string, text: string): Either.Either<Protocol, Problem> =>
  text === "http/protobuf" || text === "http/json"
    ? Either.right(text)
    : Either.left(
        `${name} is ${JSON.stringify(text)}, and gantry exports by HTTP: set it to http/protobuf or http/json, and the endpoint to where the collector listens for HTTP (port 4318, not 4317)`
      )

const readExporter = (signal: Signal): Read<Option.Option<Exporter>> =>
  Effect.gen(function* () {
    const upper = signal.toUpperCase()
    const own = (what: string) => `OTEL_EXPORTER_OTLP_${upper}_${what}`
    const common = (what: string) => `OTEL_EXPORTER_OTLP_${what}`
    const endpoint = yield* found(own("ENDPOINT"), common("ENDPOINT"))
    const kind = Option.getOrElse(yield* plainVariable(`OTEL_${upper}_EXPORTER`), () => "otlp")
    if (Option.isNone(endpoint) || kind === "none") return Either.right(Option.none())
    if (!kind.split(",").includes("otlp")) {
      return Either.left(
        `OTEL_${upper}_EXPORTER is ${JSON.stringify(kind)}, and gantry knows otlp and none: set it to one`
      )
    }
    const protocol = yield* found(own("PROTOCOL"), common("PROTOCOL"))
    const headers = yield* found(own("HEADERS"), common("HEADERS"))
    const { name, value } = endpoint.value
    return Either.map(
      Either.all({
        // The common one is a base, a signal's own is taken as it is.
        url: endpointOf(name, value, name === own("ENDPOINT") ? "" : `/v1/${signal}`),
        protocol: Option.match(protocol, {
          onNone: () => Either.right<Protocol>("http/protobuf"),
          onSome: ({ name, value }) => protocolOf(name, value)
        }),
        headers: Option.match(headers, {
          onNone: () => Either.right(Redacted.make({})),
          onSome: ({ name, value }) => Either.map(pairsOf(name, value), Redacted.make)
        })
      }),
      Option.some
    )
  })

const resourceName = "OTEL_RESOURCE_ATTRIBUTES"

/** What the environment says, and what is wrong with it: a signal of which something is wrong is not exported. */
export const read: Effect.Effect<{ readonly telemetry: Telemetry; readonly problems: ReadonlyArray<Problem> }> =
  Effect.gen(function* () {
    const isDisabled = Option.exists(yield* plainVariable("OTEL_SDK_DISABLED"), (text) => text.toLowerCase() === "true")
    const off: Either.Either<Option.Option<Exporter>, Problem> = Either.right(Option.none())
    const exporters = yield* Effect.all({
      traces: isDisabled ? Effect.succeed(off) : readExporter("traces"),
      metrics: isDisabled ? Effect.succeed(off) : readExporter("metrics"),
      logs: isDisabled ? Effect.succeed(off) : readExporter("logs")
    })
    const attributes = Option.match(yield* plainVariable(resourceName), {
      onNone: () => Either.right({}),
      onSome: (text) => pairsOf(resourceName, text)
    })
    const { "service.name": named, ...resource }: Readonly<Record<string, string>> = Either.getOrElse(
      attributes,
      () => ({})
    )
    const orOff = Either.getOrElse(() => Option.none<Exporter>())
    const telemetry: Telemetry = {
      exporters: {
        traces: orOff(exporters.traces),
        metrics: orOff(exporters.metrics),
        logs: orOff(exporters.logs)
      },
      serviceName: Option.getOrElse(yield* plainVariable("OTEL_SERVICE_NAME"), () => named ?? "gantry"),
      resource,
      parent: yield* plainVariable("TRACEPARENT")
    }
    const wrong = Arr.getLefts([...Object.values(exporters), ...(isOn(telemetry) ? [attributes] : [])])
    return { telemetry, problems: Arr.dedupe(wrong) }
  })

/** Runs a command to its exit code as a span of its name, which is exported if the environment says so. */
export const observed = Effect.fnUntraced(function* <E, R>(
  command: Effect.Effect<number, E, R>,
  { name, version }: { readonly name: string; readonly version: string }
) {
  const { problems, telemetry } = yield* read
  yield* Effect.forEach(problems, (problem) => Effect.logWarning(`${problem}. Until then nothing of it is exported.`))
  const run = Effect.tap(command, (code) => Effect.annotateCurrentSpan("process.exit.code", code))
  if (!isOn(telemetry)) return yield* Effect.withSpan(run, `gantry ${name}`, { root: true })
  // Most runs export nothing, and do not wait for what could.
  const { exported } = yield* Effect.promise(() => import("./internal/otlp.ts"))
  return yield* exported(run, { name: `gantry ${name}`, version, telemetry })
})
