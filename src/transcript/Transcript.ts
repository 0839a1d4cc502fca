/**
 * What an engine and registries answered in one run, and when: a file of JSON lines, written by `Recorder` and played by
 * `Replay`. No credential is in it.
 *
 * @since 0.1.0
 */
import type { PlatformError } from "@effect/platform/Error"
import * as FileSystem from "@effect/platform/FileSystem"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import type { ParseError } from "effect/ParseResult"
import * as Schema from "effect/Schema"
import type * as Stream from "effect/Stream"
import { didYouMean } from "../reference/internal/nearest.ts"

const VERSION = 1

/**
 * The first line: what wrote the transcript, when its run began, and the seed of the run's random numbers, with which
 * the waits before retries are the same again.
 *
 * @since 0.1.0
 * @category schemas
 */
export const Header = Schema.Struct({
  schemaVersion: Schema.Literal(VERSION),
  program: Schema.String,
  startedAt: Schema.DateTimeUtc,
  seed: Schema.NonNegativeInt
})

/**
 * @since 0.1.0
 * @category models
 */
export type Header = typeof Header.Type

/**
 * Who is asked.
 *
 * @since 0.1.0
 * @category models
 */
export const Party = Schema.Literal("engine", "registry")

/**
 * @since 0.1.0
 * @category models
 */
export type Party = typeof Party.Type

/** Milliseconds since the run began, and which exchange it is about: they are counted as they begin. */
const ofExchange = { at: Schema.Finite.pipe(Schema.nonNegative()), exchange: Schema.NonNegativeInt }

/**
 * Every other line: a request (`Asked`), a part of its answer (`Said`), and its end: an answer, a failure, a defect, or
 * that whoever asked did not wait for it (`Left`). What stands in `said`, `answer` and `error` is JSON of the party's own.
 *
 * @since 0.1.0
 * @category schemas
 */
export const Entry = Schema.Union(
  Schema.TaggedStruct("Asked", { ...ofExchange, party: Party, request: Schema.String }),
  Schema.TaggedStruct("Said", { ...ofExchange, said: Schema.Unknown }),
  Schema.TaggedStruct("Answered", { ...ofExchange, answer: Schema.Unknown }),
  Schema.TaggedStruct("Failed", { ...ofExchange, error: Schema.Unknown }),
  Schema.TaggedStruct("Died", { ...ofExchange, defect: Schema.String }),
  Schema.TaggedStruct("Left", ofExchange)
).annotations({ identifier: "TranscriptEntry" })

/**
 * @since 0.1.0
 * @category models
 */
export type Entry = typeof Entry.Type

/**
 * A request with what came of it. No end means that the recording ended first.
 *
 * @since 0.1.0
 * @category models
 */
export interface RecordedExchange {
  readonly party: Party
  readonly request: string
  readonly askedAt: number
  readonly entries: ReadonlyArray<Exclude<Entry, { readonly _tag: "Asked" }>>
}

/**
 * A transcript that was read. `isCut` says that its last line breaks off, as after a run that was killed.
 *
 * @since 0.1.0
 * @category models
 */
export interface Transcript {
  readonly header: Header
  readonly exchanges: ReadonlyArray<RecordedExchange>
  readonly isCut: boolean
}

const adviceOn = {
  unreadable: "Check the path and that the file may be read.",
  "not-a-transcript": "Name a file that `gantry batch --record FILE` or `Recorder.layerFile` wrote.",
  version: "Use the version of gantry that wrote it, or record the run again.",
  entry: "Do not change the file after it was written: record the run again."
} as const

/**
 * A file that can not be played. `line` counts from 1, and is 0 for the file as a whole.
 *
 * @since 0.1.0
 * @category errors
 */
export class TranscriptInvalid extends Schema.TaggedError<TranscriptInvalid>("gantry/Transcript/TranscriptInvalid")(
  "TranscriptInvalid",
  {
    path: Schema.String,
    line: Schema.NonNegativeInt,
    reason: Schema.Literal("unreadable", "not-a-transcript", "version", "entry"),
    detail: Schema.String
  }
) {
  get isRetryable(): boolean {
    return false
  }
  get advice(): string {
    return adviceOn[this.reason]
  }
  override get message(): string {
    const where = this.line === 0 ? this.path : `${this.path}:${this.line}`
    return `${where} can not be played: ${this.detail}. ${this.advice}`
  }
}

/**
 * A replay was asked for what the recorded run never asked: the code is not the one that was recorded, or what it was
 * given is not. It is a defect, for no program is to handle it.
 *
 * @since 0.1.0
 * @category errors
 */
export class TranscriptDiverged extends Schema.TaggedError<TranscriptDiverged>("gantry/Transcript/TranscriptDiverged")(
  "TranscriptDiverged",
  {
    path: Schema.String,
    party: Party,
    request: Schema.String,
    /** How often the recorded run asked it. */
    recorded: Schema.NonNegativeInt,
    /** What else the recorded run asked of the party. */
    known: Schema.Array(Schema.String)
  }
) {
  get isRetryable(): boolean {
    return false
  }
  get advice(): string {
    return "Give the replay the images, options and kinds of credential of the recorded run, or record it again."
  }
  override get message(): string {
    const times = this.recorded === 1 ? "once" : `${this.recorded} times`
    const what =
      this.recorded === 0
        ? `which the recorded run never did${didYouMean(this.request, this.known)}`
        : `once more than the recorded run, which did so ${times}`
    return `The run has left its transcript ${this.path}: it asks the ${this.party} "${this.request}", ${what}. ${this.advice}`
  }
}

/**
 * Takes every secret that is known so far out of a text. What changes a text in any other way comes after it: a secret
 * that has lost a character is not recognised any more.
 *
 * @since 0.1.0
 * @category models
 */
export type Scrub = (text: string) => string

/**
 * How values of one kind become JSON and are read again. `at` is the instant, in milliseconds since the epoch, from
 * which on whatever is absolute in them is made relative.
 *
 * @since 0.1.0
 * @category models
 */
export interface Codec<A> {
  readonly encode: (value: A, at: number, scrub: Scrub) => unknown
  readonly decode: (json: unknown) => Either.Either<A, ParseError>
}

/** @internal */
export const codec = <A, I>(schema: Schema.Schema<A, I>): Codec<A> => ({
  encode: (value) => Schema.encodeSync(schema)(value),
  decode: (json) => Schema.decodeUnknownEither(schema)(json)
})

/** @internal */
export const nothing: Codec<void> = { encode: () => null, decode: () => Either.void }

/**
 * One question to a party. `request` is its identity: the nth time it is asked gets the nth recorded answer. No secret
 * may be in it, for a replay knows none: a recorder that finds one gives up.
 *
 * @since 0.1.0
 * @category models
 */
export interface Exchange<A, E, Piece> {
  readonly party: Party
  readonly request: (scrub: Scrub) => string
  /** What it carries and nobody may repeat. */
  readonly secrets: ReadonlyArray<string>
  /** What its answer carries and nobody may repeat. */
  readonly secretsOf: (answer: A) => ReadonlyArray<string>
  readonly answer: Codec<A>
  readonly error: Codec<E>
  readonly piece: Codec<Piece>
  /** How a question fails in a replay that the recorded run did not ask, for it depends on what else is in flight. */
  readonly unrecorded?: E
}

/**
 * What exchanges go through: a recorder lets them happen and writes them down, a replay answers in the parties' place.
 *
 * @since 0.1.0
 * @category models
 */
export interface Tape {
  readonly exchange: <A, E, Piece>(
    exchange: Exchange<A, E, Piece>,
    run: (hear: (piece: Piece) => void) => Effect.Effect<A, E>,
    hear: (piece: Piece) => void
  ) => Effect.Effect<A, E>
  readonly stream: <E, Piece>(
    exchange: Exchange<void, E, Piece>,
    stream: Stream.Stream<Piece, E>
  ) => Stream.Stream<Piece, E>
  /** What is known without asking: no time passes, so that a layer which needs it is built before a test moves its clock. */
  readonly fact: <A, E, Piece>(exchange: Exchange<A, E, Piece>, value: A) => Effect.Effect<A>
}

/** Where a line has one of a few words that gantry reads again, and nothing of what anybody said. */
const ownNames: ReadonlySet<string> = new Set(["_tag", "party", "phase", "reason", "imageStore"])

/**
 * Whether what has this name is a word of gantry's own: a password that is one, too, stays in it.
 *
 * @internal
 */
export const isOwnWord = (name: string): boolean => ownNames.has(name)

const AnyLine = Schema.parseJson()
const VersionLine = Schema.parseJson(Schema.Struct({ schemaVersion: Schema.Number }))
const HeaderLine = Schema.parseJson(Header)
const EntryLine = Schema.parseJson(Entry)

const readHeader = (path: string, line: string): Either.Either<Header, TranscriptInvalid> => {
  const invalid = (reason: TranscriptInvalid["reason"], detail: string) =>
    new TranscriptInvalid({ path, line: 1, reason, detail })
  return Either.match(Schema.decodeUnknownEither(VersionLine)(line), {
    onLeft: () => Either.left(invalid("not-a-transcript", "its first line is not a transcript's")),
    onRight: ({ schemaVersion }) =>
      schemaVersion === VERSION
        ? Either.mapLeft(Schema.decodeUnknownEither(HeaderLine)(line), () =>
            invalid("entry", "its first line lacks something")
          )
        : Either.left(invalid("version", `it is of version ${schemaVersion}, and this gantry plays ${VERSION}`))
  })
}

interface Growing extends RecordedExchange {
  readonly entries: Array<RecordedExchange["entries"][number]>
}

const add = (exchanges: Map<number, Growing>, entry: Entry): boolean => {
  const known = exchanges.get(entry.exchange)
  if (entry._tag !== "Asked") return known !== undefined && known.entries.push(entry) > 0
  exchanges.set(entry.exchange, { party: entry.party, request: entry.request, askedAt: entry.at, entries: [] })
  return known === undefined
}

/**
 * Reads a transcript's text. A last line that breaks off is left out: the run was killed while it was written.
 *
 * @since 0.1.0
 * @category decoding
 */
export const parse = (path: string, text: string): Either.Either<Transcript, TranscriptInvalid> =>
  Either.gen(function* () {
    const [first = "", ...lines] = text.split("\n")
    const header = yield* readHeader(path, first)
    const exchanges = new Map<number, Growing>()
    const last = lines.at(-1) ?? ""
    const isCut = last !== "" && Either.isLeft(Schema.decodeUnknownEither(AnyLine)(last))
    const decodeEntry = Schema.decodeUnknownEither(EntryLine)
    for (const [index, line] of (isCut ? lines.slice(0, -1) : lines).entries()) {
      if (line === "") continue
      const entry = decodeEntry(line)
      if (Either.isLeft(entry) || !add(exchanges, entry.right)) {
        const detail = "this line is not one of a transcript"
        return yield* Either.left(new TranscriptInvalid({ path, line: index + 2, reason: "entry", detail }))
      }
    }
    return { header, exchanges: [...exchanges.values()], isCut }
  })

/**
 * Reads a transcript. Fails with `TranscriptInvalid` when the file can not be read, is none, or is of another version.
 *
 * @since 0.1.0
 * @category decoding
 */
export const load = Effect.fn("Transcript.load")(function* (path: string) {
  const fileSystem = yield* FileSystem.FileSystem
  const unreadable = (error: PlatformError) =>
    new TranscriptInvalid({ path, line: 0, reason: "unreadable", detail: error.description ?? error.message })
  const text = yield* Effect.mapError(fileSystem.readFileString(path), unreadable)
  return yield* parse(path, text)
})
