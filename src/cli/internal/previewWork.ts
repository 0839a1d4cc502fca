import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as HashMap from "effect/HashMap"
import * as Option from "effect/Option"
import * as Ref from "effect/Ref"
import * as PushError from "../../push/PushError.ts"
import type { PushRequest } from "../../push/PushRequest.ts"
import type { Digest } from "../../reference/Digest.ts"
import type { PushPreview } from "../../registry/ContainerRegistry.ts"
import * as Batch from "../../runtime/Batch.ts"
import type { Result } from "../Report.ts"
import type { Limits, PushWork } from "./pushWork.ts"

/** Asks for each push what it would do. */
export const preview = Effect.fnUntraced(function* (plan: Batch.BatchPlan, { concurrency }: Limits) {
  const found = yield* Ref.make(HashMap.empty<number, Result>())
  const run = Effect.forEach(
    plan.pushes,
    (request, index) =>
      Effect.flatMap(Effect.timed(Effect.either(Batch.preview(request))), ([duration, outcome]) =>
        Ref.update(found, HashMap.set(index, foreseen(request, outcome, duration)))
      ),
    { concurrency, discard: true }
  )
  const work: PushWork = {
    run,
    results: Effect.map(Ref.get(found), (results) =>
      plan.pushes.map((request, index) => Option.getOrElse(HashMap.get(results, index), () => notAsked(request)))
    )
  }
  return work
})

const row = (request: PushRequest) => ({ source: String(request.source), target: String(request.target), attempts: 0 })

const notAsked = (request: PushRequest): Result => ({ ...row(request), status: "cancelled", durationMs: 0 })

const foreseen = (
  request: PushRequest,
  outcome: Either.Either<PushPreview, PushError.PushError>,
  duration: Duration.Duration
): Result => {
  const known = { ...row(request), durationMs: Math.round(Duration.toMillis(duration)) }
  if (Either.isLeft(outcome)) return { ...known, status: "would-fail", error: PushError.report(outcome.left) }
  const { digest, reference, status } = outcome.right
  return { ...known, status, ...Option.match(digest, { onNone: () => ({}), onSome: there(status, reference.name) }) }
}

/** The digest that the tag has now: the one it keeps, or the one it would be taken from. */
const there = (status: PushPreview["status"], name: string) => (digest: Digest) =>
  status === "would-overwrite"
    ? { overwrites: String(digest) }
    : { digest: String(digest), repoDigest: `${name}@${digest}` }
