import * as Chunk from "effect/Chunk"
import * as DateTime from "effect/DateTime"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"
import * as Ref from "effect/Ref"
import * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import * as GantryFile from "../../config/GantryFile.ts"
import type { PushEvent } from "../../push/PushEvent.ts"
import type { RegistryCatalog } from "../../registry/RegistryCatalog.ts"
import type { BatchPlan } from "../../runtime/Batch.ts"
import * as PushSupervisor from "../../runtime/PushSupervisor.ts"
import * as PushLedger from "../PushLedger.ts"
import type { BatchSettings } from "../PushOptions.ts"
import type { Result } from "../Report.ts"
import { type LoadedFile, registriesOf } from "./loadFile.ts"

/** What is to be done with a plan, and what has become of it at any moment. */
export interface PushWork {
  readonly run: Effect.Effect<void, never, RegistryCatalog>
  readonly results: Effect.Effect<ReadonlyArray<Result>>
}

/** How much is done at once and how long it is tried. */
export interface Limits extends Pick<BatchSettings, "failFast" | "maxInFlight" | "retries" | "stallTimeout"> {
  readonly concurrency: number
  readonly registryConcurrency: Readonly<Record<string, number>>
}

/** The options' limits; a registry's own of the file where no option says otherwise. */
export const limitsOf = (settings: BatchSettings, file: Option.Option<LoadedFile>): Limits => {
  const { concurrency, failFast, maxInFlight, retries, stallTimeout } = settings
  return {
    concurrency: Option.getOrElse(concurrency, () => 4),
    registryConcurrency: Option.isSome(concurrency)
      ? {}
      : GantryFile.registryConcurrency({ registries: registriesOf(file) }),
    failFast,
    maxInFlight,
    retries,
    stallTimeout
  }
}

/** Pushes everything, and tells what has happened to `onEvents` once it is in the results. */
export const push = Effect.fnUntraced(function* (
  plan: BatchPlan,
  limits: Limits,
  onEvents: (events: ReadonlyArray<PushEvent>) => Effect.Effect<void>
) {
  const ledger = yield* Ref.make(PushLedger.open(plan.pushes))
  const tell = (events: ReadonlyArray<PushEvent>) =>
    Effect.zipRight(
      Ref.update(ledger, (before) => events.reduce(PushLedger.record, before)),
      onEvents(events)
    )
  const run = Effect.gen(function* () {
    // The supervisor ends before those who listen to it, so that what an interrupted run cancels is heard too.
    const scope = yield* Effect.acquireRelease(Scope.make(), (scope) => Scope.close(scope, Exit.void))
    const supervisor = yield* Scope.extend(PushSupervisor.make({ ...limits, drainTimeout: Duration.zero }), scope)
    const events = yield* supervisor.subscribe
    // Not a child: those are interrupted at once with their parent.
    const listener = yield* Effect.forkScoped(
      Stream.runForEachChunk(events, (chunk) => tell(Chunk.toReadonlyArray(chunk)))
    )
    yield* supervisor
      .submitAll(plan.pushes)
      .pipe(
        Effect.orDie,
        Effect.zipRight(supervisor.drain),
        Effect.ensuring(Effect.zipRight(Scope.close(scope, Exit.void), Fiber.await(listener)))
      )
    yield* Fiber.join(listener)
  })
  const work: PushWork = {
    run: Effect.scoped(run),
    results: Effect.zipWith(Ref.get(ledger), DateTime.now, PushLedger.results)
  }
  return work
})
