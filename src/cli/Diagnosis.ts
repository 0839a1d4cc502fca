/**
 * What `--verbose` adds once a run has ended: for each failed push what caused it, and how each attempt before it went.
 */
import * as DateTime from "effect/DateTime"
import * as Duration from "effect/Duration"
import * as HashMap from "effect/HashMap"
import * as Option from "effect/Option"
import type { PushEvent, PushId } from "../push/PushEvent.ts"
import { oneLine, readableDuration } from "./internal/text.ts"
import { causeLines, withoutAdvice } from "./output/problem.ts"
import { isFailure, type Report, type Result } from "./Report.ts"

/** A push that was queued: when its first attempt began, and a line for each thing that its report does not tell. */
interface History {
  readonly source: string
  readonly target: string
  readonly startedAt: DateTime.Utc
  readonly lines: ReadonlyArray<string>
}

/** The histories of a run's pushes. */
export type Diagnosis = HashMap.HashMap<PushId, History>

export const empty: Diagnosis = HashMap.empty()

const after = ({ startedAt }: History, at: DateTime.Utc): string =>
  readableDuration(Duration.toMillis(DateTime.distanceDuration(startedAt, at)))

/** The histories after one more event. */
export const note = (diagnosis: Diagnosis, event: PushEvent): Diagnosis => {
  const modify = (id: PushId, change: (history: History) => Partial<History>) =>
    HashMap.modify(diagnosis, id, (history) => ({ ...history, ...change(history) }))
  switch (event._tag) {
    case "PushQueued":
      return HashMap.set(diagnosis, event.pushId, {
        source: event.source,
        target: event.target,
        startedAt: event.at,
        lines: []
      })
    case "PushStarted":
      return modify(event.pushId, () => ({ startedAt: event.at }))
    case "Reauthenticated":
      return modify(event.pushId, (history) => ({
        lines: [...history.lines, `  after ${after(history, event.at)}: logged in again with ${oneLine(event.origin)}`]
      }))
    case "PushRetrying":
      return modify(event.pushId, (history) => ({
        lines: [
          ...history.lines,
          `  attempt ${event.attempt - 1}, after ${after(history, event.at)}: ${oneLine(event.error._tag)}: ${withoutAdvice(event.error)}`
        ]
      }))
    default:
      return diagnosis
  }
}

/** Failures that share a source and a target are one push. */
const historyOf = (diagnosis: Diagnosis, { source, target }: Result): ReadonlyArray<string> =>
  Option.match(
    HashMap.findFirst(diagnosis, (history) => history.source === source && history.target === target),
    { onNone: () => [], onSome: ([, { lines }]) => lines }
  )

/** A block of lines for each failed push of the report. */
export const lines = (diagnosis: Diagnosis, { results }: Report): ReadonlyArray<string> =>
  results.flatMap((result) =>
    isFailure(result) && result.error !== undefined
      ? [
          `${oneLine(result.target)}: why it failed`,
          ...historyOf(diagnosis, result),
          ...(result.attempts > 1 ? [`  attempt ${result.attempts}, the last one:`] : []),
          ...causeLines(result.error)
        ]
      : []
  )
