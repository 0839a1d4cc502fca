/**
 * What `gantry config check` does: read the file and say everything that is wrong with it. Secrets are not read.
 */
import * as Arr from "effect/Array"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Option from "effect/Option"
import * as GantryFile from "../config/GantryFile.ts"
import { exitCode } from "./exitCode.ts"
import { findFile, variables } from "./internal/loadFile.ts"
import { oneLine } from "./internal/text.ts"
import type { FileSettings } from "./RegistryOptions.ts"
import { Stdio } from "./Stdio.ts"
import { UsageError } from "./UsageError.ts"

/** Runs the command to its exit code. */
export const run = Effect.fn("ConfigCheck.run")(function* (
  named: Option.Option<string>,
  settings: Pick<FileSettings, "set">
) {
  const { stderr, stdout } = yield* Stdio
  const path = yield* Effect.flatMap(
    findFile(named),
    Option.match({ onNone: () => nothingFound, onSome: Effect.succeed })
  )
  const loaded = yield* Effect.either(GantryFile.load(path, { variables: variables(settings.set) }))
  if (Either.isRight(loaded)) {
    yield* stdout(`${oneLine(path)}: ok, ${contentOf(loaded.right)}\n`)
    return exitCode({ _tag: "Finished" }, [])
  }
  const error = loaded.left
  // Nothing precedes FILE:LINE:COLUMN, so that editors and terminals link it.
  const lines = error._tag === "GantryFileInvalid" ? error.lines : [error.message]
  yield* stderr(lines.map((line) => `${oneLine(line)}\n`).join(""))
  return exitCode({ _tag: "Misused" }, [])
})

const nothingFound = new UsageError({
  problems: ["there is no gantry.yaml here or in a folder above: name the file, as in `gantry config check FILE`"]
})

const count = (things: number, one: string, several: string) => `${things} ${things === 1 ? one : several}`

const contentOf = ({ connectors, pushes, registries, secrets }: GantryFile.GantryFile): string =>
  [
    count(Object.keys(registries).length, "registry", "registries"),
    count(Object.keys(connectors).length, "connector", "connectors"),
    count(Object.keys(secrets).length, "secret", "secrets"),
    count(Arr.flatMap(pushes, ({ targets }) => targets).length, "push", "pushes")
  ].join(", ")
