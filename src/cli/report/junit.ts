import * as DateTime from "effect/DateTime"
import { causeLines } from "../output/problem.ts"
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

/**
 * The report as JUnit's XML: a push is a test case, a cancelled one is skipped. The root has no count of those, which
 * Jenkins' schema does not know there.
 */
export const junit = (report: Report): string => {
  const skipped = report.results.filter(isSkipped).length
  const counts = `tests="${report.total}" failures="${report.failed}" errors="0"`
  const timing = `time="${seconds(report.durationMs)}"`
  return [
    '<?xml version="1.0" encoding="UTF-8"?>',
    `<testsuites name="gantry" ${counts} ${timing}>`,
    `  <testsuite name="push" ${counts} skipped="${skipped}" ${timing} timestamp="${DateTime.formatIso(report.startedAt)}">`,
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
  if (isFailure(result)) return failure(result)
  if (isSkipped(result)) return `<skipped message="${result.status}"/>`
  return result.repoDigest === undefined ? undefined : `<system-out>${escape(result.repoDigest)}</system-out>`
}

/** Some readers show the message alone (dorny/test-reporter's list), others the text alone (GitLab). */
const failure = ({ error, status }: Result): string => {
  const { _tag, message } = error ?? { _tag: status, message: status }
  const details = error === undefined ? [] : causeLines(error)
  const text = [message, ...details].map(escape).join("\n")
  return `<failure type="${escape(_tag)}" message="${escape(message)}">${text}</failure>`
}
