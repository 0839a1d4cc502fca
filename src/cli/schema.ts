/**
 * `gantry schema config|report|event`
 */
import * as Arr from "effect/Array"
import * as Effect from "effect/Effect"
import { type Command, oneWord } from "./Command.ts"
import { jsonDocument } from "./internal/jsonText.ts"
import { expected } from "./OptionTable.ts"
import { Stdio } from "./Stdio.ts"
import { UsageError } from "./UsageError.ts"

export const schemaNames = ["config", "report", "event"] as const

export type SchemaName = (typeof schemaNames)[number]

const words = schemaNames.join("|")

/** Schemas are loaded when one is asked for. */
const runtime = Effect.promise(() => import("./JsonSchemas.ts"))

const unknownSchema = (text: string) => new UsageError({ problems: [expected(schemaNames.join(", "), text)] })

export const schema: Command = {
  options: {},
  words: oneWord(words),
  about: "Print the JSON Schema of the configuration file, of the report, or of an event.",
  notes: ["Example: gantry schema config > gantry.schema.json"],
  run: Effect.fnUntraced(function* ({ words: [text = ""] }) {
    const { stdout } = yield* Stdio
    const name = yield* Effect.mapError(
      Arr.findFirst(schemaNames, (known) => known === text),
      () => unknownSchema(text)
    )
    const { jsonSchema } = yield* runtime
    yield* stdout(jsonDocument(jsonSchema(name)))
    return 0
  })
}
