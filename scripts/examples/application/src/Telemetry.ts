/** Spans, metrics and logs by OTLP, when it is said where they go. */
import * as Otlp from "@effect/opentelemetry/Otlp"
import * as FetchHttpClient from "@effect/platform/FetchHttpClient"
import { Config, Effect, Layer, Option } from "effect"

export const layer = Layer.unwrapEffect(
  Effect.map(
    Config.option(Config.nonEmptyString("OTEL_EXPORTER_OTLP_ENDPOINT")),
    Option.match({
      onNone: () => Layer.empty,
      onSome: (baseUrl) =>
        Layer.provide(Otlp.layerJson({ baseUrl, resource: { serviceName: "release" } }), FetchHttpClient.layer)
    })
  )
)
