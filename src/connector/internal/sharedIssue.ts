import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import * as Lease from "../../credential/Lease.ts"

/**
 * One issue for all who ask for the same key at the same time. What it gave is not given to who comes later, a failure is
 * not remembered, and an issue goes on while anybody waits for it.
 */
export const makeSharedIssue = Effect.fnUntraced(function* <A, E, R>(issue: (key: string) => Effect.Effect<A, E, R>) {
  const context = yield* Effect.context<R | Scope.Scope>()
  const leases = new Map<string, Lease.Lease<A, E>>()
  // Looking and making are one step, which a second asker can not come into.
  const making = yield* Effect.makeSemaphore(1)

  const makeLease = (key: string) =>
    Effect.tap(
      Effect.provide(Lease.make({ acquire: issue(key), check: () => Effect.succeed("stale") }), context),
      (lease) => Effect.sync(() => leases.set(key, lease))
    )
  const leaseOf = (key: string) =>
    making.withPermits(1)(
      Effect.suspend(() => {
        const known = leases.get(key)
        return known === undefined ? makeLease(key) : Effect.succeed(known)
      })
    )
  return (key: string): Effect.Effect<A, E> =>
    Effect.scoped(
      Effect.map(
        Effect.flatMap(leaseOf(key), ({ borrow }) => borrow),
        ({ value }) => value
      )
    )
})
