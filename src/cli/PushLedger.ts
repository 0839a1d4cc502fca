/**
 * What is known of each planned push so far: a fold of the run's events, complete at any moment, so that a report can be
 * written after a failure, a defect or a signal too.
 */
import * as DateTime from "effect/DateTime"
import * as Duration from "effect/Duration"
import * as HashMap from "effect/HashMap"
import * as Option from "effect/Option"
import * as Record from "effect/Record"
import type { PushEvent, PushId, TerminalEvent } from "../push/PushEvent.ts"
import type { PushedImage } from "../push/PushedImage.ts"
import type { PushRequest } from "../push/PushRequest.ts"
import { defect, type Result } from "./Report.ts"

/** A push that was queued: how many attempts have begun, since when it runs, how it ended. */
interface Entry {
  readonly attempts: number
  readonly startedAt: Option.Option<DateTime.Utc>
  readonly end: Option.Option<TerminalEvent>
}

export interface PushLedger {
  readonly plan: ReadonlyArray<PushRequest>
  readonly entries: HashMap.HashMap<PushId, Entry>
  /** The id under which the runtime took a planned push. */
  readonly ids: HashMap.HashMap<string, PushId>
}

type Identity = { readonly source: string; readonly target: string; readonly platform?: string | undefined }

const key = ({ platform, source, target }: Identity): string => JSON.stringify([source, target, platform ?? null])

const identity = (request: PushRequest): Identity => ({
  source: String(request.source),
  target: String(request.target),
  platform: Option.getOrUndefined(request.platform)
})

export const open = (plan: ReadonlyArray<PushRequest>): PushLedger => ({
  plan,
  entries: HashMap.empty(),
  ids: HashMap.empty()
})

const modify = (ledger: PushLedger, id: PushId, change: (entry: Entry) => Entry): PushLedger => ({
  ...ledger,
  entries: HashMap.modify(ledger.entries, id, change)
})

/** The ledger after one more event. Events of pushes that are not planned, and events out of turn, change nothing. */
export const record = (ledger: PushLedger, event: PushEvent): PushLedger => {
  switch (event._tag) {
    case "PushQueued":
      return {
        ...ledger,
        ids: HashMap.set(ledger.ids, key(event), event.pushId),
        entries: HashMap.set(ledger.entries, event.pushId, {
          attempts: 0,
          startedAt: Option.none(),
          end: Option.none()
        })
      }
    case "PushStarted":
      return modify(ledger, event.pushId, (entry) => ({ ...entry, attempts: 1, startedAt: Option.some(event.at) }))
    case "PushRetrying":
      return modify(ledger, event.pushId, (entry) => ({ ...entry, attempts: event.attempt }))
    case "PushCompleted":
    case "PushFailed":
    case "PushCrashed":
    case "PushCancelled":
      return modify(ledger, event.pushId, (entry) =>
        Option.isSome(entry.end) ? entry : { ...entry, end: Option.some(event) }
      )
    default:
      return ledger
  }
}

/** The results in the plan's order. What has not ended `at` that moment is cancelled. */
export const results = (ledger: PushLedger, at: DateTime.Utc): ReadonlyArray<Result> =>
  ledger.plan.map((request) => {
    const { source, target, platform } = identity(request)
    const entry = Option.flatMap(HashMap.get(ledger.ids, key({ source, target, platform })), (id) =>
      HashMap.get(ledger.entries, id)
    )
    return { source, target, ...Option.match(entry, { onNone: () => neverRun, onSome: (it) => outcome(it, at) }) }
  })

type Outcome = Omit<Result, "source" | "target">

const neverRun: Outcome = { status: "cancelled", attempts: 0, durationMs: 0 }

const outcome = (entry: Entry, at: DateTime.Utc): Outcome =>
  Option.match(entry.end, {
    onNone: () => ({ status: "cancelled", attempts: entry.attempts, durationMs: since(entry.startedAt, at) }),
    onSome: (end) => ended(end)
  })

const ended = (end: TerminalEvent): Outcome => {
  switch (end._tag) {
    case "PushCompleted":
      return completed(end.image)
    case "PushFailed":
      return { status: "failed", ...effort(end), error: end.error }
    case "PushCrashed":
      return { status: "failed", ...effort(end), error: defect(end.defect) }
    case "PushCancelled":
      return { status: "cancelled", ...effort(end) }
  }
}

const effort = (end: { readonly attempts: number; readonly duration: Duration.Duration }) => ({
  attempts: end.attempts,
  durationMs: Duration.toMillis(end.duration)
})

const completed = (image: PushedImage): Outcome => {
  const { bytesExisting, bytesMounted, bytesUploaded } = image
  const bytes = Record.filter({ bytesUploaded, bytesMounted, bytesExisting }, (count) => count !== undefined)
  return {
    status: image.status,
    digest: String(image.digest),
    repoDigest: image.repoDigest,
    ...bytes,
    ...effort(image)
  }
}

const since = (startedAt: Option.Option<DateTime.Utc>, at: DateTime.Utc): number =>
  Option.match(startedAt, {
    onNone: () => 0,
    onSome: (start) => Duration.toMillis(DateTime.distanceDuration(start, at))
  })
