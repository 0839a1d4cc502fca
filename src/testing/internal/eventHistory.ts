import * as Data from "effect/Data"
import * as Duration from "effect/Duration"
import * as Either from "effect/Either"
import type { PushEvent, PushId } from "../../push/PushEvent.ts"
import * as ImageReference from "../../reference/ImageReference.ts"
import type { EventOf, EventPattern } from "../TestEvents.ts"

/** What a test expected did not come; the message is the difference. It is a defect: no program should catch it. */
export class ExpectationFailed extends Data.TaggedError("ExpectationFailed")<{ readonly message: string }> {}

/** A difference is read by people: of a long history they get the end. */
const MAXIMUM_LINES = 40

const plural = (count: number, word: string): string => `${count} ${word}${count === 1 ? "" : "s"}`

const detailOf = (event: PushEvent): string => {
  switch (event._tag) {
    case "LayerProgress":
      return `${event.layer}, ${event.current} bytes`
    case "LayerPushed":
      return `${event.layer}, ${event.outcome}`
    case "Reauthenticated":
      return `with ${event.origin}`
    case "PushRetrying":
      return `attempt ${event.attempt} in ${Duration.format(event.delay)}, after ${event.error._tag}`
    case "PushCompleted":
      return `${event.image.status} in ${plural(event.image.attempts, "attempt")}`
    case "PushFailed":
      return `${event.error._tag} after ${plural(event.attempts, "attempt")}`
    case "PushCrashed":
      // The rest is a stack.
      return event.defect.replace(/\s+at .*$/s, "")
    case "PushCancelled":
      return event.reason
    case "RegistryPaused":
      return `for ${Duration.format(event.delay)}`
    case "PushQueued":
    case "PushStarted":
    case "RegistryResumed":
    case "RuntimeDrained":
      return ""
  }
}

/** The name that events have, however the image was written. */
export const canonicalName = (image: ImageReference.ImageReference | string): string =>
  typeof image === "string"
    ? Either.match(ImageReference.parse(image), { onLeft: () => image, onRight: String })
    : String(image)

/** Events in their order, and which image each is about. */
export class EventHistory {
  readonly events: Array<PushEvent> = []
  readonly #targets = new Map<PushId, string>()

  add(event: PushEvent): void {
    if (event._tag === "PushQueued") this.#targets.set(event.pushId, event.target)
    this.events.push(event)
  }

  /** The image that an event is about, or the registry. */
  subjectOf(event: PushEvent): string {
    if ("pushId" in event) return this.#targets.get(event.pushId) ?? event.pushId
    return "registry" in event ? event.registry : ""
  }

  matches<Pattern extends EventPattern>(pattern: Pattern): (event: PushEvent) => event is EventOf<Pattern> {
    const [tag, subject] = pattern.split(" ", 2)
    const subjects = subject === undefined ? undefined : [subject, canonicalName(subject)]
    return (event): event is EventOf<Pattern> =>
      event._tag === tag && (subjects === undefined || subjects.includes(this.subjectOf(event)))
  }

  /** Every image that a push was submitted for. */
  targets(): ReadonlyArray<string> {
    return [...new Set(this.#targets.values())]
  }

  ofTarget(target: string): ReadonlyArray<PushEvent> {
    return this.events.filter((event) => "pushId" in event && this.subjectOf(event) === target)
  }

  /** A line for each event with its time since the first one; without progress, which is many and says little. */
  lines(events: ReadonlyArray<PushEvent>): ReadonlyArray<string> {
    const told = events.filter(({ _tag }) => _tag !== "LayerProgress")
    const start = this.events[0]?.at.epochMillis ?? 0
    const times = told.map(({ at }) => `+${Duration.format(at.epochMillis - start)}`)
    const width = Math.max(0, ...times.map(({ length }) => length))
    const lines = told.map((event, index) => {
      const detail = detailOf(event)
      const words = `  ${times[index]?.padEnd(width)}  ${event._tag} ${this.subjectOf(event)}`.trimEnd()
      return detail === "" ? words : `${words} (${detail})`
    })
    const left = lines.length - MAXIMUM_LINES
    return left > 0 ? [`  ... ${left} before these`, ...lines.slice(-MAXIMUM_LINES)] : lines
  }
}
