/**
 * Every push in flight, and the only place where one enters or leaves: each entrance is one `PushQueued`, each exit one
 * terminal event, and nothing of a push is kept afterwards.
 */
import type * as Clock from "effect/Clock"
import * as DateTime from "effect/DateTime"
import * as Deferred from "effect/Deferred"
import type * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as FiberId from "effect/FiberId"
import type { LazyArg } from "effect/Function"
import type * as Scope from "effect/Scope"
import type * as Stream from "effect/Stream"
import type * as Tracer from "effect/Tracer"
import { type PushEvent, PushId, type TerminalEvent } from "../../push/PushEvent.ts"
import type { PushRequest } from "../../push/PushRequest.ts"
import * as EventHub from "./eventHub.ts"
import type { PushTracer } from "./pushSpan.ts"
import * as SupervisedPush from "./supervisedPush.ts"

export interface Roster {
  readonly inFlight: ReadonlyMap<PushId, SupervisedPush.SupervisedPush>
  readonly publish: (event: PushEvent) => void
  /** The push in flight that an equal request joins. */
  readonly find: (request: PushRequest) => SupervisedPush.SupervisedPush | undefined
  readonly enter: (request: PushRequest, submitter: Tracer.AnySpan | undefined) => SupervisedPush.SupervisedPush
  /** From now on an equal request is a push of its own. */
  readonly separate: (push: SupervisedPush.SupervisedPush) => void
  readonly leave: (push: SupervisedPush.SupervisedPush, end: SupervisedPush.End) => void
  /** After this nobody may enter, and the events end when the last push has left. */
  readonly close: () => void
  readonly isClosed: () => boolean
  readonly drained: Effect.Effect<void>
  readonly subscribe: Effect.Effect<Stream.Stream<PushEvent>, never, Scope.Scope>
  readonly follow: (push: SupervisedPush.SupervisedPush) => Effect.Effect<Stream.Stream<PushEvent>, never, Scope.Scope>
}

export const make = (options: {
  readonly clock: Clock.Clock
  readonly meter: (event: PushEvent) => void
  readonly tracer: PushTracer
  readonly onLeave: (event: TerminalEvent) => void
  /** What a late subscriber has to know besides the pushes. */
  readonly standing: LazyArg<ReadonlyArray<PushEvent>>
}): Roster => {
  const { meter, tracer } = options
  const hub = EventHub.make()
  const inFlight = new Map<PushId, SupervisedPush.SupervisedPush>()
  const joinable = new Map<string, SupervisedPush.SupervisedPush>()
  const drained = Deferred.unsafeMake<void>(FiberId.none)
  let entered = 0
  let closed = false
  let last: PushEvent | undefined

  const now = () => DateTime.unsafeMake(options.clock.unsafeCurrentTimeMillis())

  const publish = (event: PushEvent) => {
    // The answer to a question may come when nobody is left to be told.
    if (last !== undefined) return
    meter(event)
    const span = "pushId" in event ? inFlight.get(event.pushId)?.span : undefined
    if (span !== undefined) tracer.note(span, event)
    hub.publish(event)
  }

  const separate = (push: SupervisedPush.SupervisedPush) => {
    if (joinable.get(push.identity) === push) {
      joinable.delete(push.identity)
    }
  }

  const endWhenEmpty = () => {
    if (closed && inFlight.size === 0 && last === undefined) {
      last = { _tag: "RuntimeDrained", at: now() }
      meter(last)
      hub.end(last)
      Deferred.unsafeDone(drained, Exit.void)
    }
  }

  return {
    inFlight,
    publish,
    find: (request) => joinable.get(SupervisedPush.identity(request)),
    enter: (request, submitter) => {
      entered++
      const id = PushId.make(`push-${entered}`, { disableValidation: true })
      const push = SupervisedPush.make(id, request, now(), tracer.begin(id, request, submitter))
      inFlight.set(push.id, push)
      joinable.set(push.identity, push)
      publish(push.queued)
      return push
    },
    separate,
    leave: (push, end) => {
      push.state = { _tag: "Ended", event: end.event }
      inFlight.delete(push.id)
      separate(push)
      publish(end.event)
      if (push.span !== undefined) tracer.end(push.span, end.event, push.attempts)
      Deferred.unsafeDone(push.result, end.result)
      options.onLeave(end.event)
      endWhenEmpty()
    },
    close: () => {
      closed = true
      endWhenEmpty()
    },
    isClosed: () => closed,
    drained: Deferred.await(drained),
    subscribe: hub.subscribe({
      pushId: undefined,
      catchUp: () =>
        last === undefined
          ? [...Array.from(inFlight.values()).flatMap(SupervisedPush.story), ...options.standing()]
          : [last]
    }),
    follow: (push) => hub.subscribe({ pushId: push.id, catchUp: () => SupervisedPush.story(push) })
  }
}
