import * as Arr from "effect/Array"
import * as Option from "effect/Option"
import { oneLine, readableDuration } from "../internal/text.ts"
import { isFailure, type Report, type Result, summary } from "../Report.ts"

/** Text that shows as it is. GitHub takes what is between two $ for mathematics. */
const plain = (text: string): string => oneLine(text).replace(/[\\`*_[\]<>|~&#$]/g, (character) => `\\${character}`)

const code = (text: string): string => `\`${oneLine(text).replaceAll("`", "'")}\``

/** In a table a | ends the cell even within code; elsewhere the backslash before it would show. */
const cell = (text: string): string => code(text).replaceAll("|", "\\|")

const row = ({ digest, durationMs, source, status, target }: Result): string =>
  `| ${status} | ${cell(source)} | ${cell(target)} | ${digest === undefined ? "" : cell(digest)} | ${readableDuration(durationMs)} |`

const failure = ({ error, status, target }: Result): string => `- ${code(target)}: ${plain(error?.message ?? status)}`

/** The report with the rows of these results, and a last line. */
const page = (report: Report, results: ReadonlyArray<Result>, note: ReadonlyArray<string> = []): string => {
  const failures = results.filter(isFailure).map(failure)
  return [
    `### gantry: ${summary(report)} (${readableDuration(report.durationMs)})`,
    "",
    "| Status | Source | Target | Digest | Time |",
    "| --- | --- | --- | --- | --- |",
    ...results.map(row),
    ...(failures.length === 0 ? [] : ["", ...failures]),
    ...note,
    ""
  ].join("\n")
}

/** The report as a Markdown table, as a CI's summary page shows it. */
export const markdown = (report: Report): string => page(report, report.results)

const leftOut = (count: number): ReadonlyArray<string> => [
  "",
  `${count} more ${count === 1 ? "push is" : "pushes are"} left out here: \`--report FILE\` has them all.`
]

const bytesOf = (text: string): number => Buffer.byteLength(text)

/** The bytes that a result adds to a page, with its newlines. */
const bytesOfResult = (result: Result): number =>
  bytesOf(row(result)) + 1 + (isFailure(result) ? bytesOf(failure(result)) + 1 : 0)

/**
 * The report in at most so many bytes of UTF-8. Where that is too little for all of it, as many results as fit, failures
 * first; nothing where not even the heading fits.
 */
export const markdownWithin = (report: Report, bytes: number): Option.Option<string> => {
  const whole = markdown(report)
  if (bytesOf(whole) <= bytes) return Option.some(whole)
  const [others, failures] = Arr.partition(report.results, isFailure)
  const ordered = [...failures, ...others]
  // The empty line before the failures is one byte more.
  const least = bytesOf(page(report, [], leftOut(report.total))) + 1
  const [, ends] = Arr.mapAccum(ordered, least, (before, result) => {
    const end = before + bytesOfResult(result)
    return [end, end]
  })
  const shown = Arr.takeWhile(ends, (end) => end <= bytes).length
  return least > bytes
    ? Option.none()
    : Option.some(page(report, ordered.slice(0, shown), leftOut(report.total - shown)))
}
