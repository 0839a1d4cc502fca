/**
 * A job of GitHub Actions: an annotation for each failed push, the report in the step's summary, and the result of a
 * single push as the step's outputs. Nothing is masked, for gantry writes no secrets.
 */
import type { PlatformError } from "@effect/platform/Error"
import * as FileSystem from "@effect/platform/FileSystem"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { systemWords } from "../internal/systemWords.ts"
import { oneLine } from "../internal/text.ts"
import { variable } from "../internal/variable.ts"
import { isFailure, type Report, type Result, toJsonLine } from "../Report.ts"
import { markdownWithin } from "../report/markdown.ts"
import type { Ci } from "./Ci.ts"
import { stepOutput } from "./internal/stepOutput.ts"
import { errorCommand } from "./internal/workflowCommand.ts"

/** What GitHub takes as a step's summary; of more it shows nothing. */
const summaryBytes = 1024 * 1024

const annotation = ({ error, status, target }: Result): string =>
  errorCommand({
    title: oneLine(`Push of ${target} ${status === "failed" ? "failed" : "would fail"}`),
    message: oneLine(error?.message ?? status)
  })

/**
 * Adds a text, made for the bytes that stand before it, and says whether there was one. Other commands of the step may
 * have written to the file, and not have ended their last line.
 */
const append = Effect.fnUntraced(function* (file: string, textAfter: (bytes: number) => Option.Option<string>) {
  const fileSystem = yield* FileSystem.FileSystem
  const size = yield* Effect.orElseSucceed(
    Effect.map(fileSystem.stat(file), ({ size }) => Number(size)),
    () => 0
  )
  const begin = size > 0 ? "\n\n" : ""
  const added = textAfter(size + begin.length)
  if (Option.isSome(added)) yield* fileSystem.writeFileString(file, begin + added.value, { flag: "a" })
  return Option.isSome(added)
})

/** A summary is for people: that there is none fails no step, as with GitHub's own. */
const writeSummary = Effect.fnUntraced(function* (file: string, report: Report) {
  if (file === "") return
  yield* append(file, (bytes) => markdownWithin(report, summaryBytes - bytes)).pipe(
    Effect.flatMap((isAdded) =>
      isAdded
        ? Effect.void
        : Effect.logWarning(
            "the step's summary has no room for the report, for GitHub takes 1 MiB: run this in a step of its own"
          )
    ),
    Effect.catchAll((error) =>
      Effect.logWarning(
        `the report could not be added to the step's summary, ${file} (${systemWords(error)}): make room or let it be written to, or turn this off with --ci none`
      )
    )
  )
})

const outputsOf = ({ digest, repoDigest }: Result, report: Report) => [
  ...(digest === undefined ? [] : [stepOutput("digest", digest)]),
  ...(repoDigest === undefined ? [] : [stepOutput("repo-digest", repoDigest)]),
  stepOutput("report", toJsonLine(report))
]

const unwritten = (file: string, error: PlatformError): string =>
  `The step's outputs could not be written to ${file} (${systemWords(error)}). Make room or let it be written to, or give --ci none when no later step needs them.`

/** Why the outputs could not be written, if so. */
const writeOutputs = Effect.fnUntraced(function* (file: string, report: Report) {
  const [result, ...others] = report.results
  if (file === "" || result === undefined || others.length > 0) return Option.none<string>()
  const entries = yield* Effect.all(outputsOf(result, report))
  return yield* Effect.match(
    append(file, () => Option.some(entries.join(""))),
    { onFailure: (error) => Option.some(unwritten(file, error)), onSuccess: () => Option.none<string>() }
  )
})

/** What to tell the runner; the files are those that it has named. */
export const gitHubActions: Effect.Effect<Ci> = Effect.map(
  Effect.all({ summary: variable("GITHUB_STEP_SUMMARY"), outputs: variable("GITHUB_OUTPUT") }),
  (files) => ({
    annotations: ({ results }) => results.filter(isFailure).map(annotation),
    publish: (report) => Effect.zipRight(writeSummary(files.summary, report), writeOutputs(files.outputs, report))
  })
)
