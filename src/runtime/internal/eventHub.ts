/**
 * One hub for all events, so that their order is the same for every subscriber.
 *
 * A subscriber that does not keep up costs its own memory and nobody's time: `publish` never waits.
 */
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type { LazyArg } from "effect/Function"
import * as Mailbox from "effect/Mailbox"
import * as Option from "effect/Option"
import type * as Scope from "effect/Scope"
import type * as Stream from "effect/Stream"
import type { PushEvent, PushId } from "../../push/PushEvent.ts"

export interface EventHub {
  readonly publish: (event: PushEvent) => void
  /** Publishes the last event and ends every stream. */
  readonly end: (event: PushEvent) => void
  /** `catchUp` comes first; then everything of the push, or of all when none is named. */
  readonly subscribe: (options: {
    readonly pushId: PushId | undefined
    readonly catchUp: LazyArg<ReadonlyArray<PushEvent>>
  }) => Effect.Effect<Stream.Stream<PushEvent>, never, Scope.Scope>
}

/** A subscriber with this many unread events gets no more progress until it has read some. */
const PROGRESS_BACKLOG = 256

const EVERY_PUSH = undefined

export const make = (): EventHub => {
  const subscribers = new Map<PushId | undefined, Set<Mailbox.Mailbox<PushEvent>>>()
  let ended = false

  const deliver = (topic: PushId | undefined, event: PushEvent) => {
    for (const subscriber of subscribers.get(topic) ?? []) {
      if (event._tag !== "LayerProgress" || backlog(subscriber) < PROGRESS_BACKLOG) {
        subscriber.unsafeOffer(event)
      }
    }
  }

  const add = (topic: PushId | undefined, subscriber: Mailbox.Mailbox<PushEvent>) => {
    const group = subscribers.get(topic)
    if (group === undefined) {
      subscribers.set(topic, new Set([subscriber]))
    } else {
      group.add(subscriber)
    }
  }

  const remove = (topic: PushId | undefined, subscriber: Mailbox.Mailbox<PushEvent>) => {
    const group = subscribers.get(topic)
    if (group?.delete(subscriber) && group.size === 0) {
      subscribers.delete(topic)
    }
  }

  return {
    publish: (event) => {
      deliver(EVERY_PUSH, event)
      if ("pushId" in event) {
        deliver(event.pushId, event)
      }
    },
    end: (event) => {
      deliver(EVERY_PUSH, event)
      ended = true
      for (const group of subscribers.values()) {
        for (const subscriber of group) {
          subscriber.unsafeDone(Exit.void)
        }
      }
      subscribers.clear()
    },
    subscribe: ({ catchUp, pushId }) =>
      Effect.map(
        Effect.acquireRelease(
          Effect.tap(Mailbox.make<PushEvent>(), (subscriber) =>
            Effect.sync(() => {
              subscriber.unsafeOfferAll(catchUp())
              if (ended) {
                subscriber.unsafeDone(Exit.void)
              } else {
                add(pushId, subscriber)
              }
            })
          ),
          (subscriber) => {
            remove(pushId, subscriber)
            return subscriber.shutdown
          }
        ),
        Mailbox.toStream
      )
  }
}

const backlog = (subscriber: Mailbox.Mailbox<PushEvent>): number => Option.getOrElse(subscriber.unsafeSize(), () => 0)
