import * as Chunk from "effect/Chunk"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Option from "effect/Option"
import * as Digest from "../../reference/Digest.ts"
import { EngineDisconnected, EngineRejected } from "../EngineError.ts"
import type { EngineAddress, EngineEvent as Event, LayerPhase } from "../EngineStream.ts"
import type { AnswerReader } from "./engineRequest.ts"
import { makeLineFramer } from "./lineFramer.ts"
import type { Clean } from "./scrub.ts"

export const EngineEvent = Data.taggedEnum<Event>()

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

const layerStatus = (layer: string, status: string, progress: unknown, clean: Clean): Event | undefined => {
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
    status: phase === "unknown" ? clean(status) : status,
    current: asNumber(detail["current"]),
    total: asNumber(detail["total"]),
    mountedFrom: mounted ? status.slice(MOUNTED.length) : undefined,
    retryAfterSeconds: retry === null ? undefined : Number(retry[1])
  })
}

const statusLine = (status: string, clean: Clean): Event => {
  const push = pushResult.exec(status)
  if (push !== null) {
    const digest = asDigest(push[2])
    if (digest !== undefined && push[1] !== undefined) {
      return EngineEvent.PushResult({ tag: push[1], digest, size: Number(push[3]) })
    }
  }
  const digest = asDigest(pullResult.exec(status)?.[1])
  return digest === undefined ? EngineEvent.Status({ text: clean(status) }) : EngineEvent.PullResult({ digest })
}

const aux = (message: Message): Event | undefined => {
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
const toEvent = (message: Message, clean: Clean): Event | undefined => {
  const { aux: auxiliary, id, progressDetail, status, stream } = message
  if (typeof status === "string") {
    const layer = typeof id === "string" ? layerStatus(id, status, progressDetail, clean) : undefined
    return layer ?? statusLine(status, clean)
  }
  if (isMessage(auxiliary)) return aux(auxiliary)
  return typeof stream === "string" ? EngineEvent.Status({ text: clean(stream.trimEnd()) }) : undefined
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
  events: Array<Event>,
  clean: Clean,
  malformed: (line: string) => Failure
): Failure | undefined => {
  // JSON takes the carriage return of `\r\n` for white space.
  if (line === "" || line === "\r") return undefined
  const message = parseMessage(line)
  if (message === undefined) return malformed(line)
  const text = refusal(message)
  if (text !== undefined) return new EngineRejected({ status: 200, text: clean(text) })
  const event = toEvent(message, clean)
  if (event !== undefined) events.push(event)
  return undefined
}

/** The longest on record is one of 600 KB (a registry's HTML page, twice). */
export const MAXIMUM_LINE_BYTES = 16 * 1024 * 1024

const tooLong = () =>
  new EngineRejected({
    status: 200,
    text: `its answer has a line of more than ${MAXIMUM_LINE_BYTES} bytes, which gantry does not read`
  })

// A whole line that is no message comes from something that is no engine, and asking again would give it again. A cut
// one at the end is the trace of an engine that went away.
export const notAnEngine = (why: string): EngineRejected =>
  new EngineRejected({ status: 200, text: `its answer is not an engine's: ${why}` })

/** What a good end lacks, from the kinds of event that came before it. */
export type Missing = (seen: ReadonlySet<Event["_tag"]>) => Failure | undefined

/** An answer of which any good end is the end. */
export const anyEnd: Missing = () => undefined

/** A killed engine closes its connection politely: reference/engine.md section 8. */
export const resultOf =
  (address: EngineAddress): Missing =>
  (seen) =>
    seen.has("PushResult")
      ? undefined
      : new EngineDisconnected({ ...address, detail: "its answer ended with neither a digest nor an error" })

/** Both append the events that come of the bytes, and give the failure that stands behind them. */
interface Decoder {
  readonly feed: (bytes: Uint8Array, events: Array<Event>) => Failure | undefined
  readonly end: (events: Array<Event>) => Failure | undefined
}

const makeDecoder = (address: EngineAddress, missing: Missing, clean: Clean): Decoder => {
  const framer = makeLineFramer(MAXIMUM_LINE_BYTES)
  const lines: Array<string> = []
  const seen = new Set<Event["_tag"]>()
  const see = (events: ReadonlyArray<Event>): void => {
    for (const event of events) seen.add(event._tag)
  }
  const malformed = (line: string) => notAnEngine(clean(line))
  const cut = () => new EngineDisconnected({ ...address, detail: "the last line of its answer is cut off" })
  return {
    feed: (bytes, events) => {
      const fits = framer.feed(bytes, lines)
      for (const line of lines) {
        const failure = readLine(line, events, clean, malformed)
        if (failure !== undefined) return failure
      }
      lines.length = 0
      see(events)
      return fits ? undefined : tooLong()
    },
    end: (events) => {
      const failure = readLine(framer.rest(), events, clean, cut)
      see(events)
      return failure ?? missing(seen)
    }
  }
}

/** Tells each event as it comes: one effect reads a whole answer. */
export const tellTo = (
  onEvent: (event: Event) => void,
  address: EngineAddress,
  missing: Missing,
  clean: Clean
): AnswerReader<void> => {
  const decoder = makeDecoder(address, missing, clean)
  const told = (decode: (events: Array<Event>) => Failure | undefined): Failure | undefined => {
    const events: Array<Event> = []
    const failure = decode(events)
    for (const event of events) onEvent(event)
    return failure
  }
  return {
    feed: (bytes) => told((events) => decoder.feed(bytes, events)),
    end: () => Option.match(Option.fromNullable(told(decoder.end)), { onNone: () => Either.void, onSome: Either.left })
  }
}

/** The next events at each run, `None` at the answer's end, from a run of `bytes` each. */
export const events = <E>(
  bytes: Effect.Effect<Uint8Array, Option.Option<E>>,
  address: EngineAddress,
  missing: Missing,
  clean: Clean
): Effect.Effect<Chunk.Chunk<Event>, Option.Option<E | Failure>> => {
  const decoder = makeDecoder(address, missing, clean)
  // What an answer ends with is given at the next run: the events before it come first.
  let ended: Option.Option<Option.Option<Failure>> = Option.none()

  const give = (found: ReadonlyArray<Event>): Effect.Effect<Chunk.Chunk<Event>, Option.Option<E | Failure>> =>
    found.length > 0
      ? Effect.succeed(Chunk.unsafeFromArray(found))
      : Option.match(ended, { onNone: () => next, onSome: Effect.fail })
  const feed = (bytes: Uint8Array) => {
    const found: Array<Event> = []
    const failure = decoder.feed(bytes, found)
    if (failure !== undefined) ended = Option.some(Option.some(failure))
    return give(found)
  }
  const end = (error: Option.Option<E>) => {
    if (Option.isSome(error)) return Effect.fail(error)
    const found: Array<Event> = []
    ended = Option.some(Option.fromNullable(decoder.end(found)))
    return give(found)
  }
  const next: Effect.Effect<Chunk.Chunk<Event>, Option.Option<E | Failure>> = Effect.suspend(() =>
    Option.match(ended, {
      onNone: () => Effect.matchEffect(bytes, { onSuccess: feed, onFailure: end }),
      onSome: Effect.fail
    })
  )
  return next
}
