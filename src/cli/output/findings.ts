import { Check, type DoctorReport, type Finding, FindingStatus } from "../Finding.ts"
import { oneLine } from "../internal/text.ts"

const widthOf = (words: ReadonlyArray<string>): number => Math.max(...words.map(({ length }) => length)) + 2

const statusWidth = widthOf(FindingStatus.literals)
const checkWidth = widthOf(Check.literals)

const lines = ({ check, status, todo, what }: Finding): ReadonlyArray<string> => [
  `${status.padEnd(statusWidth)}${check.padEnd(checkWidth)}${oneLine(what)}`,
  ...(todo === undefined ? [] : [`${" ".repeat(statusWidth + checkWidth)}${oneLine(todo)}`])
]

const count = (things: number, one: string, several: string): string => `${things} ${things === 1 ? one : several}`

/** `--output text`: a line a finding, below it what to do, and at the end how many there are of each kind. */
export const text = (report: DoctorReport): string =>
  [
    ...report.findings.flatMap(lines),
    "",
    `${count(report.total, "finding", "findings")}: ${report.ok} ok, ${count(report.warnings, "warning", "warnings")}, ${report.failed} failed, ${report.skipped} skipped`
  ]
    .map((line) => `${line}\n`)
    .join("")
