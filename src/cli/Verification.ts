/**
 * What asking registries proved: what `gantry verify` prints.
 */
import * as Schema from "effect/Schema"
import { ErrorReport } from "../push/PushError.ts"
import { jsonDocument } from "./internal/jsonText.ts"

const exactly = <A, I>(schema: Schema.Schema<A, I>) => Schema.optionalWith(schema, { exact: true })

/**
 * One registry. `answers` is absent when it was not asked, because the credential was not to be had; `credential` is where
 * that came from, absent for nobody; `push` is `unknown` where only an upload would tell.
 */
export const Verification = Schema.Struct({
  registry: Schema.String,
  name: exactly(Schema.String),
  status: Schema.Literal("verified", "failed"),
  answers: exactly(Schema.Boolean),
  credential: exactly(Schema.String),
  expiry: exactly(Schema.Union(Schema.Literal("never", "unknown"), Schema.DateTimeUtc)),
  repository: exactly(Schema.String),
  push: Schema.Literal("granted", "refused", "unknown"),
  error: exactly(ErrorReport)
}).annotations({ identifier: "Verification" })

export type Verification = typeof Verification.Type

/** The document of `--output json`, version 1. */
export const VerificationReport = Schema.Struct({
  schemaVersion: Schema.Literal(1),
  total: Schema.NonNegativeInt,
  verified: Schema.NonNegativeInt,
  failed: Schema.NonNegativeInt,
  results: Schema.Array(Verification)
}).annotations({ identifier: "VerificationReport" })

const encode = Schema.encodeSync(VerificationReport)

/** The results, in the order of the arguments, as one JSON document. */
export const toJson = (results: ReadonlyArray<Verification>): string => {
  const verified = results.filter(({ status }) => status === "verified").length
  const report = encode({
    schemaVersion: 1,
    total: results.length,
    verified,
    failed: results.length - verified,
    results
  })
  return jsonDocument(report)
}
