import * as Clock from "effect/Clock"
import * as Deferred from "effect/Deferred"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as FiberId from "effect/FiberId"
import * as Option from "effect/Option"

interface Flight<A, E> {
  readonly answer: Deferred.Deferred<A, E>
  fiber: Option.Option<Fiber.Fiber<A, E>>
  askers: number
  goodUntil: number
}

/**
 * Shares one run of an effect between all who ask for its key at the same time, and remembers what it gave for
 * `timeToLive`. A failure is not remembered. A run belongs to the scope and to those who wait for it: it goes on when the
 * first of them is interrupted, and ends with the last.
 *
 * Not effect's Cache, whose lookup dies with its first caller (Effect-TS/effect#8389).
 */
export const makeSingleFlight = Effect.fnUntraced(function* <A, E>(timeToLive: (value: A) => Duration.Duration) {
  const scope = yield* Effect.scope
  const flights = new Map<string, Flight<A, E>>()

  const forget = (key: string, flight: Flight<A, E>) => {
    if (flights.get(key) === flight) flights.delete(key)
  }

  const start = (key: string, flight: Flight<A, E>, run: Effect.Effect<A, E>) =>
    Effect.interruptible(run).pipe(
      Effect.onExit((exit) =>
        Effect.flatMap(Clock.currentTimeMillis, (now) => {
          flight.goodUntil = now + (Exit.isSuccess(exit) ? Duration.toMillis(timeToLive(exit.value)) : 0)
          if (flight.goodUntil <= now) forget(key, flight)
          return Deferred.done(flight.answer, exit)
        })
      ),
      Effect.forkIn(scope),
      Effect.andThen((fiber) => {
        flight.fiber = Option.some(fiber)
      })
    )

  const leave = (key: string, flight: Flight<A, E>) =>
    Effect.suspend(() => {
      flight.askers--
      if (flight.askers > 0 || flight.goodUntil !== Number.POSITIVE_INFINITY) return Effect.void
      forget(key, flight)
      return Option.match(flight.fiber, { onNone: () => Effect.void, onSome: Fiber.interrupt })
    })

  return (key: string, run: Effect.Effect<A, E>): Effect.Effect<A, E> =>
    Effect.uninterruptibleMask((restore) =>
      Effect.flatMap(Clock.currentTimeMillis, (now) => {
        // Looking and creating are one synchronous step, so that no other fiber comes between.
        const known = flights.get(key)
        const flight: Flight<A, E> =
          known !== undefined && known.goodUntil > now
            ? known
            : {
                answer: Deferred.unsafeMake(FiberId.none),
                fiber: Option.none(),
                askers: 0,
                goodUntil: Number.POSITIVE_INFINITY
              }
        flight.askers++
        flights.set(key, flight)
        return (flight === known ? Effect.void : start(key, flight, run)).pipe(
          Effect.zipRight(restore(Deferred.await(flight.answer))),
          Effect.ensuring(leave(key, flight))
        )
      })
    )
})
