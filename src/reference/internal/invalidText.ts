import * as Schema from "effect/Schema"

/** The fields of an error about a text: what may be repeated of it, and where (offset from 0) it left the grammar. */
export const invalidTextFields = {
  input: Schema.String,
  position: Schema.NonNegativeInt,
  expected: Schema.String
}

/** Quotes the text, so that spaces and control characters are seen, and ends with the advice. */
export const explainInvalidText = (
  error: { readonly input: string; readonly position: number; readonly expected: string; readonly advice: string },
  kind: string
): string =>
  `${JSON.stringify(error.input)} is not ${kind}: expected ${error.expected} at offset ${error.position}. ${error.advice}`
