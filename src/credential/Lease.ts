/**
 * Something issued that expires, shared by all who need it at the same time.
 *
 * @since 0.1.0
 */
import type * as Context from "effect/Context"
import * as DateTime from "effect/DateTime"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Option from "effect/Option"
import * as Random from "effect/Random"
import type * as Scope from "effect/Scope"
import { withSpanOf } from "../reference/internal/spanContext.ts"
import { type Generation, type Generations, isClosed, makeGenerations } from "./internal/generations.ts"

/**
 * What one borrower got: the value, and which issue it came from, counted from 1.
 *
 * @since 0.1.0
 * @category models
 */
export interface Borrowed<out A> {
  readonly generation: number
  readonly value: A
}

/**
 * One thing at a time, issued when somebody needs it and replaced when it has expired.
 *
 * - `borrow` gives the current value, for the borrower's scope. The first who finds none, or a stale one, has one issued,
 *   and all who come meanwhile wait for the same. What was issued while a borrower waited is used without another look,
 *   however short-lived it is. Fails as the issue or the check did; a failed issue is not remembered. After the lease has
 *   closed it dies.
 * - `expire` says that a generation was refused, whatever its expiry says: the next borrower has another one issued. Of a
 *   generation that is no longer the current one it changes nothing.
 *
 * @since 0.1.0
 * @category models
 */
export interface Lease<out A, out E = never> {
  readonly borrow: Effect.Effect<Borrowed<A>, E, Scope.Scope>
  readonly expire: (generation: number) => Effect.Effect<void>
}

/**
 * A span of time, both ends included.
 *
 * @since 0.1.0
 * @category models
 */
export interface Window {
  readonly from: DateTime.Utc
  readonly until: DateTime.Utc
}

/**
 * How a lease gets its value and knows whether it is still good.
 *
 * - `acquire` runs in a scope of its own, which closes after the last borrower of a replaced value. It has no time limit
 *   but its own: give it one.
 * - `check` runs for each borrower of a value that was there before them.
 * - `renewal` says when to replace a value that is in use before it goes stale, so that nobody waits: at some moment of
 *   the window, so that many processes do not ask at once. A renewal that fails changes nothing. Left out, or with a window
 *   that has begun at the issue, values are replaced when a borrower finds them stale.
 *
 * @since 0.1.0
 * @category models
 */
export interface Options<A, E, R> {
  readonly acquire: Effect.Effect<A, E, R | Scope.Scope>
  readonly check: (value: A, now: DateTime.Utc) => Effect.Effect<"reuse" | "stale", E, R>
  readonly renewal?: ((value: A) => Option.Option<Window>) | undefined
}

interface Joined<A, E> {
  readonly generation: Generation<A, E>
  readonly value: A
}

type Restore = <A, E, R>(effect: Effect.Effect<A, E, R>) => Effect.Effect<A, E, R>

/** Sleeps until a random moment of a window; at once false when the window has begun already. */
const sleepInto = Effect.fnUntraced(function* ({ from, until }: Window) {
  const now = yield* DateTime.now
  if (DateTime.lessThanOrEqualTo(from, now)) return false
  const jitter = yield* Random.next
  yield* Effect.sleep(DateTime.distance(now, from) + jitter * DateTime.distance(from, until))
  return true
})

/**
 * A lease that belongs to the scope. Both effects run with the services of whoever makes the lease, not the borrower's.
 *
 * An interrupted borrower takes nobody along; an issue for which nobody waits any more is interrupted.
 *
 * Not effect's `RcMap`, `RcRef`, `ScopedCache` or `Resource`: each breaks one of these rules (Effect-TS/effect#7515,
 * Effect-TS/effect#8389).
 *
 * @since 0.1.0
 * @category constructors
 * @example
 * import { Lease } from "gantry"
 * import { Clock, Effect } from "effect"
 *
 * const issue = Effect.map(Clock.currentTimeMillis, (now) => ({ token: "t", goodUntil: now + 60_000 }))
 *
 * const program = Effect.gen(function* () {
 *   const lease = yield* Lease.make({
 *     acquire: issue,
 *     check: ({ goodUntil }, now) => Effect.succeed(now.epochMillis > goodUntil ? "stale" : "reuse")
 *   })
 *   const { value } = yield* lease.borrow
 *   return value.token
 * })
 *
 * export const main = Effect.scoped(program)
 */
export const make = Effect.fn("Lease.make")(function* <A, E = never, R = never>(options: Options<A, E, R>) {
  const context = yield* Effect.context<R>()
  const generations: Generations<A, E> = yield* makeGenerations<A, E, R>(
    options.acquire,
    Effect.fnUntraced(function* (generation, value) {
      const window = options.renewal?.(value) ?? Option.none()
      if (Option.isNone(window) || !(yield* sleepInto(window.value))) return
      if (generation.users > 0 && !generation.retired) yield* renew(generation)
    })
  )

  const renew = (generation: Generation<A, E>) =>
    Effect.acquireUseRelease(
      Effect.sync(() => generations.succeed(generation)),
      (next) => Effect.exit(Deferred.await(next.issued)),
      (next) => generations.leave(next)
    ).pipe(
      Effect.andThen((exit) => {
        if (Exit.isSuccess(exit)) generations.retire(generation)
      })
    )

  const check = (value: A) =>
    Effect.flatMap(DateTime.now, (now) =>
      Effect.mapInputContext(options.check(value, now), (own: Context.Context<never>) => withSpanOf(own, context))
    )

  /** `known` is the last generation from before the borrower came: what is newer was issued for them. */
  const look = Effect.fnUntraced(function* (generation: Generation<A, E>, known: number) {
    const value = yield* Deferred.await(generation.issued)
    if (generation.number <= known && (yield* check(value)) === "stale") generations.retire(generation)
    return value
  })

  const join = (restore: Restore, known: number): Effect.Effect<Joined<A, E>, E> =>
    Effect.withFiberRuntime(({ currentSpan }) => {
      const generation = generations.join(currentSpan)
      if (generation === undefined) return isClosed
      return restore(look(generation, known)).pipe(
        Effect.onError(() => generations.leave(generation)),
        Effect.flatMap((value) =>
          generation.retired
            ? Effect.zipRight(generations.leave(generation), join(restore, known))
            : Effect.succeed({ generation, value })
        )
      )
    })

  const lease: Lease<A, E> = {
    borrow: Effect.uninterruptibleMask((restore) =>
      Effect.suspend(() => join(restore, generations.last())).pipe(
        Effect.tap(({ generation }) => Effect.addFinalizer(() => generations.leave(generation))),
        Effect.map(({ generation, value }) => ({ generation: generation.number, value }))
      )
    ).pipe(Effect.withSpan("Lease.borrow", { captureStackTrace: false })),
    expire: generations.expire
  }
  return lease
})
