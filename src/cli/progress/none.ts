import type { ProgressRenderer } from "./ProgressRenderer.ts"
import { foreseenFailures, plain } from "./plain.ts"

/** `--progress none`: no progress. A failure is none, so it is still said. */
export const none: ProgressRenderer<typeof plain.initial> = {
  initial: plain.initial,
  step: (state, event) => {
    if (event._tag === "LayerProgress" || event._tag === "LayerPushed") return [state, []]
    const [next, lines] = plain.step(state, event)
    return [next, event._tag === "PushFailed" || event._tag === "PushCrashed" ? lines : []]
  },
  end: foreseenFailures
}
