/**
 * When an attempt last made progress. A byte count that grows and a layer's first outcome are progress; engines repeat
 * lines, and count down to their own retries, without any (reference/engine.md).
 */
import type * as Clock from "effect/Clock"
import type { AttemptEvent } from "../../push/PushEvent.ts"

export interface ProgressWatch {
  readonly see: (event: AttemptEvent) => void
  /** In milliseconds of the Clock. */
  readonly movedAt: () => number
}

export const make = (clock: Clock.Clock): ProgressWatch => {
  const bytes = new Map<string, number>()
  const outcomes = new Set<string>()
  let movedAt = clock.unsafeCurrentTimeMillis()

  const isProgress = (event: AttemptEvent): boolean => {
    switch (event._tag) {
      case "LayerProgress": {
        // An engine that sends a layer again begins at zero, so a count is compared with the one before it.
        const grew = event.current > (bytes.get(event.layer) ?? 0)
        bytes.set(event.layer, event.current)
        return grew
      }
      case "LayerPushed": {
        const first = !outcomes.has(event.layer)
        outcomes.add(event.layer)
        return first
      }
      case "Reauthenticated":
        return false
    }
  }

  return {
    see: (event) => {
      if (isProgress(event)) {
        movedAt = clock.unsafeCurrentTimeMillis()
      }
    },
    movedAt: () => movedAt
  }
}
