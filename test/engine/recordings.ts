import * as NodeFs from "node:fs"
import { fileURLToPath } from "node:url"

/** One recorded answer of an engine: reference/engine.md, "How to read engine/index.tsv". */
export interface Recording {
  readonly name: string
  readonly httpStatus: number
  readonly expected: string
  readonly streamEnd: "complete" | "truncated-by-engine" | "left-by-client"
  readonly body: Uint8Array
}

const folder = new URL("../fixtures/engine/", import.meta.url)

const streamEnds = ["complete", "truncated-by-engine", "left-by-client"] as const

export const recordings: ReadonlyArray<Recording> = NodeFs.readFileSync(new URL("index.tsv", folder), "utf8")
  .split("\n")
  .slice(1)
  .filter((row) => row !== "")
  .map((row) => {
    const [name = "", httpStatus, , , expected = "", end] = row.split("\t")
    const streamEnd = streamEnds.find((known) => known === end)
    if (streamEnd === undefined) throw new Error(`index.tsv: ${name} ends ${end}`)
    const body = NodeFs.readFileSync(fileURLToPath(new URL(`${name}.ndjson`, folder)))
    return { name, httpStatus: Number(httpStatus), expected, streamEnd, body }
  })

export const recording = (name: string): Recording => {
  const found = recordings.find((one) => one.name === name)
  if (found === undefined) throw new Error(`no recording ${name}`)
  return found
}
