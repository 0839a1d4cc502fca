/**
 * Answers in the place of an engine and registries what a transcript says they answered, each answer as long after its
 * request as it was then.
 *
 * @since 0.1.0
 */
import type * as FileSystem from "@effect/platform/FileSystem"
import * as Chunk from "effect/Chunk"
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import type * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import type * as Either from "effect/Either"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import type { ParseError } from "effect/ParseResult"
import * as Random from "effect/Random"
import * as Stream from "effect/Stream"
import { scrubCredentials } from "../reference/internal/scrubText.ts"
import * as Transcript from "./Transcript.ts"

/**
 * A transcript that is played, and the test's own view of it. A request that the recorded run did not make, or not so
 * often, is a defect: `TranscriptDiverged`. What the recorded run did not wait for is never answered.
 *
 * @since 0.1.0
 * @category services
 */
export class Replay extends Context.Tag("gantry/Replay")<
  Replay,
  Transcript.Tape & {
    /** When the recorded run began. */
    readonly startedAt: DateTime.Utc
    /** What the recorded run asked and this one has not, such as `pushImage localhost:5000/app:1`. */
    readonly unasked: Effect.Effect<ReadonlyArray<string>>
    /** Where this run has left the transcript, also where nobody let the defect pass. */
    readonly divergences: Effect.Effect<ReadonlyArray<Transcript.TranscriptDiverged>>
  }
>() {}

const identity = ({ party, request }: { readonly party: string; readonly request: string }): string =>
  `${party} ${scrubCredentials(request)}`

type Played = Transcript.RecordedExchange

type Asked = Pick<Played, "party" | "request">

const makeTape = (path: string, transcript: Transcript.Transcript) => {
  const waiting = new Map<string, Array<Played>>()
  for (const exchange of transcript.exchanges) {
    const key = identity(exchange)
    const known = waiting.get(key)
    if (known === undefined) waiting.set(key, [exchange])
    else known.push(exchange)
  }
  const divergences: Array<Transcript.TranscriptDiverged> = []

  const diverged = (exchange: Asked) => {
    const { party } = exchange
    const others = transcript.exchanges.filter((recorded) => recorded.party === party)
    const error = new Transcript.TranscriptDiverged({
      path,
      party,
      request: scrubCredentials(exchange.request),
      recorded: others.filter((recorded) => identity(recorded) === identity(exchange)).length,
      known: [...new Set(others.map(({ request }) => request))]
    })
    divergences.push(error)
    return Effect.die(error)
  }

  /** Looking and taking are one synchronous step, so that the nth who asks gets the nth answer. */
  const take = <E>(
    exchange: Asked,
    otherwise: (exchange: Asked) => Effect.Effect<never, E>
  ): Effect.Effect<Played, E> =>
    Effect.suspend(() => {
      const played = waiting.get(identity(exchange))?.shift()
      return played === undefined ? otherwise(exchange) : Effect.succeed(played)
    })

  const unreadable = ({ request }: Played, why: string) =>
    new Transcript.TranscriptInvalid({
      path,
      line: 0,
      reason: "entry",
      detail: `what it says of "${request}" can not be read: ${why}`
    })

  const orDie = <A>(decoded: Either.Either<A, ParseError>, played: Played): Effect.Effect<A> =>
    Effect.orDie(Effect.mapError(decoded, ({ message }) => unreadable(played, message)))

  /** Each run waits for the next entry, and gives a part of the answer, or its end. */
  const steps = <A, E, Piece>(
    { answer, error, piece }: Transcript.Exchange<A, E, Piece>,
    played: Played,
    began: number
  ) => {
    let index = 0
    const until = (at: number) =>
      Effect.flatMap(Clock.currentTimeMillis, (now) => {
        const left = began + at - played.askedAt - now
        return left > 0 ? Effect.sleep(left) : Effect.void
      })
    const say = (entry: Played["entries"][number]): Effect.Effect<Step<A, Piece>, E> => {
      switch (entry._tag) {
        case "Said":
          return Effect.map(orDie(piece.decode(entry.said), played), (said) => ({ _tag: "Said", said }))
        case "Answered":
          return Effect.map(orDie(answer.decode(entry.answer), played), (value) => ({ _tag: "Answered", value }))
        case "Failed":
          return Effect.flatMap(orDie(error.decode(entry.error), played), (failure) => Effect.fail(failure))
        case "Died":
          return Effect.die(Object.assign(new Error(entry.defect), { stack: entry.defect }))
        case "Left":
          return Effect.never
      }
    }
    return Effect.suspend(() => {
      const entry = played.entries[index++]
      return entry === undefined ? Effect.never : Effect.zipRight(until(entry.at), say(entry))
    })
  }

  const askedBy = <A, E, Piece>({ party, request }: Transcript.Exchange<A, E, Piece>): Asked => ({
    party,
    request: request(scrubCredentials)
  })

  const begin = <A, E, Piece>(exchange: Transcript.Exchange<A, E, Piece>) => {
    const { unrecorded } = exchange
    return Effect.flatMap(
      take<E>(askedBy(exchange), unrecorded === undefined ? diverged : () => Effect.fail(unrecorded)),
      (played) => Effect.map(Clock.currentTimeMillis, (now) => steps(exchange, played, now))
    )
  }

  const tape: Transcript.Tape = {
    fact: (exchange) =>
      Effect.flatMap(take(askedBy(exchange), diverged), (played) => {
        const known = played.entries.find((entry) => entry._tag === "Answered")
        return known === undefined
          ? Effect.die(unreadable(played, "it ends there"))
          : orDie(exchange.answer.decode(known.answer), played)
      }),
    exchange: (exchange, _, hear) =>
      Effect.gen(function* () {
        const next = yield* begin(exchange)
        while (true) {
          const step = yield* next
          if (step._tag === "Answered") return step.value
          hear(step.said)
        }
      }),
    stream: (exchange) =>
      Stream.unwrap(
        Effect.map(begin(exchange), (next) =>
          Stream.repeatEffectChunkOption(
            Effect.flatMap(Effect.mapError(next, Option.some), (step) =>
              step._tag === "Said" ? Effect.succeed(Chunk.of(step.said)) : Effect.fail(Option.none())
            )
          )
        )
      )
  }
  return {
    ...tape,
    unasked: Effect.sync(() => [...waiting.values()].flatMap((left) => left.map(({ request }) => request))),
    divergences: Effect.sync(() => [...divergences])
  }
}

type Step<A, Piece> = { readonly _tag: "Said"; readonly said: Piece } | { readonly _tag: "Answered"; readonly value: A }

/**
 * Plays a transcript. It draws the random numbers of the recorded run again, so that waits before retries are the same.
 * Fails with `TranscriptInvalid` when the file can not be read, is none, or is of another version.
 *
 * @since 0.1.0
 * @category layers
 */
export const layerFile = (path: string): Layer.Layer<Replay, Transcript.TranscriptInvalid, FileSystem.FileSystem> =>
  Layer.unwrapEffect(
    Effect.gen(function* () {
      const transcript = yield* Transcript.load(path)
      if (transcript.isCut) {
        yield* Effect.logWarning(
          `The last line of ${path} breaks off, as after a run that was killed: what was under way then is never answered.`
        )
      }
      const { seed, startedAt } = transcript.header
      const replay = Layer.sync(Replay, () => ({ ...makeTape(path, transcript), startedAt }))
      return Layer.merge(replay, Layer.setRandom(Random.make(seed)))
    })
  )
