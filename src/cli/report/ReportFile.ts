/**
 * The report as a file, in the format that its name asks for.
 */
import * as FileSystem from "@effect/platform/FileSystem"
import * as Path from "@effect/platform/Path"
import * as Effect from "effect/Effect"
import * as Random from "effect/Random"
import { type Report, toJson } from "../Report.ts"
import { junit } from "./junit.ts"
import { markdown } from "./markdown.ts"

const writers = [
  { extension: ".json", write: toJson },
  { extension: ".xml", write: junit },
  { extension: ".md", write: markdown }
]

/** The ends of file names that a report can have. */
export const reportFormats: ReadonlyArray<string> = writers.map(({ extension }) => extension)

/** Writes a report beside its place and moves it there, so that a reader sees the old one or the whole new one. */
export const writeReport = Effect.fn("ReportFile.writeReport")(function* (file: string, report: Report) {
  const fileSystem = yield* FileSystem.FileSystem
  const path = yield* Path.Path
  const { write } = writers.find(({ extension }) => file.endsWith(extension)) ?? { write: toJson }
  const mark = yield* Random.nextIntBetween(0, Number.MAX_SAFE_INTEGER)
  const temporary = path.join(path.dirname(file), `.${path.basename(file)}.${mark.toString(36)}.tmp`)
  yield* fileSystem.writeFileString(temporary, write(report)).pipe(
    Effect.zipRight(fileSystem.rename(temporary, file)),
    Effect.onError(() => Effect.ignore(fileSystem.remove(temporary)))
  )
})
