import * as Duration from "effect/Duration"
import * as Record from "effect/Record"
import { isTerminal, type PushEvent, type TerminalEvent } from "../../push/PushEvent.ts"
import type { PushedImage } from "../../push/PushedImage.ts"
import { didYouMean } from "../../reference/internal/nearest.ts"
import type { EventPattern, ExpectedImage } from "../TestEvents.ts"
import { EventHistory } from "./eventHistory.ts"

const paragraph = (title: string, lines: ReadonlyArray<string>): ReadonlyArray<string> =>
  lines.length === 0 ? [] : [title, ...lines]

/** How a push ended, in words. */
export const endOf = (event: TerminalEvent): string => {
  switch (event._tag) {
    case "PushCompleted":
      return `it was ${event.image.status}`
    case "PushFailed":
      return `it failed with ${event.error._tag}: ${event.error.message}`
    case "PushCrashed":
      return `it crashed: ${event.defect}`
    case "PushCancelled":
      return `it was cancelled (${event.reason})`
  }
}

const stateOf = (events: ReadonlyArray<PushEvent>): string =>
  events.some(({ _tag }) => _tag === "PushStarted")
    ? "it still runs: await its handle, or move the TestClock on"
    : "it still waits for its turn"

const neverSubmitted = (history: EventHistory, target: string): string => {
  const targets = history.targets()
  return targets.length === 0
    ? "no push was submitted at all"
    : `no push of it was submitted${didYouMean(target, targets)}`
}

/** The last push to a target: its end, or why there is none. */
export const lastEnd = (history: EventHistory, target: string): TerminalEvent | string => {
  const events = history.ofTarget(target)
  const last = events.findLast(({ _tag }) => _tag === "PushQueued")
  if (last === undefined) return neverSubmitted(history, target)
  const ofLast = events.filter((event) => "pushId" in event && "pushId" in last && event.pushId === last.pushId)
  return ofLast.find(isTerminal) ?? stateOf(ofLast)
}

/** What was expected of a target, what became of it, and the events that say so. */
export const ofTarget = (
  history: EventHistory,
  {
    came,
    expected,
    target
  }: { readonly target: string; readonly expected: string; readonly came: TerminalEvent | string }
): string => {
  const own = history.ofTarget(target)
  const submitted = history.targets().map((name) => `  ${name}`)
  return [
    `Expected ${target} ${expected},`,
    `but ${typeof came === "string" ? came : endOf(came)}`,
    ...paragraph("Its events:", history.lines(own)),
    ...(own.length === 0 ? paragraph("Submitted were:", submitted) : [])
  ].join("\n")
}

/** The fields that are not as expected; empty when all are. */
export const ofFields = (expected: ExpectedImage, image: PushedImage): string => {
  const { attempts, digest, status, transport } = image
  const came = { attempts, digest, status, transport }
  return Record.keys(came)
    .filter((name) => expected[name] !== undefined && String(expected[name]) !== String(came[name]))
    .map((name) => `${name} was ${came[name]} and not ${expected[name]}`)
    .join(", ")
}

const allThatCame = (history: EventHistory): ReadonlyArray<string> =>
  history.events.length === 0 ? ["but no event came."] : ["but these events came:", ...history.lines(history.events)]

/** Of a sequence of patterns, how many were met, and the events that were looked through. */
export const ofOrder = (history: EventHistory, patterns: ReadonlyArray<EventPattern>, met: number): string => {
  const mark = (index: number) => (index < met ? "came" : index === met ? "NOT " : "    ")
  return [
    "Expected these events, in this order:",
    ...patterns.map((pattern, index) => `  ${mark(index)} ${pattern}`),
    ...allThatCame(history)
  ].join("\n")
}

/** What did not end in time, and all that happened until then. */
export const notEnded = (duration: Duration.DurationInput, events: ReadonlyArray<PushEvent>): string => {
  const history = new EventHistory()
  for (const event of events) history.add(event)
  return [`Expected an end within ${Duration.format(duration)} on the TestClock,`, ...allThatCame(history)].join("\n")
}
