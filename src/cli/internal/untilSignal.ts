import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import type { Signal } from "../exitCode.ts"
import { Signals } from "../Signals.ts"

/** The work's result, or the signal that ended it early. */
export const untilSignal = <A, E, R>(
  work: Effect.Effect<A, E, R>
): Effect.Effect<Either.Either<A, Signal>, E, R | Signals> =>
  Effect.flatMap(Signals, ({ first }) =>
    Effect.raceFirst(
      Effect.map(work, (result): Either.Either<A, Signal> => Either.right(result)),
      Effect.map(first, (signal): Either.Either<A, Signal> => Either.left(signal))
    )
  )
