import * as DateTime from "effect/DateTime"
import { isFailure, type Report, type Result } from "../Report.ts"

const entities: { readonly [character: string]: string } = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "\t": "&#9;",
  "\n": "&#10;",
  "\r": "&#13;"
}

// XML 1.0 has no way to write controls and lone surrogates, not even escaped: https://www.w3.org/TR/xml/#charsets
const escape = (text: string): string =>
  text.replace(/[&<>"\p{Cc}\p{Cs}\ufffe\uffff]/gu, (character) => entities[character] ?? "\ufffd")

const seconds = (millis: number): string => (millis / 1000).toFixed(3)

/** The report as JUnit's XML: a push is a test case, a cancelled one is skipped. */
export const junit = (report: Report): string => {
  const skipped = report.results.filter(isSkipped).length
  const counts = `tests="${report.total}" failures="${report.failed}" errors="0" skipped="${skipped}"`
  const timing = `time="${seconds(report.durationMs)}"`
  return [
    '<?xml version="1.0" encoding="UTF-8"?>',
    `<testsuites name="gantry" ${counts} ${timing}>`,
    `  <testsuite name="push" ${counts} ${timing} timestamp="${DateTime.formatIso(report.startedAt)}">`,
    ...report.results.flatMap(testCase),
    "  </testsuite>",
    "</testsuites>",
    ""
  ].join("\n")
}

const isSkipped = ({ status }: Result): boolean => status === "cancelled" || status === "skipped"

const testCase = (result: Result): ReadonlyArray<string> => {
  const head = `    <testcase classname="${escape(result.source)}" name="${escape(result.target)}" time="${seconds(result.durationMs)}"`
  const body = verdict(result)
  return body === undefined ? [`${head}/>`] : [`${head}>`, `      ${body}`, "    </testcase>"]
}

const verdict = (result: Result): string | undefined => {
  if (isFailure(result)) {
    const { _tag, message } = result.error ?? { _tag: result.status, message: result.status }
    return `<failure type="${escape(_tag)}" message="${escape(message)}"/>`
  }
  if (isSkipped(result)) return `<skipped message="${result.status}"/>`
  return result.repoDigest === undefined ? undefined : `<system-out>${escape(result.repoDigest)}</system-out>`
}
