/**
 * Writes down what an engine and registries answer, as they answer it: `DockerEngine.layerRecording` and
 * `RegistryHttp.layerRecording` let their requests go through it.
 *
 * @since 0.1.0
 */
import * as PlatformError from "@effect/platform/Error"
import * as FileSystem from "@effect/platform/FileSystem"
import * as Cause from "effect/Cause"
import * as Chunk from "effect/Chunk"
import * as Context from "effect/Context"
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as FiberId from "effect/FiberId"
import * as Layer from "effect/Layer"
import * as Mailbox from "effect/Mailbox"
import * as Option from "effect/Option"
import * as Random from "effect/Random"
import * as Schema from "effect/Schema"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import { defectText } from "../reference/internal/defectText.ts"
import { scrubCredentials } from "../reference/internal/scrubText.ts"
import * as KnownSecrets from "./internal/knownSecrets.ts"
import { type Entry, type Exchange, Header, type Tape } from "./Transcript.ts"

/**
 * `finish` writes what is left, ends the transcript, and tells why it ends before the run did, if so. What is recorded
 * goes on as it would without.
 *
 * @since 0.1.0
 * @category services
 */
export class Recorder extends Context.Tag("gantry/Recorder")<
  Recorder,
  Tape & {
    readonly finish: Effect.Effect<Option.Option<PlatformError.PlatformError>>
  }
>() {}

/**
 * - `file`: begun anew; lines are written as they come, so that a run that is killed leaves whole ones
 * - `program`: who records, such as `release.ts 3`; default: `gantry`
 *
 * @since 0.1.0
 * @category models
 */
export interface Options {
  readonly file: string
  readonly program?: string | undefined
}

/** What may wait to be written, in characters, however slow the disk is. */
const MAXIMUM_WAITING = 64 * 1024 * 1024

const problemWith =
  (file: string) =>
  (reason: PlatformError.SystemErrorReason, description: string): PlatformError.PlatformError =>
    new PlatformError.SystemError({
      reason,
      module: "FileSystem",
      method: "writeAll",
      pathOrDescriptor: file,
      description
    })

/** Where lines go, in their order; after `giveUp`, which tells why, no more. */
interface Sink {
  readonly write: (line: string) => void
  readonly giveUp: (why: string) => void
  readonly finish: Effect.Effect<Option.Option<PlatformError.PlatformError>>
}

const openSink = (
  path: string
): Effect.Effect<Sink, PlatformError.PlatformError, FileSystem.FileSystem | Scope.Scope> =>
  Effect.gen(function* () {
    const fileSystem = yield* FileSystem.FileSystem
    const file = yield* fileSystem.open(path, { flag: "w", mode: 0o600 })
    const lines = yield* Mailbox.make<string>()
    const encoder = new TextEncoder()
    const problemOf = problemWith(path)
    let waiting = 0
    let isLost = false
    let problem = Option.none<PlatformError.PlatformError>()
    const stop = (error: PlatformError.PlatformError) => {
      problem = Option.orElseSome(problem, () => error)
    }

    const write = (text: string) =>
      file.writeAll(encoder.encode(text)).pipe(
        Effect.catchAll((error) =>
          Effect.sync(() => {
            isLost = true
            stop(error)
          })
        )
      )
    const drain: Effect.Effect<void> = Effect.flatMap(lines.takeAll, ([taken, isDone]) => {
      const text = Chunk.join(taken, "")
      waiting -= text.length
      // After a line that is lost no other one makes sense.
      const written = isLost || text === "" ? Effect.void : write(text)
      return isDone ? written : Effect.zipRight(written, drain)
    })
    const writer = yield* Effect.forkScoped(drain)
    const finish = lines.end.pipe(
      Effect.zipRight(Fiber.await(writer)),
      Effect.map((exit) => {
        if (Exit.isFailure(exit)) stop(problemOf("Unknown", `what writes it broke: ${defectText(exit.cause)}`))
        return problem
      })
    )
    return {
      write: (line) => {
        if (Option.isSome(problem)) return
        waiting += line.length
        if (waiting > MAXIMUM_WAITING) stop(problemOf("Busy", "the disk is slower than the run"))
        else lines.unsafeOffer(line)
      },
      giveUp: (why) => stop(problemOf("InvalidData", why)),
      finish
    }
  })

const isLeft = (exit: Exit.Exit<unknown, unknown>): boolean =>
  Exit.isFailure(exit) && Cause.isInterruptedOnly(exit.cause)

const REPEATS_A_SECRET =
  "a request repeats a secret, as where a password is a word of an image's name, and no replay could find it"

const makeTape = (
  sink: Sink,
  secrets: ReturnType<typeof KnownSecrets.make>,
  startedAt: number,
  now: () => number
): Tape => {
  let count = 0

  const begin = <A, E, Piece>({ answer, error, party, piece, request, ...exchange }: Exchange<A, E, Piece>) => {
    const at = () => Math.max(0, now() - startedAt)
    const of = { exchange: count++ }
    const write = (entry: () => Entry) => {
      // A push that takes long sends its secrets only at its beginning.
      secrets.learn(exchange.secrets)
      // What can not be recorded is no fault of the run's.
      Either.match(
        Either.try(() => secrets.toLine(entry())),
        {
          onLeft: () => sink.giveUp(`what was answered to ${name} can not be written down`),
          onRight: sink.write
        }
      )
    }
    secrets.learn(exchange.secrets)
    const name = request(secrets.scrub)
    if (name !== request(scrubCredentials)) sink.giveUp(REPEATS_A_SECRET)
    write(() => ({ _tag: "Asked", at: at(), ...of, party, request: name }))
    const ended = (exit: Exit.Exit<A, E>): Entry => {
      if (Exit.isSuccess(exit)) {
        secrets.learn(exchange.secretsOf(exit.value))
        return { _tag: "Answered", at: at(), ...of, answer: answer.encode(exit.value, now(), secrets.scrub) }
      }
      if (isLeft(exit)) return { _tag: "Left", at: at(), ...of }
      return Option.match(Cause.failureOption(exit.cause), {
        onNone: () => ({ _tag: "Died", at: at(), ...of, defect: defectText(exit.cause, secrets.scrub) }),
        onSome: (failure) => ({ _tag: "Failed", at: at(), ...of, error: error.encode(failure, now(), secrets.scrub) })
      })
    }
    return {
      said: (each: Piece) =>
        write(() => ({ _tag: "Said", at: at(), ...of, said: piece.encode(each, now(), secrets.scrub) })),
      end: (exit: Exit.Exit<A, E>) => write(() => ended(exit))
    }
  }

  return {
    fact: (exchange, value) =>
      Effect.sync(() => {
        begin(exchange).end(Exit.succeed(value))
        return value
      }),
    exchange: (exchange, run, hear) =>
      Effect.suspend(() => {
        const { end, said } = begin(exchange)
        const heard = (piece: Parameters<typeof hear>[0]) => {
          said(piece)
          hear(piece)
        }
        return Effect.onExit(run(heard), (exit) => Effect.sync(() => end(exit)))
      }),
    stream: (exchange, stream) =>
      Stream.unwrap(
        Effect.sync(() => {
          const { end, said } = begin(exchange)
          let isWhole = false
          const whole = Stream.execute(
            Effect.sync(() => {
              isWhole = true
            })
          )
          return stream.pipe(
            Stream.mapChunks((pieces) => {
              Chunk.forEach(pieces, said)
              return pieces
            }),
            Stream.concat(whole),
            // Whoever reads no further ends a stream as its own end does.
            Stream.ensuringWith((exit) =>
              Effect.sync(() => end(Exit.isSuccess(exit) ? (isWhole ? Exit.void : Exit.interrupt(FiberId.none)) : exit))
            )
          )
        })
      )
  }
}

const make = Effect.fnUntraced(function* (options: Options, seed: number) {
  const sink = yield* openSink(options.file)
  const clock = yield* Effect.clock
  const now = () => clock.unsafeCurrentTimeMillis()
  const secrets = KnownSecrets.make()
  const startedAt = now()
  const header = Schema.encodeSync(Header)({
    schemaVersion: 1,
    program: options.program ?? "gantry",
    startedAt: DateTime.unsafeMake(startedAt),
    seed
  })
  sink.write(secrets.toLine(header))
  yield* Effect.addFinalizer(() => sink.finish)
  return { ...makeTape(sink, secrets, startedAt, now), finish: sink.finish }
})

const MAXIMUM_SEED = 2 ** 31

/**
 * A recorder to a file, and random numbers that its replay draws again. Fails when the file can not be begun.
 *
 * @since 0.1.0
 * @category layers
 * @example
 * import * as NodeFileSystem from "@effect/platform-node/NodeFileSystem"
 * import { DockerEngine, PushTransport, Recorder, RegistryHttp } from "gantry"
 * import { Layer } from "effect"
 *
 * // Registries go above it, so that what gantry asks them itself is written down too.
 * const recorded = PushTransport.layerEngine.pipe(
 *   Layer.provideMerge(Layer.merge(DockerEngine.layerRecording, RegistryHttp.layerRecording)),
 *   Layer.provide(DockerEngine.layerFromEnv),
 *   Layer.provide(Recorder.layerFile({ file: "run.ndjson" })),
 *   Layer.provide(NodeFileSystem.layer)
 * )
 */
export const layerFile = (
  options: Options
): Layer.Layer<Recorder, PlatformError.PlatformError, FileSystem.FileSystem> =>
  Layer.unwrapEffect(
    Effect.map(Random.nextIntBetween(0, MAXIMUM_SEED), (seed) =>
      Layer.merge(Layer.scoped(Recorder, make(options, seed)), Layer.setRandom(Random.make(seed)))
    )
  )
