/**
 * The one door to a registry's network: a request out, a whole answer back.
 *
 * @since 0.1.0
 */
import type * as FileSystem from "@effect/platform/FileSystem"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type * as Redacted from "effect/Redacted"
import { Recorder } from "../transcript/Recorder.ts"
import * as Replay from "../transcript/Replay.ts"
import type { TranscriptInvalid } from "../transcript/Transcript.ts"
import type { RegistryUnavailable } from "./RegistryError.ts"

/**
 * How a connection is protected: HTTPS with a certificate that must be good, HTTPS with any certificate, or plain HTTP.
 *
 * @since 0.1.0
 * @category models
 */
export type RegistryTls = "verify" | "skip-verify" | "off"

/**
 * One request. Its scheme says whether TLS is used, `verifyCertificate` whether the certificate must be good.
 *
 * @since 0.1.0
 * @category models
 */
export interface RegistryRequest {
  /** The registry on whose behalf it is sent, for errors: a token server is asked for a registry. */
  readonly registry: string
  readonly method: "GET" | "HEAD" | "POST" | "PUT" | "DELETE"
  readonly url: URL
  /** Everything but `Authorization`; names in lower case. */
  readonly headers: Readonly<Record<string, string>>
  /** The whole value of `Authorization`. */
  readonly authorization: Redacted.Redacted | undefined
  readonly body: Redacted.Redacted<Uint8Array> | undefined
  readonly verifyCertificate: boolean
  /** The longest body that is read, in bytes (64 KiB of a refusal); a longer one is cut and the answer is `truncated`. */
  readonly maximumBody: number
}

/**
 * A whole answer. Redirects are answers too: nobody has followed them.
 *
 * @since 0.1.0
 * @category models
 */
export interface RegistryResponse {
  readonly status: number
  /** Every value of every header, by its name in lower case. */
  readonly headers: { readonly [name: string]: ReadonlyArray<string> | undefined }
  readonly body: Uint8Array
  /** Whether the body was longer than the request's `maximumBody`. */
  readonly truncated: boolean
}

/** Loaded by the first request, so that tests with another network load nothing of Node's. */
const makeNode = () => {
  let loaded: Promise<RegistryHttp["Type"]> | undefined
  const node = Effect.promise(() => {
    loaded ??= import("./internal/nodeHttp.ts").then(({ makeNodeHttp }) => makeNodeHttp())
    return loaded
  })
  return { request: (request: RegistryRequest) => Effect.flatMap(node, (http) => http.request(request)) }
}

/**
 * The network, as gantry's protocol client sees it; by default Node's own HTTP client.
 *
 * A reference, so nothing asks for it in `R`; `TestRegistry.layer` puts a registry in memory in its place. Interrupting
 * `request` aborts what is under way; it has no time limit of its own. Fails with `RegistryUnavailable` when no whole
 * answer comes.
 *
 * @since 0.1.0
 * @category references
 */
export class RegistryHttp extends Context.Reference<RegistryHttp>()("gantry/RegistryHttp", {
  defaultValue: (): {
    readonly request: (request: RegistryRequest) => Effect.Effect<RegistryResponse, RegistryUnavailable>
  } => makeNode()
}) {}

/** Nobody pays for a transcript who does not use one. */
const tape = Effect.promise(() => import("./internal/registryTape.ts"))

/**
 * The network as it is, whose answers go into the transcript of a `Recorder`: without credentials, tokens, cookies and
 * what is signed in URLs. Registries, catalogs and transports are to be built on it.
 *
 * @since 0.1.0
 * @category layers
 */
export const layerRecording: Layer.Layer<RegistryHttp, never, Recorder> = Layer.effect(
  RegistryHttp,
  Effect.gen(function* () {
    const { record } = yield* tape
    return record(yield* Recorder, yield* RegistryHttp)
  })
)

/**
 * The network of a `Replay`, for those who share one with `DockerEngine.layerReplaying`.
 *
 * @since 0.1.0
 * @category layers
 */
export const layerReplaying: Layer.Layer<RegistryHttp, never, Replay.Replay> = Layer.effect(
  RegistryHttp,
  Effect.gen(function* () {
    const { replay } = yield* tape
    return replay(yield* Replay.Replay)
  })
)

/**
 * Registries that answer what `gantry batch --record FILE` wrote down, as `DockerEngine.layerReplay` does for the engine.
 *
 * A request is known by its method, its URL, and the scheme of its authorization: a registry needs a credential of the
 * kind that the recorded run had, with any value. Fails with `TranscriptInvalid` when the file can not be read, is no
 * transcript, or is of another version.
 *
 * @since 0.1.0
 * @category layers
 */
export const layerReplay = (file: string): Layer.Layer<RegistryHttp, TranscriptInvalid, FileSystem.FileSystem> =>
  Layer.provide(layerReplaying, Replay.layerFile(file))
