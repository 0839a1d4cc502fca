/**
 * The actor of one registry host: it owns the host's queue and its concurrency limit, and works through its mailbox alone,
 * so nothing in it needs a lock.
 */
import * as Chunk from "effect/Chunk"
import * as Effect from "effect/Effect"
import * as FiberId from "effect/FiberId"
import type { LazyArg } from "effect/Function"
import * as Mailbox from "effect/Mailbox"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import * as SubscriptionRef from "effect/SubscriptionRef"
import type { Permits } from "./permits.ts"
import type { InterruptReason, SupervisedPush } from "./supervisedPush.ts"
import * as TurnQueue from "./turnQueue.ts"

export type Command =
  | { readonly _tag: "Submit"; readonly push: SupervisedPush }
  | { readonly _tag: "Stop"; readonly push: SupervisedPush; readonly reason: InterruptReason }
  | { readonly _tag: "Start" }
  | { readonly _tag: "Ended"; readonly push: SupervisedPush }

export interface RegistryState {
  readonly registry: string
  readonly queued: number
  readonly running: number
}

export interface RegistryActor {
  readonly tell: (command: Command) => void
  readonly state: SubscriptionRef.SubscriptionRef<RegistryState>
  /** From now until the actor is idle. */
  readonly states: Stream.Stream<RegistryState>
  /** Works until there is nothing left to do, then calls `onIdle` in the same step. */
  readonly run: Effect.Effect<void>
}

export interface RegistryActorOptions {
  readonly registry: string
  readonly concurrency: number
  readonly permits: Permits
  /** Starts a push; the actor is told `Ended` when it is over. */
  readonly start: (push: SupervisedPush) => void
  /** Ends a push that never started. */
  readonly abandon: (push: SupervisedPush, reason: InterruptReason) => void
  readonly onIdle: LazyArg<void>
}

export const make = Effect.fnUntraced(function* (options: RegistryActorOptions) {
  const { registry } = options
  const mailbox = yield* Mailbox.make<Command>()
  const state = yield* SubscriptionRef.make<RegistryState>({ registry, queued: 0, running: 0 })

  const ready = TurnQueue.make<SupervisedPush>()
  // The last push of each target's line. The first one of a line is ready or running, the others wait behind it.
  const lines = new Map<string, SupervisedPush>()
  let queued = 0
  let running = 0
  let granted = 0

  const share = options.permits.join(options.concurrency, () => {
    granted++
    mailbox.unsafeOffer({ _tag: "Start" })
  })

  const unqueue = () => {
    queued--
    share.unqueued()
  }

  const submit = (push: SupervisedPush) => {
    const last = lines.get(push.target)
    lines.set(push.target, push)
    if (last === undefined) {
      ready.add(push)
    } else {
      last.successor = push
    }
  }

  const leaveLine = (push: SupervisedPush) => {
    let next = push.successor
    push.successor = undefined
    while (next !== undefined && next.state._tag === "Ended") {
      next = next.successor
    }
    if (next === undefined) {
      lines.delete(push.target)
    } else {
      ready.add(next)
    }
  }

  const start = () => {
    granted--
    const push = ready.take()
    if (push === undefined) {
      share.release()
    } else {
      running++
      unqueue()
      options.start(push)
    }
  }

  const stop = (push: SupervisedPush, reason: InterruptReason) => {
    switch (push.state._tag) {
      case "Queued": {
        unqueue()
        options.abandon(push, reason)
        if (ready.remove(push)) {
          leaveLine(push)
        }
        return
      }
      case "Running": {
        push.stopReason ??= reason
        push.fiber?.unsafeInterruptAsFork(FiberId.none)
        return
      }
      case "Ended":
        return
    }
  }

  const handle = (command: Command) => {
    switch (command._tag) {
      case "Submit":
        return submit(command.push)
      case "Stop":
        return stop(command.push, command.reason)
      case "Start":
        return start()
      case "Ended": {
        running--
        leaveLine(command.push)
        return share.release()
      }
    }
  }

  const work = Effect.flatMap(mailbox.takeAll, ([commands]) => {
    Chunk.forEach(commands, handle)
    share.want(Math.max(0, ready.size() - granted))
    return SubscriptionRef.set(state, { registry, queued, running })
  })

  const leaveWhenIdle = Effect.sync(() => {
    const idle = lines.size === 0 && granted === 0 && Option.contains(mailbox.unsafeSize(), 0)
    if (idle) {
      share.leave()
      options.onIdle()
    }
    return idle
  })

  const actor: RegistryActor = {
    tell: (command) => {
      mailbox.unsafeOffer(command)
      if (command._tag === "Submit") {
        queued++
        share.queued()
      }
    },
    state,
    states: Stream.takeUntil(state.changes, isIdle),
    run: Effect.repeat(Effect.zipRight(work, leaveWhenIdle), { until: (idle) => idle })
  }
  return actor
})

const isIdle = (state: RegistryState): boolean => state.queued === 0 && state.running === 0
