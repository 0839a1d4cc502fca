/**
 * What went wrong, for people: one line that says what, where, why and what to do next, and the lines that `--verbose`
 * adds. Every command shows its failures through here.
 */
import * as Cause from "effect/Cause"
import type { ErrorReport } from "../../push/PushError.ts"
import { scrubText } from "../../reference/internal/scrubText.ts"
import { oneLine } from "../internal/text.ts"

/** A failure on its one line; `where` is what failed, or the command that did. */
export const problemLine = (where: string, { message }: { readonly message: string }): string =>
  oneLine(`${where}: ${message}`)

/** What went wrong without what to do about it, for where somebody does it already. */
export const withoutAdvice = ({ advice, message }: Pick<ErrorReport, "advice" | "message">): string =>
  oneLine(message.endsWith(advice) ? message.slice(0, -advice.length) : message)

const textOf = (value: unknown): string => (typeof value === "string" ? value : JSON.stringify(value))

/** The error's tag and its own fields, which hold the cause as it was rebuilt: `  status: 503`. */
export const causeLines = ({ _tag, advice, message, transient, ...fields }: ErrorReport): ReadonlyArray<string> => [
  `  error: ${oneLine(_tag)} (${transient ? "the same command may succeed later" : "trying again will not help"})`,
  ...Object.entries(fields).flatMap(([name, value]) =>
    value === undefined || value === "" ? [] : [`  ${oneLine(name)}: ${oneLine(textOf(value))}`]
  )
]

/** What to say of a defect; only there is a stack shown. */
export const defectLines = (cause: Cause.Cause<unknown>): ReadonlyArray<string> => [
  "gantry: this is a bug in gantry, not in what you asked for: please report it with the lines below.",
  ...Cause.pretty(cause)
    .split("\n")
    .map((line) => `  ${oneLine(scrubText(line))}`)
]
