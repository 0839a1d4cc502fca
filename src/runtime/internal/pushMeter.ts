/**
 * The metrics, folded from a supervisor's events: what is told is what is counted.
 */
import * as Duration from "effect/Duration"
import * as MetricLabel from "effect/MetricLabel"
import { isTerminal, type PushEvent, type PushId, type TerminalEvent } from "../../push/PushEvent.ts"
import type { PushedImage } from "../../push/PushedImage.ts"
import * as PushMetrics from "../PushMetrics.ts"
import * as Attributes from "./attributes.ts"

interface Counted {
  readonly registry: string
  status: "queued" | "running"
}

/** Counts each event. `labels` stand on everything that is counted. */
export const make = (labels: ReadonlyArray<MetricLabel.MetricLabel>): ((event: PushEvent) => void) => {
  const counted = new Map<PushId, Counted>()
  const paused = new Set<string>()

  /** One array for the same labels: a metric knows what it counts by that, and looks it up for any other. */
  const labelling = (ownLabel?: string) => {
    const known = new Map<string, ReadonlyArray<MetricLabel.MetricLabel>>()
    return (registry: string, value = "") => {
      const key = `${registry} ${value}`
      const found = known.get(key) ?? [
        MetricLabel.make(Attributes.REGISTRY, registry),
        ...(ownLabel === undefined ? [] : [MetricLabel.make(ownLabel, value)]),
        ...labels
      ]
      known.set(key, found)
      return found
    }
  }

  const byRegistry = labelling()
  const byOutcome = labelling(Attributes.OUTCOME)
  const byStatus = labelling(Attributes.STATUS)
  const byLayerOutcome = labelling(Attributes.LAYER_OUTCOME)
  const byError = labelling(Attributes.ERROR_TYPE)
  const bySource = labelling(Attributes.PAUSE_SOURCE)

  const enter = (id: PushId, push: Counted) => {
    counted.set(id, push)
    // Not set: another supervisor may have pushes for the registry too.
    PushMetrics.pushesInFlight.unsafeModify(1, byStatus(push.registry, push.status))
  }

  const leave = (push: Counted) => PushMetrics.pushesInFlight.unsafeModify(-1, byStatus(push.registry, push.status))

  const countBytes = (registry: string, image: PushedImage) => {
    const bytes = { uploaded: image.bytesUploaded, mounted: image.bytesMounted, existing: image.bytesExisting }
    for (const [outcome, count] of Object.entries(bytes)) {
      if (count !== undefined) PushMetrics.pushBytes.unsafeUpdate(count, byLayerOutcome(registry, outcome))
    }
  }

  const end = (event: TerminalEvent, push: Counted) => {
    counted.delete(event.pushId)
    leave(push)
    const outcome = byOutcome(push.registry, Attributes.outcomeOf(event))
    PushMetrics.pushes.unsafeUpdate(1, outcome)
    if (push.status === "running") {
      const length = event._tag === "PushCompleted" ? event.image.duration : event.duration
      PushMetrics.pushDuration.unsafeUpdate(Duration.toSeconds(length), outcome)
    }
    if (event._tag === "PushCompleted") countBytes(push.registry, event.image)
  }

  const resume = (registry: string) => {
    if (paused.delete(registry)) PushMetrics.registryPaused.unsafeModify(-1, byRegistry(registry))
  }

  return (event) => {
    switch (event._tag) {
      case "LayerProgress":
      case "LayerPushed":
        return
      case "PushQueued":
        return enter(event.pushId, { registry: event.registry, status: "queued" })
      case "RegistryPaused": {
        if (paused.has(event.registry)) return
        paused.add(event.registry)
        PushMetrics.registryPauses.unsafeUpdate(1, bySource(event.registry, event.source))
        return PushMetrics.registryPaused.unsafeModify(1, byRegistry(event.registry))
      }
      case "RegistryResumed":
        return resume(event.registry)
      case "RuntimeDrained":
        return paused.forEach(resume)
      case "Reauthenticated":
        return PushMetrics.reauthentications.unsafeUpdate(1, byRegistry(event.registry))
    }
    const push = counted.get(event.pushId)
    if (push === undefined) return
    if (isTerminal(event)) return end(event, push)
    if (event._tag === "PushRetrying") {
      return PushMetrics.pushRetries.unsafeUpdate(1, byError(push.registry, event.error._tag))
    }
    leave(push)
    enter(event.pushId, { ...push, status: "running" })
  }
}
