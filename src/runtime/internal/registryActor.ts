/**
 * The actor of one registry host: it owns the host's queue and keeps to its pace, and works through its mailbox alone, so
 * nothing in it needs a lock.
 */
import * as Chunk from "effect/Chunk"
import type * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as FiberId from "effect/FiberId"
import type { LazyArg } from "effect/Function"
import * as Mailbox from "effect/Mailbox"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import * as SubscriptionRef from "effect/SubscriptionRef"
import type { Permits } from "./permits.ts"
import * as RegistryPace from "./registryPace.ts"
import type { InterruptReason, SupervisedPush } from "./supervisedPush.ts"
import * as TurnQueue from "./turnQueue.ts"

export type Command =
  | { readonly _tag: "Submit"; readonly push: SupervisedPush }
  | { readonly _tag: "Stop"; readonly push: SupervisedPush; readonly reason: InterruptReason }
  | { readonly _tag: "Start" }
  | { readonly _tag: "Postponed"; readonly push: SupervisedPush }
  | { readonly _tag: "Ended"; readonly push: SupervisedPush }
  | { readonly _tag: "PaceChanged" }

export interface RegistryState {
  readonly registry: string
  /** Those that have not begun. */
  readonly queued: number
  readonly running: number
  /** Those that have begun, and wait for their next attempt until the registry may be asked again. */
  readonly postponed: number
  /** How many may run at once: half after each pause, and one more after 8 pushes that went through. */
  readonly concurrency: number
  readonly pausedUntil: Option.Option<DateTime.Utc>
}

export interface RegistryActor {
  readonly tell: (command: Command) => void
  readonly state: SubscriptionRef.SubscriptionRef<RegistryState>
  /** From now until the actor is idle. */
  readonly states: Stream.Stream<RegistryState>
  /** Whether a push waits for its turn. */
  readonly isAwaited: LazyArg<boolean>
  /** Works until there is nothing left to do, then calls `onIdle` in the same step. */
  readonly run: Effect.Effect<void>
}

export interface RegistryActorOptions {
  readonly registry: string
  readonly concurrency: number
  readonly pace: RegistryPace.RegistryPace
  readonly permits: Permits
  /** Starts a push, or its next attempt; the actor is told `Postponed` or `Ended` when it needs its place no more. */
  readonly start: (push: SupervisedPush) => void
  /** Ends a push that is not running. */
  readonly abandon: (push: SupervisedPush, reason: InterruptReason) => void
  readonly onIdle: LazyArg<void>
}

export const make = Effect.fnUntraced(function* (options: RegistryActorOptions) {
  const { pace, registry } = options
  const mailbox = yield* Mailbox.make<Command>()

  const ready = TurnQueue.make<SupervisedPush>()
  const postponed = TurnQueue.make<SupervisedPush>()
  // The last push of each target's line. The first one of a line is ready or running, the others wait behind it.
  const lines = new Map<string, SupervisedPush>()
  let queued = 0
  let running = 0
  let granted = 0

  const present = (): RegistryState => ({
    registry,
    queued,
    running,
    postponed: postponed.size(),
    concurrency: pace.concurrency(),
    pausedUntil: Option.map(Option.fromNullable(pace.pause()), RegistryPace.endOf)
  })
  const state = yield* SubscriptionRef.make(present())

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

  const next = (): SupervisedPush | undefined => {
    const resumed = postponed.take()
    if (resumed !== undefined) {
      share.unqueued()
      return resumed
    }
    const push = ready.take()
    if (push !== undefined) {
      unqueue()
    }
    return push
  }

  const start = () => {
    granted--
    // The registry may have paused since the permit was asked for.
    const push = running < pace.limit() ? next() : undefined
    if (push === undefined) {
      share.release()
    } else {
      running++
      options.start(push)
    }
  }

  const postpone = (push: SupervisedPush) => {
    running--
    if (push.stopReason === undefined) {
      postponed.add(push)
      share.queued()
    } else {
      options.abandon(push, push.stopReason)
      leaveLine(push)
    }
    share.release()
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
        if (postponed.remove(push)) {
          share.unqueued()
          options.abandon(push, push.stopReason)
          leaveLine(push)
        }
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
      case "Postponed":
        return postpone(command.push)
      case "PaceChanged":
        return
      case "Ended": {
        running--
        leaveLine(command.push)
        return share.release()
      }
    }
  }

  const work = Effect.flatMap(mailbox.takeAll, ([commands]) => {
    Chunk.forEach(commands, handle)
    const waiting = ready.size() + postponed.size()
    share.want(Math.max(0, Math.min(waiting, pace.limit() - running) - granted))
    return SubscriptionRef.set(state, present())
  })

  const leaveWhenIdle = Effect.sync(() => {
    // A pause is remembered for whoever comes before it ends.
    const idle =
      lines.size === 0 && granted === 0 && pace.pause() === undefined && Option.contains(mailbox.unsafeSize(), 0)
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
    isAwaited: () => ready.size() + postponed.size() > 0,
    run: Effect.repeat(Effect.zipRight(work, leaveWhenIdle), { until: (idle) => idle })
  }
  return actor
})

const isIdle = ({ pausedUntil, postponed, queued, running }: RegistryState): boolean =>
  queued + running + postponed === 0 && Option.isNone(pausedUntil)
