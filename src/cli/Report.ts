/**
 * What a run did, one result for each planned push: what `--output json` prints and `--report` writes.
 */
import * as DateTime from "effect/DateTime"
import * as Duration from "effect/Duration"
import * as Schema from "effect/Schema"
import { ErrorReport } from "../push/PushError.ts"
import { TransferredBytes } from "../push/PushedImage.ts"
import { jsonDocument, jsonLine } from "./internal/jsonText.ts"

const exactly = <A, I>(schema: Schema.Schema<A, I>) => Schema.optionalWith(schema, { exact: true })

/** What became of a planned push. The `would-` ones are a dry run's. */
export const Status = Schema.Literal(
  "pushed",
  "unchanged",
  "skipped",
  "failed",
  "cancelled",
  "would-push",
  "would-overwrite",
  "would-fail"
)

export type Status = typeof Status.Type

/**
 * One planned push. `overwrites` is the digest that a `would-overwrite` would take the tag from; bytes are compressed
 * sizes from the pushed manifest, absent when unknown.
 */
export const Result = Schema.Struct({
  source: Schema.String,
  target: Schema.String,
  status: Status,
  digest: exactly(Schema.String),
  repoDigest: exactly(Schema.String),
  overwrites: exactly(Schema.String),
  attempts: Schema.NonNegativeInt,
  bytesUploaded: exactly(TransferredBytes.fields.bytesUploaded.from),
  bytesMounted: exactly(TransferredBytes.fields.bytesMounted.from),
  bytesExisting: exactly(TransferredBytes.fields.bytesExisting.from),
  durationMs: Schema.NonNegative,
  error: exactly(ErrorReport)
}).annotations({ identifier: "Result" })

export type Result = typeof Result.Type

/** The report, version 1. Instants are RFC 3339; a key that says nothing is absent. */
export const Report = Schema.Struct({
  schemaVersion: Schema.Literal(1),
  startedAt: Schema.DateTimeUtc,
  durationMs: Schema.NonNegative,
  dryRun: exactly(Schema.Literal(true)),
  total: Schema.NonNegativeInt,
  pushed: Schema.NonNegativeInt,
  unchanged: Schema.NonNegativeInt,
  skipped: Schema.NonNegativeInt,
  failed: Schema.NonNegativeInt,
  cancelled: Schema.NonNegativeInt,
  results: Schema.Array(Result)
}).annotations({ identifier: "Report" })

export type Report = typeof Report.Type

/** Whether a result is a failure: of a run, or foreseen by a dry run. */
export const isFailure = ({ status }: { readonly status: string }): boolean =>
  status === "failed" || status === "would-fail"

/** The tag under which a result carries a defect. */
export const DEFECT = "Defect"

/** A defect as a result carries it; the text is what a bug report needs. */
export const defect = (text: string): ErrorReport => {
  const advice = "Please report it with these words."
  return { _tag: DEFECT, message: `This is a bug in gantry: ${text} ${advice}`, advice, transient: false }
}

/** The report of a run's results, in the plan's order. */
export const make = (run: {
  readonly mode: "push" | "dry-run"
  readonly startedAt: DateTime.Utc
  readonly endedAt: DateTime.Utc
  readonly results: ReadonlyArray<Result>
}): Report => {
  const count = (status: Status) => run.results.filter((result) => result.status === status).length
  return {
    schemaVersion: 1,
    startedAt: run.startedAt,
    durationMs: Math.round(Duration.toMillis(DateTime.distanceDuration(run.startedAt, run.endedAt))),
    ...(run.mode === "dry-run" ? { dryRun: true } : {}),
    total: run.results.length,
    pushed: count("pushed"),
    unchanged: count("unchanged"),
    skipped: count("skipped"),
    failed: run.results.filter(isFailure).length,
    cancelled: count("cancelled"),
    results: run.results
  }
}

/** How many results there are of each status, for people: `4 pushes: 3 pushed, 1 failed`. */
export const summary = ({ results, total }: Report): string => {
  const counts = Status.literals.flatMap((status) => {
    const count = results.filter((result) => result.status === status).length
    return count === 0 ? [] : [`${count} ${status}`]
  })
  return `${total} ${total === 1 ? "push" : "pushes"}: ${counts.join(", ")}`
}

const encode = (report: Report) => Schema.encodeSync(Report)(report)

/** The report as the JSON document that `--output json` and `--report FILE.json` give. */
export const toJson = (report: Report): string => jsonDocument(encode(report))

/** The same document on one line. */
export const toJsonLine = (report: Report): string => jsonLine(encode(report))
