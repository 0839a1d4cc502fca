/**
 * Which registries the connectors of a file may use: what `gantry verify --list` prints.
 */
import * as Schema from "effect/Schema"
import { ErrorReport } from "../push/PushError.ts"
import { jsonDocument } from "./internal/jsonText.ts"

const exactly = <A, I>(schema: Schema.Schema<A, I>) => Schema.optionalWith(schema, { exact: true })

/** One connector. `unsupported` is one that can not tell, which is no failure; `error` says why. */
export const Listing = Schema.Struct({
  connector: Schema.String,
  type: Schema.String,
  method: Schema.String,
  status: Schema.Literal("listed", "unsupported", "failed"),
  registries: exactly(Schema.Array(Schema.String)),
  error: exactly(ErrorReport)
}).annotations({ identifier: "Listing" })

export type Listing = typeof Listing.Type

/** The document of `--output json`, version 1. */
export const ListingReport = Schema.Struct({
  schemaVersion: Schema.Literal(1),
  total: Schema.NonNegativeInt,
  listed: Schema.NonNegativeInt,
  unsupported: Schema.NonNegativeInt,
  failed: Schema.NonNegativeInt,
  results: Schema.Array(Listing)
}).annotations({ identifier: "ListingReport" })

const encode = Schema.encodeSync(ListingReport)

/** The results, in the order of the file, as one JSON document. */
export const toJson = (results: ReadonlyArray<Listing>): string => {
  const count = (wanted: Listing["status"]) => results.filter(({ status }) => status === wanted).length
  const report = encode({
    schemaVersion: 1,
    total: results.length,
    listed: count("listed"),
    unsupported: count("unsupported"),
    failed: count("failed"),
    results
  })
  return jsonDocument(report)
}
