import * as Effect from "effect/Effect"
import * as Duration from "effect/Duration"
import { makeSingleFlight } from "../../src/credential/internal/singleFlight.ts"
for (const ops of [64,48,32,24,16,12,10]) {
const p = Effect.scoped(Effect.gen(function* () {
  const share = yield* makeSingleFlight<number, never>(() => Duration.minutes(1))
  let starts = 0
  const run = Effect.zipRight(Effect.yieldNow(), Effect.sync(() => ++starts))
  const v = yield* Effect.replicateEffect(Effect.yieldNow().pipe(Effect.zipRight(share("a", run))), 50, { concurrency: "unbounded" }).pipe(Effect.withMaxOpsBeforeYield(ops))
  return [...new Set(v)]
}))
const t = Date.now()
console.log(ops, await Effect.runPromise(p.pipe(Effect.timeout("3 seconds"), Effect.either, Effect.map(String))), Date.now()-t)
}
