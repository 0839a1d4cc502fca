import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as FiberId from "effect/FiberId"
import * as FiberMap from "effect/FiberMap"
import type * as Scope from "effect/Scope"
import type * as Tracer from "effect/Tracer"

/** One issue: a fiber that acquires, hands over, and then holds what it acquired until it is interrupted. */
export interface Generation<A, E> {
  readonly issued: Deferred.Deferred<A, E>
  /** Counts what was issued, from 1; 0 while the issue is under way. */
  number: number
  /** Those who wait for the issue, and those who use what it gave. */
  users: number
  /** Whether nobody new may use it. */
  retired: boolean
  /** What is on the way to take its place. */
  successor: Generation<A, E> | undefined
}

export interface Generations<A, E> {
  /** The number of the last issue. */
  readonly last: () => number
  /** The current generation, or a new one, whose issue is part of what the borrower does; none once the scope has ended. To be paired with `leave`. */
  readonly join: (borrower: Tracer.AnySpan | undefined) => Generation<A, E> | undefined
  /** The last user of a retired generation closes it; an issue that nobody waits for is interrupted. */
  readonly leave: (generation: Generation<A, E>) => Effect.Effect<void>
  readonly retire: (generation: Generation<A, E>) => void
  /** Retires a generation by its number, if it is still the current one. */
  readonly expire: (number: number) => Effect.Effect<void>
  /** Begins what takes the place of a generation when that retires. To be paired with `leave`. */
  readonly succeed: (generation: Generation<A, E>) => Generation<A, E>
}

/** Not `Effect.never`, which keeps Node running. */
const untilInterrupted = Effect.async<never>(() => {})

export const isClosed = Effect.dieMessage(
  "The lease is closed: it was used after, or while, the scope it was made in ended."
)

/**
 * Generations of one thing, each a fiber of the scope with the services of whoever makes this.
 *
 * `whileIssued` runs in a generation's fiber from its issue on.
 */
export const makeGenerations = Effect.fnUntraced(function* <A, E, R>(
  acquire: Effect.Effect<A, E, R | Scope.Scope>,
  whileIssued: (generation: Generation<A, E>, value: A) => Effect.Effect<void>
) {
  const fibers = yield* FiberMap.make<Generation<A, E>, void, E>()
  const fork = yield* FiberMap.runtime(fibers)<R | Scope.Scope>()
  let current: Generation<A, E> | undefined
  let last = 0
  let closed = false
  // Runs before the fibers end, so that who waits for one of them does not begin another.
  yield* Effect.addFinalizer(() =>
    Effect.sync(() => {
      closed = true
    })
  )

  const retire = (generation: Generation<A, E>) => {
    generation.retired = true
    if (current === generation) current = generation.successor?.retired === false ? generation.successor : undefined
  }

  const untilUnused = (generation: Generation<A, E>) =>
    Effect.suspend(() => (generation.retired && generation.users === 0 ? Effect.void : untilInterrupted))

  // Interruptible even when the lease was made where nothing is: a fiber starts with the flags of its runtime.
  const live = (generation: Generation<A, E>, borrower: Tracer.AnySpan | undefined) =>
    Effect.interruptible(acquire).pipe(
      // The owner's own span may have ended long ago.
      Effect.withSpan("Lease.issue", borrower === undefined ? { root: true } : { parent: borrower }),
      Effect.flatMap((value) => {
        generation.number = ++last
        Deferred.unsafeDone(generation.issued, Effect.succeed(value))
        return Effect.interruptible(Effect.zipRight(whileIssued(generation, value), untilUnused(generation)))
      }),
      Effect.scoped,
      Effect.onError((cause) =>
        Effect.sync(() => {
          retire(generation)
          Deferred.unsafeDone(generation.issued, closed ? isClosed : Effect.failCause(cause))
        })
      ),
      Effect.uninterruptible
    )

  const begin = (borrower: Tracer.AnySpan | undefined): Generation<A, E> => {
    const generation: Generation<A, E> = {
      issued: Deferred.unsafeMake(FiberId.none),
      number: 0,
      users: 0,
      retired: false,
      successor: undefined
    }
    // Not at once: it could fail, and retire, before it is the current one.
    fork(generation, live(generation, borrower), { immediate: false })
    return generation
  }

  const closeUnused = (generation: Generation<A, E>) => {
    if (generation.users > 0 || (generation.number > 0 && !generation.retired)) return Effect.void
    retire(generation)
    return FiberMap.remove(fibers, generation)
  }

  const generations: Generations<A, E> = {
    last: () => last,
    join: (borrower) => {
      if (closed) return undefined
      current ??= begin(borrower)
      current.users++
      return current
    },
    leave: (generation) =>
      Effect.suspend(() => {
        generation.users--
        return closeUnused(generation)
      }),
    retire,
    expire: (number) =>
      Effect.suspend(() => {
        const generation = current
        if (generation?.number !== number) return Effect.void
        retire(generation)
        return closeUnused(generation)
      }),
    succeed: (generation) => {
      const next = begin(undefined)
      next.users++
      generation.successor = next
      return next
    }
  }
  return generations
})
