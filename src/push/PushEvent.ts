/**
 * What happens to a push, in the order it happens. Every event is a Schema, so it can cross a wire as JSON.
 *
 * @since 0.1.0
 */
import type * as Effect from "effect/Effect"
import type * as ParseResult from "effect/ParseResult"
import * as Schema from "effect/Schema"
import { ErrorReport, PushInterrupted } from "./PushError.ts"
import { PushedImage } from "./PushedImage.ts"

/**
 * The name of a push inside its runtime.
 *
 * @since 0.1.0
 * @category models
 */
export const PushId = Schema.String.pipe(Schema.brand("gantry/PushId"))

/**
 * @since 0.1.0
 * @category models
 */
export type PushId = typeof PushId.Type

/**
 * Bytes of one layer on their way. `current` and `total` are the engine's own counters: uncompressed, and `current` may
 * pass `total`. They are fit for a bar and never for a sum.
 *
 * @since 0.1.0
 * @category attempt events
 */
export const LayerProgress = Schema.TaggedStruct("LayerProgress", {
  layer: Schema.String,
  current: Schema.Number,
  total: Schema.optional(Schema.Number)
})

/**
 * A layer is in the registry: sent, found there, or mounted from another repository.
 *
 * @since 0.1.0
 * @category attempt events
 */
export const LayerPushed = Schema.TaggedStruct("LayerPushed", {
  layer: Schema.String,
  outcome: Schema.Literal("uploaded", "existing", "mounted"),
  mountedFrom: Schema.optional(Schema.String)
})

/**
 * The credential was refused or had expired, and another one was issued.
 *
 * @since 0.1.0
 * @category attempt events
 */
export const Reauthenticated = Schema.TaggedStruct("Reauthenticated", {
  registry: Schema.String,
  origin: Schema.String
})

/**
 * What one attempt reports; the supervisor adds which push it was and when.
 *
 * @since 0.1.0
 * @category attempt events
 */
export const AttemptEvent = Schema.Union(LayerProgress, LayerPushed, Reauthenticated)

/**
 * @since 0.1.0
 * @category attempt events
 */
export type AttemptEvent = typeof AttemptEvent.Type

const at = { at: Schema.DateTimeUtc }
const ofPush = { pushId: PushId, ...at }

/**
 * A push was accepted and waits for its turn. Always a push's first event.
 *
 * @since 0.1.0
 * @category events
 */
export const PushQueued = Schema.TaggedStruct("PushQueued", {
  ...ofPush,
  source: Schema.String,
  target: Schema.String,
  platform: Schema.optional(Schema.String),
  registry: Schema.String
})

/**
 * A push got its turn: its first attempt begins.
 *
 * @since 0.1.0
 * @category events
 */
export const PushStarted = Schema.TaggedStruct("PushStarted", ofPush)

/**
 * An attempt failed and another one follows after `delay` (milliseconds). `attempt` is the number of the one that follows.
 *
 * @since 0.1.0
 * @category events
 */
export const PushRetrying = Schema.TaggedStruct("PushRetrying", {
  ...ofPush,
  attempt: Schema.Int,
  delay: Schema.DurationFromMillis,
  error: ErrorReport
})

/**
 * The image is in the registry. A terminal event.
 *
 * @since 0.1.0
 * @category events
 */
export const PushCompleted = Schema.TaggedStruct("PushCompleted", { ...ofPush, image: PushedImage })

const ended = { attempts: Schema.NonNegativeInt, duration: Schema.DurationFromMillis }

/**
 * The push failed for good. A terminal event.
 *
 * @since 0.1.0
 * @category events
 */
export const PushFailed = Schema.TaggedStruct("PushFailed", { ...ofPush, ...ended, error: ErrorReport })

/**
 * The push met a defect of gantry or of a user's hook. A terminal event; `defect` is what a bug report needs.
 *
 * @since 0.1.0
 * @category events
 */
export const PushCrashed = Schema.TaggedStruct("PushCrashed", { ...ofPush, ...ended, defect: Schema.String })

/**
 * The push was stopped before it ended. A terminal event.
 *
 * @since 0.1.0
 * @category events
 */
export const PushCancelled = Schema.TaggedStruct("PushCancelled", {
  ...ofPush,
  ...ended,
  reason: PushInterrupted.fields.reason
})

/**
 * A registry asked for fewer requests: no push to it starts for `delay` (milliseconds).
 *
 * @since 0.1.0
 * @category events
 */
export const RegistryPaused = Schema.TaggedStruct("RegistryPaused", {
  ...at,
  registry: Schema.String,
  delay: Schema.DurationFromMillis,
  source: Schema.Literal("retry-after", "estimate")
})

/**
 * Pushes to a paused registry start again.
 *
 * @since 0.1.0
 * @category events
 */
export const RegistryResumed = Schema.TaggedStruct("RegistryResumed", { ...at, registry: Schema.String })

/**
 * The runtime has ended: every push it accepted has had its terminal event, and no event follows.
 *
 * @since 0.1.0
 * @category events
 */
export const RuntimeDrained = Schema.TaggedStruct("RuntimeDrained", at)

/**
 * Everything that can happen.
 *
 * @since 0.1.0
 * @category events
 */
export const PushEvent = Schema.Union(
  PushQueued,
  PushStarted,
  LayerProgress.pipe(Schema.extend(Schema.Struct(ofPush))),
  LayerPushed.pipe(Schema.extend(Schema.Struct(ofPush))),
  Reauthenticated.pipe(Schema.extend(Schema.Struct(ofPush))),
  PushRetrying,
  PushCompleted,
  PushFailed,
  PushCrashed,
  PushCancelled,
  RegistryPaused,
  RegistryResumed,
  RuntimeDrained
).annotations({ identifier: "PushEvent" })

/**
 * @since 0.1.0
 * @category events
 */
export type PushEvent = typeof PushEvent.Type

/**
 * An event as JSON's value: instants are RFC 3339, references and digests are text.
 *
 * @since 0.1.0
 * @category conversions
 */
export const encode = (event: PushEvent): Effect.Effect<typeof PushEvent.Encoded, ParseResult.ParseError> =>
  Schema.encode(PushEvent)(event)

/**
 * A push's last event.
 *
 * @since 0.1.0
 * @category events
 */
export type TerminalEvent = Extract<
  PushEvent,
  { readonly _tag: "PushCompleted" | "PushFailed" | "PushCrashed" | "PushCancelled" }
>

/**
 * Whether an event is its push's last.
 *
 * @since 0.1.0
 * @category guards
 */
export const isTerminal = (event: PushEvent): event is TerminalEvent =>
  event._tag === "PushCompleted" ||
  event._tag === "PushFailed" ||
  event._tag === "PushCrashed" ||
  event._tag === "PushCancelled"
