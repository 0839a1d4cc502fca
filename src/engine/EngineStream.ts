/**
 * What an engine says while it pushes, pulls or loads: lines of JSON, read from bytes that are cut anywhere.
 *
 * @since 0.1.0
 */

import * as Chunk from "effect/Chunk"
import type * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import type * as Digest from "../reference/Digest.ts"
import type { EngineDisconnected, EngineRejected } from "./EngineError.ts"
import * as Answer from "./internal/engineAnswer.ts"
import { scrub } from "./internal/scrub.ts"

/**
 * What a layer is at. `unknown` is a word that gantry does not know; `status` has it.
 *
 * @since 0.1.0
 * @category models
 */
export type LayerPhase =
  | "preparing"
  | "waiting"
  | "pushing"
  | "pushed"
  | "exists"
  | "mounted"
  | "retrying"
  | "pulling"
  | "downloading"
  | "verifying"
  | "downloaded"
  | "extracting"
  | "pulled"
  | "loading"
  | "unknown"

/**
 * One line of an engine's answer.
 *
 * - `LayerStatus`: a layer's state. `layer` is the first 12 hexadecimal digits of its diff id (classic image store) or
 *   of its blob's digest (containerd image store). `current` and `total` are bytes before compression on the classic
 *   store; `current` passes its `total`, falls back when the engine retries, and may stand still from line to line.
 *   `mountedFrom` is the repository of a `mounted` layer, `retryAfterSeconds` what is left of a `retrying` one's wait.
 * - `PushResult`: `TAG: digest: DIGEST size: N`, the one thing every engine says of a push that went through; `size` is
 *   the manifest's, in bytes.
 * - `PushAux`: the same once more, from the classic image store only.
 * - `ManifestPushedInsteadOfIndex`: not every platform of the index is in the engine, so one manifest was pushed.
 * - `PullResult`: the digest of what was pulled.
 * - `Status`: any other text.
 *
 * Source: reference/engine.md sections 1 and 2
 *
 * @since 0.1.0
 * @category models
 */
export type EngineEvent = Data.TaggedEnum<{
  readonly LayerStatus: {
    readonly layer: string
    readonly phase: LayerPhase
    readonly status: string
    readonly current: number | undefined
    readonly total: number | undefined
    readonly mountedFrom: string | undefined
    readonly retryAfterSeconds: number | undefined
  }
  readonly PushResult: { readonly tag: string; readonly digest: Digest.Digest; readonly size: number }
  readonly PushAux: { readonly tag: string; readonly digest: Digest.Digest; readonly size: number }
  readonly ManifestPushedInsteadOfIndex: {
    readonly originalIndex: Digest.Digest
    readonly selectedManifest: Digest.Digest
  }
  readonly PullResult: { readonly digest: Digest.Digest }
  readonly Status: { readonly text: string }
}>

/**
 * @since 0.1.0
 * @category constructors
 */
export const EngineEvent = Answer.EngineEvent

/**
 * Which engine is speaking, for the errors: its address, and where that came from.
 *
 * @since 0.1.0
 * @category models
 */
export interface EngineAddress {
  /** Such as `unix:///var/run/docker.sock`. */
  readonly endpoint: string
  /** Such as `DOCKER_HOST` or `the default`. */
  readonly origin: string
}

/**
 * The longest line that is read, in bytes. The longest on record is one of 600 KB (a registry's HTML page, twice).
 *
 * @since 0.1.0
 * @category constants
 */
export const MAXIMUM_LINE_BYTES: number = Answer.MAXIMUM_LINE_BYTES

const decodeUntil = <E>(
  body: Stream.Stream<Uint8Array, E>,
  address: EngineAddress,
  missing: Answer.Missing
): Stream.Stream<EngineEvent, E | EngineRejected | EngineDisconnected> =>
  Stream.fromPull(
    Effect.map(Stream.toPull(Stream.rechunk(body, 1)), (pull) =>
      Answer.events(Effect.map(pull, Chunk.unsafeHead), address, missing, scrub)
    )
  )

/**
 * The events of an engine's answer, from its bytes.
 *
 * @param body the bytes as they come, cut anywhere; it must fail when the answer is incomplete, since a body that only
 * ends with its connection says nothing about what is missing.
 * @param address whose answer it is, for the errors.
 *
 * Fails with `EngineRejected` at the first line with an error (its text without URL queries, at most 4096 characters),
 * at a line that is no message and at one longer than `MAXIMUM_LINE_BYTES`; with `EngineDisconnected` when the last
 * line is cut; with the body's own error.
 *
 * Source: reference/engine.md section 2
 *
 * @since 0.1.0
 * @category decoding
 */
export const decode = <E>(
  body: Stream.Stream<Uint8Array, E>,
  address: EngineAddress
): Stream.Stream<EngineEvent, E | EngineRejected | EngineDisconnected> => decodeUntil(body, address, Answer.anyEnd)

/**
 * `decode` for a push, which is good only with a result line: an answer that ends with neither a `PushResult` nor an
 * error is `EngineDisconnected`, because a killed engine closes its connection politely.
 *
 * Source: reference/engine.md section 8
 *
 * @since 0.1.0
 * @category decoding
 */
export const decodePush = <E>(
  body: Stream.Stream<Uint8Array, E>,
  address: EngineAddress
): Stream.Stream<EngineEvent, E | EngineRejected | EngineDisconnected> =>
  decodeUntil(body, address, Answer.resultOf(address))
