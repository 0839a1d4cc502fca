import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"

/**
 * Something to lease: numbers from 1, each issued in a scope. Issues that are held wait for `release`; `opened` and
 * `closed` tell what happened to each.
 */
export const makeIssuer = Effect.gen(function* () {
  const opened: Array<number> = []
  const closed: Array<number> = []
  const state = {
    /** How many issues have begun. */
    issues: 0,
    /** How many issues were interrupted. */
    interrupted: 0,
    /** What the next issues wait for. */
    gate: Effect.void as Effect.Effect<void, string>,
    stale: new Set<number>()
  }
  const acquire = Effect.gen(function* () {
    const issue = ++state.issues
    yield* Effect.acquireRelease(
      Effect.sync(() => opened.push(issue)),
      () => Effect.sync(() => closed.push(issue))
    )
    yield* Effect.yieldNow()
    yield* state.gate
    return issue
  }).pipe(Effect.onInterrupt(() => Effect.sync(() => state.interrupted++)))

  const check = (issue: number) =>
    Effect.yieldNow().pipe(Effect.map(() => (state.stale.has(issue) ? ("stale" as const) : ("reuse" as const))))

  /** Holds every issue from now on, until the gate is opened or failed. */
  const hold = Effect.gen(function* () {
    const gate = yield* Deferred.make<void, string>()
    const reached = yield* Deferred.make<void>()
    state.gate = Effect.zipRight(Deferred.succeed(reached, undefined), Deferred.await(gate))
    return {
      reached: Deferred.await(reached),
      open: Effect.zipRight(
        Effect.sync(() => (state.gate = Effect.void)),
        Deferred.succeed(gate, undefined)
      ),
      fail: (error: string) =>
        Effect.zipRight(
          Effect.sync(() => (state.gate = Effect.void)),
          Deferred.fail(gate, error)
        )
    }
  })

  return { acquire, check, closed, hold, opened, state }
})
