import { oneLine, readableDuration } from "../internal/text.ts"
import { isFailure, type Report, type Result, summary } from "../Report.ts"

/** Text that a table's cell shows as it is. */
const cell = (text: string): string => oneLine(text).replace(/[\\`*_[\]<>|~&#]/g, (character) => `\\${character}`)

const code = (text: string): string => `\`${oneLine(text).replaceAll("`", "'").replaceAll("|", "\\|")}\``

/** The report as a Markdown table, as a CI's summary page shows it. */
export const markdown = (report: Report): string =>
  [
    `### gantry: ${summary(report)} (${readableDuration(report.durationMs)})`,
    "",
    "| Status | Source | Target | Digest | Time |",
    "| --- | --- | --- | --- | --- |",
    ...report.results.map(row),
    ...failures(report.results),
    ""
  ].join("\n")

const row = ({ digest, durationMs, source, status, target }: Result): string =>
  `| ${status} | ${code(source)} | ${code(target)} | ${digest === undefined ? "" : code(digest)} | ${readableDuration(durationMs)} |`

const failures = (results: ReadonlyArray<Result>): ReadonlyArray<string> => {
  const failed = results.filter(isFailure)
  return failed.length === 0
    ? []
    : ["", ...failed.map(({ error, target }) => `- ${code(target)}: ${cell(error?.message ?? "failed")}`)]
}
