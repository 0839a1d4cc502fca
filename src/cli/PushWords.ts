/**
 * What `gantry push` is to push: a batch made from the command line.
 */
import * as Arr from "effect/Array"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import type { ImageSource } from "../image/ImageSource.ts"
import { chooseNamed } from "./internal/chooseNamed.ts"
import { loadFile, registriesOf } from "./internal/loadFile.ts"
import { planOf } from "./internal/planOf.ts"
import type { PushSettings } from "./PushOptions.ts"
import type { Planned } from "./PushRun.ts"
import * as TargetWord from "./TargetWord.ts"

/** Every source to every target, or each source to its own name when there is no target. */
export const plan = Effect.fn("PushWords.plan")(function* (
  sources: ReadonlyArray<ImageSource>,
  settings: PushSettings
) {
  const loaded = yield* loadFile(settings)
  const registries = registriesOf(loaded)
  const [misnamed, targets] = Arr.partitionMap(settings.to, (word) => TargetWord.resolve(word, registries))
  const names = Arr.getSomes(settings.to.map(TargetWord.nameOf))
  const chosen = misnamed.length > 0 ? Either.left(misnamed) : chooseNamed(names, loaded)
  const to = targets.length > 0 ? targets : undefined
  const planned: Planned = {
    file: Either.getOrElse(chosen, () => loaded),
    plan: Either.flatMap(Either.mapLeft(chosen, atTo), () =>
      planOf(
        sources.map((source) => ({ source, to })),
        settings,
        { registries, hosts: "any" }
      )
    )
  }
  return planned
})

const atTo = (problems: ReadonlyArray<string>) => problems.map((problem) => `--to: ${problem}`)
