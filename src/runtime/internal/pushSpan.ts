/**
 * The span of a supervised push, from its submission to its end; its attempts are children.
 *
 * Only words go on it, never an error or a defect: what a tracer prints of those is the tracer's.
 */
import type * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as DefaultServices from "effect/DefaultServices"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as FiberId from "effect/FiberId"
import * as FiberRef from "effect/FiberRef"
import * as Option from "effect/Option"
import * as Tracer from "effect/Tracer"
import type { PushEvent, PushId, TerminalEvent } from "../../push/PushEvent.ts"
import type { PushRequest } from "../../push/PushRequest.ts"
import * as Attributes from "./attributes.ts"

export interface PushTracer {
  /** A push is the child of what first submitted it. Nothing when nobody traces. */
  readonly begin: (id: PushId, request: PushRequest, submitter: Tracer.AnySpan | undefined) => Tracer.Span | undefined
  /** What else waits for the push is linked to it. */
  readonly join: (span: Tracer.Span, submitter: Tracer.AnySpan) => void
  readonly note: (span: Tracer.Span, event: PushEvent) => void
  readonly end: (span: Tracer.Span, event: TerminalEvent, attempts: number) => void
}

/** Whose spans nobody reads. */
const nobody = Context.get(DefaultServices.liveServices, Tracer.Tracer)

/** The tracer of the fiber that asks. */
export const make = (clock: Clock.Clock): Effect.Effect<PushTracer> =>
  Effect.zipWith(Effect.tracer, FiberRef.get(FiberRef.currentTracerEnabled), (tracer, isEnabled) => {
    const isRead = isEnabled && tracer !== nobody
    const now = () => clock.unsafeCurrentTimeNanos()
    return {
      begin: (id, request, submitter) => {
        if (!isRead) return undefined
        const parent = Option.filter(Option.fromNullable(submitter), isTraced)
        const span = tracer.span("PushSupervisor.supervise", parent, Context.empty(), [], now(), "internal")
        span.attribute(Attributes.PUSH_ID, id)
        for (const [name, value] of Object.entries(Attributes.ofRequest(request))) span.attribute(name, value)
        return span
      },
      join: (span, submitter) => {
        if (isTraced(submitter)) span.addLinks([{ _tag: "SpanLink", span: submitter, attributes: {} }])
      },
      note: (span, event) => {
        const attributes = noteOf(event)
        if (attributes !== undefined) span.event(event._tag, now(), attributes)
      },
      end: (span, event, attempts) => {
        span.attribute(Attributes.ATTEMPTS, attempts)
        span.attribute(Attributes.OUTCOME, Attributes.outcomeOf(event))
        if (event._tag === "PushCompleted") span.attribute(Attributes.DIGEST, String(event.image.digest))
        if (event._tag === "PushFailed") span.attribute(Attributes.ERROR_TYPE, event.error._tag)
        if (event._tag === "PushCrashed") span.attribute(Attributes.ERROR_TYPE, event._tag)
        span.end(now(), exitOf(event))
      }
    } satisfies PushTracer
  })

const isTraced = (span: Tracer.AnySpan): boolean => !Context.get(span.context, Tracer.DisablePropagation)

const noteOf = (event: PushEvent): Record<string, unknown> | undefined => {
  switch (event._tag) {
    case "PushStarted":
    case "Reauthenticated":
      return {}
    case "PushRetrying":
      return {
        [Attributes.ATTEMPT]: event.attempt,
        [Attributes.DELAY]: Duration.toMillis(event.delay),
        [Attributes.ERROR_TYPE]: event.error._tag
      }
    default:
      return undefined
  }
}

const exitOf = (event: TerminalEvent): Exit.Exit<void, string> => {
  switch (event._tag) {
    case "PushCompleted":
      return Exit.void
    case "PushFailed":
      return Exit.fail(event.error.message)
    case "PushCrashed":
      return Exit.die(event.defect)
    case "PushCancelled":
      return Exit.interrupt(FiberId.none)
  }
}
