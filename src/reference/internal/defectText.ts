/**
 * A defect in the words a bug report needs.
 *
 * Only an Error's name, message and stack are read: its fields, and values that are not Errors, may carry anything.
 */
import * as Cause from "effect/Cause"
import * as Chunk from "effect/Chunk"
import { scrubText } from "./scrubText.ts"

export const defectText = (cause: Cause.Cause<unknown>): string =>
  scrubText(Chunk.toReadonlyArray(Cause.defects(cause)).map(describe).join("\n"))

const describe = (defect: unknown): string => {
  if (defect instanceof Error) {
    return defect.stack ?? `${defect.name}: ${defect.message}`
  }
  return typeof defect === "string" ? defect : `a thrown ${typeof defect} that is no Error`
}
