import * as DateTime from "effect/DateTime"
import * as Duration from "effect/Duration"
import * as HashMap from "effect/HashMap"
import * as Option from "effect/Option"
import { isTerminal, type PushEvent, type PushId, type TerminalEvent } from "../../push/PushEvent.ts"
import { oneLine, readableDuration } from "../internal/text.ts"
import { withoutAdvice } from "../output/problem.ts"
import { defect, type Report, summary } from "../Report.ts"
import type { ProgressRenderer } from "./ProgressRenderer.ts"

const quietMillis = 10_000

/** A push under way: its layers, and when it was last heard of. */
interface Running {
  readonly target: string
  readonly done: number
  /** Layers on their way, by id: how much of them has gone, in percent, when their size is known. */
  readonly moving: HashMap.HashMap<string, Option.Option<number>>
  readonly lastLineAt: DateTime.Utc
}

type State = HashMap.HashMap<PushId, Running>

type Step = readonly [State, ReadonlyArray<string>]

/** `--progress plain`: a line when something happens, and at most one progress line in 10 s for each push. */
export const plain: ProgressRenderer<State> = {
  initial: HashMap.empty(),
  step: (state, event) => {
    switch (event._tag) {
      case "PushQueued":
        return [
          HashMap.set(state, event.pushId, {
            target: oneLine(event.target),
            done: 0,
            moving: HashMap.empty(),
            lastLineAt: event.at
          }),
          []
        ]
      case "RegistryPaused":
        return [state, [`${oneLine(event.registry)}: asked for a pause, going on in ${duration(event.delay)}`]]
      case "RegistryResumed":
        return [state, [`${oneLine(event.registry)}: going on`]]
      case "RuntimeDrained":
        return [state, []]
      default:
        return Option.match(HashMap.get(state, event.pushId), {
          onNone: () => [state, []],
          onSome: (running) => stepPush(state, running, event)
        })
    }
  },
  end: (report) => [
    ...foreseenFailures(report),
    ...(report.total > 1 ? [`${summary(report)} in ${readableDuration(report.durationMs)}`] : [])
  ]
}

type OwnEvent = Exclude<
  PushEvent,
  { readonly _tag: "PushQueued" | "RegistryPaused" | "RegistryResumed" | "RuntimeDrained" }
>

const stepPush = (state: State, running: Running, event: OwnEvent): Step => {
  if (isTerminal(event)) return [HashMap.remove(state, event.pushId), [`${running.target}: ${ending(event)}`]]
  const say = (text: string, next: Running = running): Step => [
    HashMap.set(state, event.pushId, { ...next, lastLineAt: event.at }),
    [`${running.target}: ${text}`]
  ]
  switch (event._tag) {
    case "PushStarted":
      return say("started")
    case "PushRetrying":
      return say(`retrying in ${duration(event.delay)} because ${withoutAdvice(event.error)}`, {
        ...running,
        done: 0,
        moving: HashMap.empty()
      })
    case "Reauthenticated":
      return say(`logged in again at ${oneLine(event.registry)} with ${oneLine(event.origin)}`)
    case "LayerProgress":
    case "LayerPushed": {
      const next = isAwaited(event) ? running : afterLayer(running, event)
      const quiet = Duration.toMillis(DateTime.distanceDuration(running.lastLineAt, event.at))
      return quiet < quietMillis ? [HashMap.set(state, event.pushId, next), []] : say(progress(next), next)
    }
  }
}

type LayerEvent = Extract<OwnEvent, { readonly _tag: "LayerProgress" | "LayerPushed" }>

/** Nothing of it has gone, nor is its size known: it waits for its turn. */
const isAwaited = (event: LayerEvent): boolean =>
  event._tag === "LayerProgress" && event.current === 0 && event.total === undefined

const afterLayer = (running: Running, event: LayerEvent): Running =>
  event._tag === "LayerPushed"
    ? { ...running, done: running.done + 1, moving: HashMap.remove(running.moving, event.layer) }
    : { ...running, moving: HashMap.set(running.moving, event.layer, percentOf(event)) }

/** An engine's counter may pass its own total. */
const percentOf = (event: { readonly current: number; readonly total?: number | undefined }): Option.Option<number> =>
  event.total === undefined || event.total <= 0
    ? Option.none()
    : Option.some(Math.min(100, Math.floor((100 * event.current) / event.total)))

const mostLayers = 3

const progress = ({ done, moving }: Running): string => {
  const layers = HashMap.toEntries(moving)
  const named = layers
    .slice(0, mostLayers)
    .map(([layer, percent]) =>
      Option.match(percent, { onNone: () => oneLine(layer), onSome: (value) => `${oneLine(layer)} ${value} %` })
    )
  const more = layers.length > mostLayers ? [`${layers.length - mostLayers} more`] : []
  const counted = `${done} ${done === 1 ? "layer" : "layers"} done`
  return [counted, ...named, ...more].join(", ")
}

/** How a push ended. */
export const ending = (event: TerminalEvent): string => {
  switch (event._tag) {
    case "PushCompleted":
      return `${event.image.status} ${event.image.digest} in ${duration(event.image.duration)}`
    case "PushFailed":
      return `failed: ${oneLine(event.error.message)}`
    case "PushCrashed":
      return `failed: ${oneLine(defect(event.defect).message)}`
    case "PushCancelled":
      return `cancelled (${event.reason})`
  }
}

const duration = (length: Duration.Duration): string => readableDuration(Duration.toMillis(length))

/** Why a dry run foresees failures: no event has said so. */
export const foreseenFailures = ({ results }: Report): ReadonlyArray<string> =>
  results.flatMap(({ error, status, target }) =>
    status === "would-fail" && error !== undefined ? [`${oneLine(target)}: would fail: ${oneLine(error.message)}`] : []
  )
