/**
 * What spans, logs and metrics call the same things. Registry hosts are few, so metrics have them; repositories, tags and
 * pushes are many, so only spans and logs do.
 */
import * as Option from "effect/Option"
import type { TerminalEvent } from "../../push/PushEvent.ts"
import type { PushRequest } from "../../push/PushRequest.ts"
import * as ImageReference from "../../reference/ImageReference.ts"

export const REGISTRY = "gantry.registry"
export const PUSH_ID = "gantry.push.id"
export const ATTEMPT = "gantry.push.attempt"
export const ATTEMPTS = "gantry.push.attempts"
export const STATUS = "gantry.push.status"
export const OUTCOME = "gantry.push.outcome"
export const DELAY = "gantry.push.delay_ms"
export const LAYER_OUTCOME = "gantry.layer.outcome"
export const PAUSE_SOURCE = "gantry.pause.source"
export const DIGEST = "gantry.image.digest"
/** https://opentelemetry.io/docs/specs/semconv/registry/attributes/error/ */
export const ERROR_TYPE = "error.type"

/** What was asked for. */
export const ofRequest = ({ platform, source, target }: PushRequest): Readonly<Record<string, string>> => ({
  [REGISTRY]: target.registry,
  "gantry.image.repository": target.repository,
  "gantry.image.tag": Option.getOrElse(ImageReference.withDefaultTag(target).tag, () => ""),
  "gantry.image.source": String(source),
  ...(Option.isSome(platform) ? { "gantry.image.platform": platform.value } : {})
})

/** What became of a push, in one word. */
export const outcomeOf = (event: TerminalEvent) => {
  switch (event._tag) {
    case "PushCompleted":
      return event.image.status
    case "PushFailed":
      return "failed"
    case "PushCancelled":
      return "cancelled"
    case "PushCrashed":
      return "crashed"
  }
}
