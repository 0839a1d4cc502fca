/**
 * What `gantry batch` is to push: the configuration file's pushes, or those of a file or of standard input.
 */
import * as Arr from "effect/Array"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Option from "effect/Option"
import * as Record from "effect/Record"
import * as GantryFile from "../config/GantryFile.ts"
import { fromFile } from "../runtime/Batch.ts"
import { chooseNamed } from "./internal/chooseNamed.ts"
import { stdinReaders } from "./internal/connectionProblems.ts"
import { asUsageError, type LoadedFile, loadFile, registriesOf, variables } from "./internal/loadFile.ts"
import { planOf } from "./internal/planOf.ts"
import type { BatchSettings } from "./PushOptions.ts"
import type { Planned } from "./PushRun.ts"
import { Stdio } from "./Stdio.ts"
import { UsageError } from "./UsageError.ts"

/** FILE, or `-` for standard input. */
export type Word = Option.Option<string>

/**
 * The pushes of the file. Where it lists registries, every push goes to one of them: an address that none has is more
 * likely misspelt, and would be pushed to with another credential and no protected tags.
 */
export const plan = Effect.fn("BatchFile.plan")(function* (word: Word, settings: BatchSettings) {
  const read = yield* readBatch(word, settings)
  const chosen = chooseNamed(Arr.dedupe(read.pushes.flatMap(({ registries }) => registries)), Option.some(read))
  const file = Either.getOrElse(chosen, () => Option.some(read))
  const registries = registriesOf(file)
  const planned: Planned = {
    file,
    plan: chosen.pipe(
      Either.flatMap(() =>
        planOf(fromFile(read).pushes, settings, {
          registries,
          hosts: Record.isEmptyReadonlyRecord(registries) ? "any" : "registered"
        })
      ),
      Either.flatMap((plan) => {
        const problems = isStdin(word) ? rivalsOfStdin(settings, plan.hosts, file) : []
        return problems.length > 0 ? Either.left(problems) : Either.right(plan)
      })
    )
  }
  return planned
})

const isStdin = (word: Word): boolean => Option.contains(word, "-")

const readBatch = Effect.fnUntraced(function* (word: Word, settings: BatchSettings) {
  const file = Option.isNone(word) ? yield* configured(settings) : yield* readNamed(word.value, settings)
  if (file.pushes.length > 0) return file
  return yield* new UsageError({ problems: [`${file.path} lists no pushes: add them under pushes`] })
})

const configured = (settings: BatchSettings) =>
  Effect.flatMap(
    loadFile(settings),
    Option.match({
      onNone: () =>
        new UsageError({
          problems: ["there is no gantry.yaml here or in a folder above: name a file, as in `gantry batch FILE`"]
        }),
      onSome: Effect.succeed
    })
  )

const readNamed = Effect.fnUntraced(function* (path: string, settings: BatchSettings) {
  const text = yield* path === "-" ? piped : Effect.mapError(GantryFile.readText(path), asUsageError)
  const read = yield* GantryFile.parseBatch(text, {
    path,
    variables: variables(settings.set),
    file: Effect.map(
      loadFile(settings),
      Option.getOrElse(() => nothing)
    )
  }).pipe(Effect.mapError(asUsageError))
  // A list is part of the configuration file, which knows its own path.
  const file: LoadedFile = { path, ...read }
  return file
})

const nothing: GantryFile.GantryFile = { version: 1, registries: {}, secrets: {}, connectors: {}, pushes: [] }

const piped: Effect.Effect<string, UsageError, Stdio> = Effect.flatMap(Stdio, ({ stdin }) =>
  Effect.flatMap(
    stdin,
    Option.match({
      onNone: () =>
        new UsageError({ problems: ["batch -: standard input is a terminal. Pipe the pushes in, or name a file"] }),
      onSome: Effect.succeed
    })
  )
)

/** Standard input can be read once, and the pushes are there. */
const rivalsOfStdin = (
  { passwordStdin }: BatchSettings,
  hosts: ReadonlyArray<string>,
  file: Option.Option<LoadedFile>
): ReadonlyArray<string> => {
  const readers = Option.match(file, {
    onNone: () => [],
    onSome: (file) =>
      stdinReaders(
        Object.values(file.registries).filter(({ uri }) => hosts.includes(uri.host)),
        file
      )
  })
  return [...(passwordStdin ? ["--password-stdin"] : []), ...readers].map(
    (reader) => `batch - and ${reader} both read standard input: keep one of them`
  )
}
