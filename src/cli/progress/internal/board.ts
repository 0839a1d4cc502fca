/**
 * What is known of a run's pushes at a moment: a fold of their events.
 */
import * as DateTime from "effect/DateTime"
import * as Duration from "effect/Duration"
import * as HashMap from "effect/HashMap"
import * as Option from "effect/Option"
import { isTerminal, type PushEvent, type PushId, type TerminalEvent } from "../../../push/PushEvent.ts"
import { oneLine } from "../../internal/text.ts"
import { withoutAdvice } from "../../output/problem.ts"
import * as Transfer from "./transfer.ts"

/** A wait, until an instant in milliseconds. */
export interface Wait {
  readonly until: number
  readonly because: string
}

/** A push that has had its turn. */
export interface Running {
  readonly target: string
  /** Counts those that have had their turn: a line keeps its place among the others. */
  readonly order: number
  readonly transfer: Transfer.Transfer
  /** Before another attempt. */
  readonly wait: Option.Option<Wait>
}

/** A push that has ended. */
export interface Ended {
  readonly target: string
  readonly event: TerminalEvent
}

export interface Board {
  readonly startedAt: Option.Option<number>
  readonly queued: HashMap.HashMap<PushId, string>
  readonly running: HashMap.HashMap<PushId, Running>
  readonly started: number
  readonly counts: { readonly done: number; readonly failed: number; readonly cancelled: number }
  /** Compressed, from the manifests of what was pushed. */
  readonly bytesSent: number
  /** Registries that asked for a pause. */
  readonly pauses: HashMap.HashMap<string, number>
  /** Those that ended since `forgetEnded`. */
  readonly ended: ReadonlyArray<Ended>
}

export const empty: Board = {
  startedAt: Option.none(),
  queued: HashMap.empty(),
  running: HashMap.empty(),
  started: 0,
  counts: { done: 0, failed: 0, cancelled: 0 },
  bytesSent: 0,
  pauses: HashMap.empty(),
  ended: []
}

export const forgetEnded = (board: Board): Board => ({ ...board, ended: [] })

const millisOf = DateTime.toEpochMillis

const after = (at: DateTime.Utc, delay: Duration.Duration): number => millisOf(at) + Duration.toMillis(delay)

/** The board after an event. */
export const step = (board: Board, event: PushEvent): Board => {
  switch (event._tag) {
    case "PushQueued":
      return {
        ...board,
        startedAt: Option.orElseSome(board.startedAt, () => millisOf(event.at)),
        queued: HashMap.set(board.queued, event.pushId, oneLine(event.target))
      }
    case "RegistryPaused":
      return { ...board, pauses: HashMap.set(board.pauses, oneLine(event.registry), after(event.at, event.delay)) }
    case "RegistryResumed":
      return { ...board, pauses: HashMap.remove(board.pauses, oneLine(event.registry)) }
    case "PushStarted":
      return start(board, event.pushId)
    case "RuntimeDrained":
    case "Reauthenticated":
      return board
    case "PushRetrying":
      return change(board, event.pushId, (running) => ({
        ...running,
        transfer: Transfer.begin,
        wait: Option.some({ until: after(event.at, event.delay), because: withoutAdvice(event.error) })
      }))
    case "LayerProgress":
    case "LayerPushed":
      return change(board, event.pushId, (running) => ({
        ...running,
        transfer: Transfer.step(running.transfer, event, millisOf(event.at)),
        wait: Option.none()
      }))
    default:
      return isTerminal(event) ? end(board, event) : board
  }
}

const start = (board: Board, id: PushId): Board =>
  Option.match(HashMap.get(board.queued, id), {
    onNone: () => board,
    onSome: (target) => ({
      ...board,
      queued: HashMap.remove(board.queued, id),
      running: HashMap.set(board.running, id, {
        target,
        order: board.started,
        transfer: Transfer.begin,
        wait: Option.none()
      }),
      started: board.started + 1
    })
  })

const change = (board: Board, id: PushId, f: (running: Running) => Running): Board =>
  HashMap.has(board.running, id) ? { ...board, running: HashMap.modify(board.running, id, f) } : board

const end = (board: Board, event: TerminalEvent): Board => {
  const id = event.pushId
  const target = Option.orElse(HashMap.get(board.queued, id), () =>
    Option.map(HashMap.get(board.running, id), ({ target }) => target)
  )
  if (Option.isNone(target)) return board
  const { cancelled, done, failed } = board.counts
  return {
    ...board,
    queued: HashMap.remove(board.queued, id),
    running: HashMap.remove(board.running, id),
    counts: {
      done: done + (event._tag === "PushCompleted" ? 1 : 0),
      failed: failed + (event._tag === "PushFailed" || event._tag === "PushCrashed" ? 1 : 0),
      cancelled: cancelled + (event._tag === "PushCancelled" ? 1 : 0)
    },
    bytesSent: board.bytesSent + (event._tag === "PushCompleted" ? (event.image.bytesUploaded ?? 0) : 0),
    // Of what never had its turn there is nothing to say but how many.
    ended: HashMap.has(board.running, id) ? [...board.ended, { target: target.value, event }] : board.ended
  }
}
