/**
 * What `gantry digest` does: ask a registry which digest a tag has.
 */
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Option from "effect/Option"
import * as PushError from "../push/PushError.ts"
import type { Digest } from "../reference/Digest.ts"
import * as ImageReference from "../reference/ImageReference.ts"
import { RegistryCatalog } from "../registry/RegistryCatalog.ts"
import type { DigestSettings } from "./digest.ts"
import { exitCode } from "./exitCode.ts"
import { chooseNamed } from "./internal/chooseNamed.ts"
import { connectionProblems } from "./internal/connectionProblems.ts"
import { jsonDocument } from "./internal/jsonText.ts"
import { hostsBeside, layerAsking } from "./internal/layerCatalog.ts"
import { loadFile, registriesOf } from "./internal/loadFile.ts"
import { untilSignal } from "./internal/untilSignal.ts"
import type { Machine } from "./Machine.ts"
import { causeLines, problemLine } from "./output/problem.ts"
import { Stdio } from "./Stdio.ts"
import * as TargetWord from "./TargetWord.ts"
import { UsageError } from "./UsageError.ts"

/** What the command line asks for. */
export interface DigestCommand {
  readonly target: TargetWord.TargetWord
  readonly settings: DigestSettings
}

/** Runs the command to its exit code. */
export const run = Effect.fn("DigestRun.run")(function* ({ settings, target: word }: DigestCommand, machine: Machine) {
  const { stderr, stdout } = yield* Stdio
  const loaded = yield* loadFile(settings)
  const target = yield* Either.mapBoth(TargetWord.resolve(word, registriesOf(loaded)), {
    onLeft: (problem) => new UsageError({ problems: [`TARGET ${problem}`] }),
    onRight: ImageReference.withDefaultTag
  })
  const file = Either.getOrElse(chooseNamed(Option.toArray(TargetWord.nameOf(word)), loaded), () => loaded)
  const problems = connectionProblems(settings, [target.registry], file)
  if (problems.length > 0) return yield* new UsageError({ problems })

  const ended = yield* untilSignal(
    Effect.provide(find(target), layerAsking(settings, file, hostsBeside(file, [target]), machine))
  )
  if (Either.isLeft(ended)) return exitCode({ _tag: "Interrupted", signal: ended.left }, [])
  const found = ended.right
  if (found.status === "failed") {
    const lines = [problemLine("gantry digest", found.error), ...(settings.verbose ? causeLines(found.error) : [])]
    yield* stderr(lines.map((line) => `${line}\n`).join(""))
  }
  yield* stdout(settings.output === "json" ? json(target, found) : text(found))
  return exitCode({ _tag: "Finished" }, [found])
})

type Found =
  | { readonly status: "found"; readonly digest: Digest }
  | { readonly status: "failed"; readonly error: PushError.ErrorReport }

const find = Effect.fnUntraced(function* (target: ImageReference.ImageReference) {
  const catalog = yield* RegistryCatalog
  const asked = Effect.flatMap(catalog.forImage(target), (registry) => registry.digest(target))
  return yield* Effect.match(asked, {
    onFailure: (error): Found => ({ status: "failed", error: PushError.report(error) }),
    onSuccess: Option.match({
      onNone: (): Found => ({ status: "failed", error: noSuchTag(target) }),
      onSome: (digest): Found => ({ status: "found", digest })
    })
  })
})

const noSuchTag = (target: ImageReference.ImageReference): PushError.ErrorReport => {
  const advice = "Check the name, or push it first."
  return {
    _tag: "TagNotFound",
    message: `${target.registry} has no ${target}, or does not show it to this credential. ${advice}`,
    advice,
    transient: false
  }
}

const text = (found: Found): string => (found.status === "found" ? `${found.digest}\n` : "")

const json = (target: ImageReference.ImageReference, found: Found): string => {
  const result =
    found.status === "found"
      ? { ...found, digest: String(found.digest), repoDigest: `${target.name}@${found.digest}` }
      : found
  return jsonDocument({ schemaVersion: 1, target: String(target), ...result })
}
