/**
 * A push in the hands of its supervisor, and what its end is called.
 */
import * as Cause from "effect/Cause"
import type * as DateTime from "effect/DateTime"
import * as Deferred from "effect/Deferred"
import * as Duration from "effect/Duration"
import * as Exit from "effect/Exit"
import type * as Fiber from "effect/Fiber"
import * as FiberId from "effect/FiberId"
import * as Option from "effect/Option"
import type * as Tracer from "effect/Tracer"
import { type ErrorReport, type PushError, PushInterrupted, report } from "../../push/PushError.ts"
import type { PushEvent, PushId, TerminalEvent } from "../../push/PushEvent.ts"
import { PushedImage } from "../../push/PushedImage.ts"
import type { PushRequest } from "../../push/PushRequest.ts"
import * as ImageReference from "../../reference/ImageReference.ts"
import { defectText } from "../../reference/internal/defectText.ts"

export type PushFailure = PushError | PushInterrupted

export type InterruptReason = PushInterrupted["reason"]

export interface SupervisedPush {
  readonly id: PushId
  readonly identity: string
  /** Pushes with the same one take turns. */
  readonly target: string
  readonly request: PushRequest
  readonly result: Deferred.Deferred<PushedImage, PushFailure>
  readonly queued: Extract<PushEvent, { readonly _tag: "PushQueued" }>
  /** Ends with the push; none when nobody traces. */
  readonly span: Tracer.Span | undefined
  state: PushState
  attempts: number
  /** What it does now: an attempt, or the wait for the next one. */
  fiber: Fiber.RuntimeFiber<unknown, PushFailure> | undefined
  /** Set before the fiber is interrupted. */
  stopReason: InterruptReason | undefined
  /** It was worth another attempt, and the pushes to its registry had used up those that they share. */
  outOfBudget: boolean
  /** The push whose turn at the target comes after this one's. */
  successor: SupervisedPush | undefined
}

export type PushState =
  | { readonly _tag: "Queued" }
  | {
      readonly _tag: "Running"
      readonly started: Extract<PushEvent, { readonly _tag: "PushStarted" }>
    }
  | { readonly _tag: "Ended"; readonly event: TerminalEvent }

const queuedState: PushState = { _tag: "Queued" }

/** The place a request pushes to: a reference without a tag means `latest`. */
const targetText = (request: PushRequest): string => String(ImageReference.withDefaultTag(request.target))

/** Requests with the same text are one push while it is in flight. */
export const identity = (request: PushRequest): string =>
  `${request.source}\n${targetText(request)}\n${Option.getOrElse(request.platform, () => "")}\n${request.onExisting}`

export const make = (
  id: PushId,
  request: PushRequest,
  at: DateTime.Utc,
  span: Tracer.Span | undefined
): SupervisedPush => ({
  id,
  identity: identity(request),
  target: targetText(request),
  request,
  result: Deferred.unsafeMake(FiberId.none),
  queued: {
    _tag: "PushQueued",
    pushId: id,
    at,
    source: String(request.source),
    target: String(request.target),
    ...(Option.isSome(request.platform) ? { platform: request.platform.value } : {}),
    registry: request.target.registry
  },
  span,
  state: queuedState,
  attempts: 0,
  fiber: undefined,
  stopReason: undefined,
  outOfBudget: false,
  successor: undefined
})

/** The events that tell a late subscriber where the push stands. */
export const story = (push: SupervisedPush): ReadonlyArray<PushEvent> => {
  switch (push.state._tag) {
    case "Queued":
      return [push.queued]
    case "Running":
      return [push.queued, push.state.started]
    case "Ended":
      return [push.state.event]
  }
}

export interface End {
  readonly event: TerminalEvent
  readonly result: Exit.Exit<PushedImage, PushFailure>
}

/** How a push that never started was stopped, or one whose fiber was interrupted. */
export const interrupted = (push: SupervisedPush, reason: InterruptReason, at: DateTime.Utc): End => ({
  event: { _tag: "PushCancelled", ...effort(push, at), reason },
  result: Exit.fail(new PushInterrupted({ image: push.target, reason }))
})

/** What a fiber's exit means for its push. */
export const ended = (push: SupervisedPush, exit: Exit.Exit<PushedImage, PushFailure>, at: DateTime.Utc): End => {
  if (Exit.isSuccess(exit)) {
    return completed(push, exit.value, at)
  }
  if (Cause.isDie(exit.cause)) {
    return crashed(push, exit.cause, at)
  }
  if (push.stopReason !== undefined && Cause.isInterrupted(exit.cause)) {
    return interrupted(push, push.stopReason, at)
  }
  return Option.match(Cause.failureOption(exit.cause), {
    // Nobody asked for it, so the interruption came from within the attempt: it must not reach who awaits the push.
    onNone: () => crashed(push, Cause.die(new Error(`The push of ${push.target} interrupted itself`)), at),
    onSome: (error) =>
      error._tag === "PushInterrupted"
        ? interrupted(push, error.reason, at)
        : { event: { _tag: "PushFailed", ...effort(push, at), error: failure(push, error) }, result: Exit.fail(error) }
  })
}

const failure = (push: SupervisedPush, error: PushError): ErrorReport => {
  const told = report(error)
  if (!push.outOfBudget) {
    return told
  }
  const why = `It was not tried again: the pushes to ${push.request.target.registry} have used up the retries that they share.`
  const advice = `${why} ${told.advice}`
  return { ...told, message: told.message.replace(told.advice, () => advice), advice }
}

const completed = (push: SupervisedPush, attempt: PushedImage, at: DateTime.Utc): End => {
  const { attempts, duration } = effort(push, at)
  // The attempt's own fields were checked when it made them.
  const image = new PushedImage({ ...attempt, attempts, duration }, { disableValidation: true })
  return { event: { _tag: "PushCompleted", pushId: push.id, at, image }, result: Exit.succeed(image) }
}

const crashed = (push: SupervisedPush, cause: Cause.Cause<PushFailure>, at: DateTime.Utc): End => ({
  event: { _tag: "PushCrashed", ...effort(push, at), defect: defectText(cause) },
  result: Exit.failCause(Option.getOrElse(Cause.keepDefects(cause), () => Cause.empty))
})

const effort = (push: SupervisedPush, at: DateTime.Utc) => ({
  pushId: push.id,
  at,
  attempts: push.attempts,
  duration: Duration.millis(push.state._tag === "Running" ? at.epochMillis - push.state.started.at.epochMillis : 0)
})
