import * as fs from "node:fs"

/** A row of test/fixtures/engine/index.tsv with the recorded body. */
export interface Recording {
  readonly name: string
  /** The engine's HTTP status; 0 when no head of a response was ever received. */
  readonly httpStatus: number
  readonly situation: string
  readonly expected: string
  readonly streamEnd: string
  readonly body: Uint8Array
}

const folder = new URL("../fixtures/engine/", import.meta.url)

export const recordings: ReadonlyArray<Recording> = fs
  .readFileSync(new URL("index.tsv", folder), "utf8")
  .split("\n")
  .slice(1)
  .filter((line) => line !== "")
  .map((line) => {
    const [name = "", httpStatus = "", , situation = "", expected = "", streamEnd = ""] = line.split("\t")
    const body = fs.readFileSync(new URL(`${name}.ndjson`, folder))
    return { name, httpStatus: Number(httpStatus), situation, expected, streamEnd, body }
  })

/** Where the push went, `HOST/NAME` or (Podman) `HOST/NAME:TAG`, as the first line says. */
export const headingOf = ({ body }: Recording): string | undefined =>
  /"The push refers to repository \[([^\]]+)\]"/.exec(new TextDecoder().decode(body))?.[1]

/** The message of the last line, in any of the engines' forms. */
export const messageOf = ({ body }: Recording): string | undefined => {
  const line = new TextDecoder().decode(body).trim().split("\n").at(-1) ?? ""
  if (line === "") return undefined
  const { error, message } = JSON.parse(line)
  return error ?? message
}
