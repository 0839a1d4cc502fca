/**
 * How far one attempt of a push is, by the engine's counters: uncompressed bytes, which pass their total, fall back when
 * an engine sends a layer again, and come for some layers only.
 */
import * as HashMap from "effect/HashMap"
import * as Option from "effect/Option"
import type { PushEvent } from "../../../push/PushEvent.ts"

export type LayerEvent = Extract<PushEvent, { readonly _tag: "LayerProgress" | "LayerPushed" }>

interface Layer {
  readonly isDone: boolean
  /** Never more than `total`. */
  readonly moved: number
  /** Zero for what the registry had already. */
  readonly total: Option.Option<number>
}

interface Sample {
  readonly at: number
  readonly moved: number
}

export interface Transfer {
  readonly layers: HashMap.HashMap<string, Layer>
  /** From 0 to 0.99, and never less than it was: sizes become known one by one. */
  readonly share: number
  readonly samples: ReadonlyArray<Sample>
}

export const begin: Transfer = { layers: HashMap.empty(), share: 0, samples: [] }

/** How much is known of an attempt's layers. */
export interface Progress {
  readonly layersDone: number
  readonly layersKnown: number
  readonly moved: number
  /** An estimate: a layer whose size is unknown counts as the mean of the others. None while no size is known. */
  readonly total: Option.Option<number>
}

export const progressOf = ({ layers }: Transfer): Progress => {
  const all = HashMap.toValues(layers)
  const sizes = all.flatMap(({ total }) => Option.toArray(total)).filter((size) => size > 0)
  const unknown = all.filter(({ isDone, total }) => !isDone && Option.isNone(total)).length
  const sum = sizes.reduce((left, right) => left + right, 0)
  return {
    layersDone: all.filter(({ isDone }) => isDone).length,
    layersKnown: all.length,
    moved: all.reduce((left, { moved }) => left + moved, 0),
    total: sizes.length === 0 ? Option.none() : Option.some(sum + (unknown * sum) / sizes.length)
  }
}

/** All that is known of is in the registry; what is missing is the manifest. */
export const isFinishing = ({ layersDone, layersKnown }: Progress): boolean =>
  layersKnown > 0 && layersDone === layersKnown

const almost = 0.99

const measured = ({ layersDone, layersKnown, moved, total }: Progress): number =>
  Option.match(total, { onNone: () => layersDone / Math.max(1, layersKnown), onSome: (bytes) => moved / bytes })

const windowMillis = 5000
const sampleMillis = 500

/** Samples of the window, the newest last, and the one before the window that it begins with. */
const sampled = (samples: ReadonlyArray<Sample>, sample: Sample): ReadonlyArray<Sample> => {
  const last = samples.at(-1)
  if (last !== undefined && sample.at - last.at < sampleMillis) return samples
  const begin = samples.findLastIndex(({ at }) => at <= sample.at - windowMillis)
  return [...samples.slice(Math.max(0, begin)), sample]
}

export const step = (transfer: Transfer, event: LayerEvent, at: number): Transfer => {
  const known = HashMap.get(transfer.layers, event.layer)
  const layers = HashMap.set(transfer.layers, event.layer, layerAfter(known, event))
  const progress = progressOf({ ...transfer, layers })
  return {
    layers,
    share: Math.max(transfer.share, Math.min(almost, measured(progress))),
    samples: progress.moved === 0 ? transfer.samples : sampled(transfer.samples, { at, moved: progress.moved })
  }
}

const layerAfter = (known: Option.Option<Layer>, event: LayerEvent): Layer => {
  const sizeBefore = Option.flatMap(known, ({ total }) => total)
  if (event._tag === "LayerPushed") {
    const total = event.outcome === "uploaded" ? sizeBefore : Option.some(0)
    return { isDone: true, moved: Option.getOrElse(total, () => 0), total }
  }
  const total = Option.orElse(
    Option.filter(Option.fromNullable(event.total), (size) => size > 0),
    () => sizeBefore
  )
  const moved = Option.match(total, { onNone: () => 0, onSome: (size) => Math.min(size, Math.max(0, event.current)) })
  return { isDone: false, moved, total }
}

export interface Pace {
  readonly bytesPerSecond: number
  readonly remainingMillis: Option.Option<number>
}

/** The rate of the last seconds, and how long the rest takes at that rate; none without enough to say so. */
export const paceOf = (transfer: Transfer, now: number): Option.Option<Pace> => {
  const { moved, total } = progressOf(transfer)
  const first = transfer.samples[0]
  const last = transfer.samples.at(-1)
  if (first === undefined || last === undefined || now - last.at > windowMillis) return Option.none()
  if (last.at - first.at < 2 * sampleMillis || last.moved <= first.moved) return Option.none()
  const bytesPerSecond = (1000 * (last.moved - first.moved)) / (last.at - first.at)
  return Option.some({
    bytesPerSecond,
    remainingMillis: Option.map(total, (bytes) => (1000 * Math.max(0, bytes - moved)) / bytesPerSecond)
  })
}
