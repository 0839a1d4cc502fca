import * as DateTime from "effect/DateTime"
import { oneLine } from "../internal/text.ts"
import type { Verification } from "../Verification.ts"
import { causeLines } from "./problem.ts"

const answered = ({ answers }: Verification): string => {
  if (answers === undefined) return "not asked"
  return answers ? "yes" : "no"
}

const expiryOf = ({ expiry }: Verification): string | undefined =>
  expiry === undefined || typeof expiry === "string" ? expiry : DateTime.formatIso(expiry)

const line = (result: Verification): string => {
  const { credential, error, name, push, registry, repository, status } = result
  const facts: ReadonlyArray<readonly [fact: string, value: string | undefined]> = [
    ["answers", answered(result)],
    ["credential", credential ?? (result.answers === undefined ? undefined : "none")],
    ["expires", expiryOf(result)],
    ["repository", repository],
    ["push", push],
    ["error", error?.message]
  ]
  return oneLine(
    [
      status === "verified" ? "ok    " : "failed",
      name === undefined ? registry : `@${name} (${registry})`,
      ...facts.flatMap(([fact, value]) => (value === undefined ? [] : [`${fact}: ${value}`]))
    ].join("  ")
  )
}

/** `--output text`: a line a registry. */
export const text = (results: ReadonlyArray<Verification>): string =>
  results.map((result) => `${line(result)}\n`).join("")

/** What `--verbose` adds: why each failed one did. */
export const causes = (results: ReadonlyArray<Verification>): string =>
  results
    .flatMap(({ error, registry }) =>
      error === undefined ? [] : [`${oneLine(registry)}: why it failed`, ...causeLines(error)]
    )
    .map((line) => `${line}\n`)
    .join("")
