/**
 * A defect in the words a bug report needs.
 *
 * `scrub` takes out the secrets that are known, before the text changes. Only an Error's name, message and stack are read: its fields, and values that are not Errors, may carry anything.
 */
import * as Cause from "effect/Cause"
import * as Chunk from "effect/Chunk"
import { identity } from "effect/Function"
import { scrubText } from "./scrubText.ts"

export const defectText = (cause: Cause.Cause<unknown>, scrub: (text: string) => string = identity): string =>
  scrubText(scrub(Chunk.toReadonlyArray(Cause.defects(cause)).map(describe).join("\n")))

const describe = (defect: unknown): string => {
  if (defect instanceof Error) {
    return defect.stack ?? `${defect.name}: ${defect.message}`
  }
  return typeof defect === "string" ? defect : `a thrown ${typeof defect} that is no Error`
}
