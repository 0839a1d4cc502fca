/**
 * What `gantry doctor` found out: one thing that works, or does not and what to do about it.
 */
import * as Arr from "effect/Array"
import * as Schema from "effect/Schema"
import { jsonDocument } from "./internal/jsonText.ts"
import { withoutAdvice } from "./output/problem.ts"

const exactly = <A, I>(schema: Schema.Schema<A, I>) => Schema.optionalWith(schema, { exact: true })

/** What is looked at, in the order in which it is told. */
export const Check = Schema.Literal(
  "context",
  "engine",
  "insecure-registries",
  "config-file",
  "docker-config",
  "credential-helper",
  "proxy",
  "registry",
  "clock"
)

export type Check = typeof Check.Type

/** How it is. `failed` stands in the way of a push; a `warning` may. */
export const FindingStatus = Schema.Literal("ok", "warning", "failed", "skipped")

/** One finding; `todo` is there when there is something to do. */
export const Finding = Schema.Struct({
  check: Check,
  status: FindingStatus,
  what: Schema.String,
  todo: exactly(Schema.String)
}).annotations({ identifier: "Finding" })

export type Finding = typeof Finding.Type

/** What is not as it should be, and what to do about it. */
export interface Trouble {
  readonly what: string
  readonly todo: string
}

export const ok = (check: Check, what: string): Finding => ({ check, status: "ok", what })

/** What could not be looked at, or is not there to be looked at. */
export const skipped = (check: Check, what: string): Finding => ({ check, status: "skipped", what })

export const warning = (check: Check, { todo, what }: Trouble): Finding => ({ check, status: "warning", what, todo })

export const failed = (check: Check, { todo, what }: Trouble): Finding => ({ check, status: "failed", what, todo })

/** An error of gantry as trouble. */
export const troubleOf = (error: { readonly message: string; readonly advice: string }): Trouble => ({
  what: withoutAdvice(error),
  todo: error.advice
})

/** The document of `--output json`, version 1. */
export const DoctorReport = Schema.Struct({
  schemaVersion: Schema.Literal(1),
  total: Schema.NonNegativeInt,
  ok: Schema.NonNegativeInt,
  warnings: Schema.NonNegativeInt,
  failed: Schema.NonNegativeInt,
  skipped: Schema.NonNegativeInt,
  findings: Schema.Array(Finding)
}).annotations({ identifier: "DoctorReport" })

export type DoctorReport = typeof DoctorReport.Type

/** The report of all findings, in the order of the checks. */
export const report = (findings: ReadonlyArray<Finding>): DoctorReport => {
  const count = (status: Finding["status"]) => findings.filter((finding) => finding.status === status).length
  return {
    schemaVersion: 1,
    total: findings.length,
    ok: count("ok"),
    warnings: count("warning"),
    failed: count("failed"),
    skipped: count("skipped"),
    findings: Arr.flatMap(Check.literals, (check) => findings.filter((finding) => finding.check === check))
  }
}

const encode = Schema.encodeSync(DoctorReport)

export const toJson = (report: DoctorReport): string => jsonDocument(encode(report))
