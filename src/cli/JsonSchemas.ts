/**
 * The JSON Schemas (draft 7) of what gantry reads and writes.
 */
import * as JSONSchema from "effect/JSONSchema"
import * as GantryFile from "../config/GantryFile.ts"
import { PushEvent } from "../push/PushEvent.ts"
import { Report } from "./Report.ts"
import type { SchemaName } from "./schema.ts"

const schemas: Readonly<Record<SchemaName, () => JSONSchema.JsonSchema7Root>> = {
  config: GantryFile.jsonSchema,
  report: () => JSONSchema.make(Report),
  event: () => JSONSchema.make(PushEvent)
}

/** The schema of that name. */
export const jsonSchema = (name: SchemaName): JSONSchema.JsonSchema7Root => schemas[name]()
