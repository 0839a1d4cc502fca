import type { PushEvent } from "../../push/PushEvent.ts"
import type { Report } from "../Report.ts"

/**
 * A way to show a run on stderr: a fold of its events whose steps give the lines to write. Times are the events' own, so
 * a renderer needs no clock.
 */
export interface ProgressRenderer<State> {
  readonly initial: State
  readonly step: (state: State, event: PushEvent) => readonly [State, ReadonlyArray<string>]
  readonly end: (report: Report) => ReadonlyArray<string>
}
