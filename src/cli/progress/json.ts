import * as Schema from "effect/Schema"
import { PushEvent } from "../../push/PushEvent.ts"
import { jsonLine } from "../internal/jsonText.ts"
import type { ProgressRenderer } from "./ProgressRenderer.ts"

/** An event as one line of JSON. */
export const eventLine = (event: PushEvent): string => jsonLine(Schema.encodeSync(PushEvent)(event))

/** `--progress json`: one event a line. */
export const json: ProgressRenderer<void> = {
  initial: undefined,
  step: (state, event) => [state, [eventLine(event)]],
  end: () => []
}
