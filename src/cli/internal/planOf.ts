import * as Either from "effect/Either"
import * as Option from "effect/Option"
import * as Batch from "../../runtime/Batch.ts"
import type { BatchSettings } from "../PushOptions.ts"

/** The plan of a batch as the options want it, or what is wrong with it. */
export const planOf = (
  pushes: ReadonlyArray<Batch.BatchPush>,
  { onExisting, only, platform }: BatchSettings,
  scope: Batch.PlanScope
): Either.Either<Batch.BatchPlan, ReadonlyArray<string>> =>
  Either.mapLeft(
    Batch.planWith(
      Batch.make(
        pushes.map((push) => ({ ...push, platform: Option.getOrUndefined(platform) })),
        { only, onExisting }
      ),
      scope
    ),
    ({ problems }) => problems.map(({ message }) => message)
  )
