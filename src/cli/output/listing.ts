import { oneLine } from "../internal/text.ts"
import type { Listing } from "../Listing.ts"

const told = ({ error, registries = [] }: Listing): string => {
  if (error !== undefined) return `error: ${error.message}`
  return `registries: ${registries.length === 0 ? "none" : registries.join(", ")}`
}

const line = (result: Listing): string => {
  const { connector, method, status, type } = result
  return oneLine([status.padEnd("unsupported".length), `${connector} (${type}, ${method})`, told(result)].join("  "))
}

/** `--output text`: a line a connector. */
export const text = (results: ReadonlyArray<Listing>): string => results.map((result) => `${line(result)}\n`).join("")
