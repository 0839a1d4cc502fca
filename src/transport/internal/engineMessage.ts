/**
 * What an engine's refusal of a push means.
 */
import { EngineRejected } from "../../engine/EngineError.ts"
import type { PushError } from "../../push/PushError.ts"
import { scrubText } from "../../reference/internal/scrubText.ts"
import type { About } from "./engineMessageRow.ts"
import { table } from "./engineMessageTable.ts"
import { read } from "./engineWords.ts"

/**
 * Reads an engine's refusal: the error of the table's first row that matches, else the refusal itself with its text. Its
 * text is scrubbed and shortened either way.
 */
export const classify = (rejection: EngineRejected, about: About): PushError => {
  const message = read(rejection)
  const text = scrubText(rejection.text)
  const row = table.find((row) => row.matches(message))
  return row === undefined
    ? new EngineRejected({ status: rejection.status, text })
    : row.toError({ source: about.source, target: about.target, message, text })
}
