/**
 * What an engine says while it pushes, pulls or loads: lines of JSON, read from bytes that are cut anywhere.
 *
 * @since 0.1.0
 */
import * as Channel from "effect/Channel"
import * as Chunk from "effect/Chunk"
import * as Data from "effect/Data"
import * as Either from "effect/Either"
import * as Stream from "effect/Stream"
import * as Digest from "../reference/Digest.ts"
import { EngineDisconnected, EngineRejected } from "./EngineError.ts"
import { makeLineFramer } from "./internal/lineFramer.ts"
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
export const EngineEvent = Data.taggedEnum<EngineEvent>()

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

const phases: ReadonlyMap<string, LayerPhase> = new Map([
  ["Preparing", "preparing"],
  ["Waiting", "waiting"],
  ["Pushing", "pushing"],
  ["Pushed", "pushed"],
  ["Layer already exists", "exists"],
  ["Pulling fs layer", "pulling"],
  ["Downloading", "downloading"],
  ["Verifying Checksum", "verifying"],
  ["Download complete", "downloaded"],
  ["Extracting", "extracting"],
  ["Pull complete", "pulled"],
  ["Already exists", "exists"],
  ["Loading layer", "loading"]
])

const MOUNTED = "Mounted from "
const retrying = /^Retrying in (\d+) seconds?$/
const pushResult = /^([^\s:]+): digest: (\S+) size: (\d+)$/
const pullResult = /^Digest: (\S+)$/

type Message = { readonly [key: string]: unknown }

const isMessage = (value: unknown): value is Message =>
  typeof value === "object" && value !== null && !Array.isArray(value)

const asNumber = (value: unknown): number | undefined => (typeof value === "number" ? value : undefined)

const asDigest = (value: unknown): Digest.Digest | undefined =>
  typeof value === "string" ? Either.getOrUndefined(Digest.parse(value)) : undefined

const layerStatus = (layer: string, status: string, progress: unknown): EngineEvent | undefined => {
  const known = phases.get(status)
  const mounted = known === undefined && status.startsWith(MOUNTED)
  const retry = known === undefined ? retrying.exec(status) : null
  const phase = known ?? (mounted ? "mounted" : retry === null ? "unknown" : "retrying")
  // `Pulling from library/alpine` has the tag for an id, and no progress: it is no layer's.
  if (phase === "unknown" && progress === undefined) return undefined
  const detail = isMessage(progress) ? progress : {}
  return EngineEvent.LayerStatus({
    layer,
    phase,
    status: phase === "unknown" ? scrub(status) : status,
    current: asNumber(detail["current"]),
    total: asNumber(detail["total"]),
    mountedFrom: mounted ? status.slice(MOUNTED.length) : undefined,
    retryAfterSeconds: retry === null ? undefined : Number(retry[1])
  })
}

const statusLine = (status: string): EngineEvent => {
  const push = pushResult.exec(status)
  if (push !== null) {
    const digest = asDigest(push[2])
    if (digest !== undefined && push[1] !== undefined) {
      return EngineEvent.PushResult({ tag: push[1], digest, size: Number(push[3]) })
    }
  }
  const digest = asDigest(pullResult.exec(status)?.[1])
  return digest === undefined ? EngineEvent.Status({ text: scrub(status) }) : EngineEvent.PullResult({ digest })
}

const aux = (message: Message): EngineEvent | undefined => {
  if (message["manifestPushedInsteadOfIndex"] === true) {
    const { originalIndex, selectedManifest } = message
    const index = isMessage(originalIndex) ? asDigest(originalIndex["digest"]) : undefined
    const manifest = isMessage(selectedManifest) ? asDigest(selectedManifest["digest"]) : undefined
    return index === undefined || manifest === undefined
      ? undefined
      : EngineEvent.ManifestPushedInsteadOfIndex({ originalIndex: index, selectedManifest: manifest })
  }
  const { Digest: digestText, Size: size, Tag: tag } = message
  const digest = asDigest(digestText)
  return typeof tag === "string" && digest !== undefined && typeof size === "number"
    ? EngineEvent.PushAux({ tag, digest, size })
    : undefined
}

/** A message's event; none for what says nothing, such as an `aux` of another kind. */
const toEvent = (message: Message): EngineEvent | undefined => {
  const { aux: auxiliary, id, progressDetail, status, stream } = message
  if (typeof status === "string") {
    const layer = typeof id === "string" ? layerStatus(id, status, progressDetail) : undefined
    return layer ?? statusLine(status)
  }
  if (isMessage(auxiliary)) return aux(auxiliary)
  return typeof stream === "string" ? EngineEvent.Status({ text: scrub(stream.trimEnd()) }) : undefined
}

/** The text of an error line; none when it is another line. */
const refusal = (message: Message): string | undefined => {
  const { error, errorDetail } = message
  if (isMessage(errorDetail) && typeof errorDetail["message"] === "string") return errorDetail["message"]
  if (typeof error === "string") return error
  return (error ?? errorDetail ?? undefined) === undefined ? undefined : "it gave no reason"
}

const parseMessage = (line: string): Message | undefined => {
  try {
    const value: unknown = JSON.parse(line)
    return isMessage(value) ? value : undefined
  } catch {
    return undefined
  }
}

type Failure = EngineRejected | EngineDisconnected

/** Appends a line's event, or gives the failure that the line means. */
const readLine = (
  line: string,
  events: Array<EngineEvent>,
  malformed: (line: string) => Failure
): Failure | undefined => {
  // JSON takes the carriage return of `\r\n` for white space.
  if (line === "" || line === "\r") return undefined
  const message = parseMessage(line)
  if (message === undefined) return malformed(line)
  const text = refusal(message)
  if (text !== undefined) return new EngineRejected({ status: 200, text: scrub(text) })
  const event = toEvent(message)
  if (event !== undefined) events.push(event)
  return undefined
}

/**
 * The longest line that is read, in bytes. The longest on record is one of 600 KB (a registry's HTML page, twice).
 *
 * @since 0.1.0
 * @category constants
 */
export const MAXIMUM_LINE_BYTES = 16 * 1024 * 1024

const tooLong = () =>
  new EngineRejected({
    status: 200,
    text: `its answer has a line of more than ${MAXIMUM_LINE_BYTES} bytes, which gantry does not read`
  })

// A whole line that is no message comes from something that is no engine, and asking again would give it again. A cut
// one at the end is the trace of an engine that went away.
const notAnEngine = (line: string) =>
  new EngineRejected({ status: 200, text: `its answer is not an engine's: ${scrub(line)}` })

const makeAnswer = (address: EngineAddress) => {
  const framer = makeLineFramer(MAXIMUM_LINE_BYTES)
  const lines: Array<string> = []
  const cut = () => new EngineDisconnected({ ...address, detail: "the last line of its answer is cut off" })
  return {
    feed: (bytes: Uint8Array, events: Array<EngineEvent>): Failure | undefined => {
      const fits = framer.feed(bytes, lines)
      for (const line of lines) {
        const failure = readLine(line, events, notAnEngine)
        if (failure !== undefined) return failure
      }
      lines.length = 0
      return fits ? undefined : tooLong()
    },
    end: (events: Array<EngineEvent>): Failure | undefined => readLine(framer.rest(), events, cut)
  }
}

const endWith = <E>(events: Array<EngineEvent>, failure: E | undefined) => {
  const written = events.length === 0 ? Channel.void : Channel.write(Chunk.unsafeFromArray(events))
  return failure === undefined ? written : Channel.zipRight(written, Channel.fail(failure))
}

/** `missing` is asked at a good end whether what came is all that had to. */
const decodeUntil = <E>(
  body: Stream.Stream<Uint8Array, E>,
  address: EngineAddress,
  missing: (seen: ReadonlySet<EngineEvent["_tag"]>) => Failure | undefined
): Stream.Stream<EngineEvent, E | Failure> =>
  Stream.suspend(() => {
    const answer = makeAnswer(address)
    const seen = new Set<EngineEvent["_tag"]>()
    const see = (events: Array<EngineEvent>): Array<EngineEvent> => {
      for (const event of events) seen.add(event._tag)
      return events
    }
    const read: Channel.Channel<Chunk.Chunk<EngineEvent>, Chunk.Chunk<Uint8Array>, E | Failure, E> = Channel.readWith({
      onInput: (chunk: Chunk.Chunk<Uint8Array>) => {
        const events: Array<EngineEvent> = []
        for (const bytes of chunk) {
          const failure = answer.feed(bytes, events)
          if (failure !== undefined) return endWith(events, failure)
        }
        return events.length === 0 ? read : Channel.zipRight(endWith(see(events), undefined), read)
      },
      onFailure: (error: E) => Channel.fail(error),
      onDone: () => {
        const events: Array<EngineEvent> = []
        const failure = answer.end(events)
        return endWith(see(events), failure ?? missing(seen))
      }
    })
    return Stream.fromChannel(Channel.pipeTo(Stream.toChannel(body), read))
  })

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
): Stream.Stream<EngineEvent, E | EngineRejected | EngineDisconnected> => decodeUntil(body, address, () => undefined)

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
  decodeUntil(body, address, (seen) =>
    seen.has("PushResult")
      ? undefined
      : new EngineDisconnected({ ...address, detail: "its answer ended with neither a digest nor an error" })
  )
