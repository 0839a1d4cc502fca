/**
 * Who runs when: an actor for each registry host with work, made on first use and forgotten when idle, and the permits
 * they share.
 */
import type * as Clock from "effect/Clock"
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import type * as Exit from "effect/Exit"
import type * as Fiber from "effect/Fiber"
import type * as Runtime from "effect/Runtime"
import * as Stream from "effect/Stream"
import * as SubscriptionRef from "effect/SubscriptionRef"
import type { PushedImage } from "../../push/PushedImage.ts"
import * as Permits from "./permits.ts"
import * as RegistryActor from "./registryActor.ts"
import type { Roster } from "./roster.ts"
import * as SupervisedPush from "./supervisedPush.ts"

export interface Dispatcher {
  readonly submit: (push: SupervisedPush.SupervisedPush) => void
  readonly stop: (push: SupervisedPush.SupervisedPush, reason: SupervisedPush.InterruptReason) => void
  /** From now on nothing starts: what is queued, and what is submitted later, is stopped. */
  readonly halt: (reason: SupervisedPush.InterruptReason) => void
  readonly registries: Effect.Effect<ReadonlyArray<RegistryActor.RegistryState>>
  readonly registryStates: (registry: string) => Stream.Stream<RegistryActor.RegistryState>
}

export interface DispatcherOptions {
  readonly clock: Clock.Clock
  readonly concurrency: number
  readonly registryConcurrency: ReadonlyMap<string, number>
  readonly maxInFlight: number
  readonly fork: <A, E>(effect: Effect.Effect<A, E>, options?: Runtime.RunForkOptions) => Fiber.RuntimeFiber<A, E>
  readonly runSync: <A>(effect: Effect.Effect<A>) => A
  readonly roster: Roster
  readonly runAttempts: (
    push: SupervisedPush.SupervisedPush,
    onEnd: (exit: Exit.Exit<PushedImage, SupervisedPush.PushFailure>) => void
  ) => void
}

export const make = (options: DispatcherOptions): Dispatcher => {
  const { clock, fork, roster, runAttempts, runSync } = options
  const permits = Permits.make(options.maxInFlight)
  const actors = new Map<string, RegistryActor.RegistryActor>()
  let halted: SupervisedPush.InterruptReason | undefined

  const now = () => DateTime.unsafeMake(clock.unsafeCurrentTimeMillis())

  const tell = (push: SupervisedPush.SupervisedPush, command: RegistryActor.Command) => {
    actors.get(push.request.target.registry)?.tell(command)
  }

  const stop: Dispatcher["stop"] = (push, reason) => {
    // Whoever submits the same from now on wants a push of their own.
    roster.separate(push)
    tell(push, { _tag: "Stop", push, reason })
  }

  const abandon: Dispatcher["stop"] = (push, reason) => {
    roster.leave(push, SupervisedPush.interrupted(push, reason, now()))
  }

  const start = (push: SupervisedPush.SupervisedPush) => {
    if (halted !== undefined) {
      abandon(push, halted)
      return tell(push, { _tag: "Ended", push })
    }
    const started = { _tag: "PushStarted", pushId: push.id, at: now() } as const
    push.state = { _tag: "Running", started }
    roster.publish(started)
    runAttempts(push, (exit) => {
      roster.leave(push, SupervisedPush.ended(push, exit, now()))
      tell(push, { _tag: "Ended", push })
    })
  }

  // Looking and creating are one step: two actors for one host would break its limit (reference/effect.md 4.2).
  const actorOf = (registry: string): RegistryActor.RegistryActor => {
    const known = actors.get(registry)
    if (known !== undefined) {
      return known
    }
    const actor = runSync(
      RegistryActor.make({
        registry,
        concurrency: options.registryConcurrency.get(registry) ?? options.concurrency,
        permits,
        start,
        abandon,
        onIdle: () => actors.delete(registry)
      })
    )
    actors.set(registry, actor)
    // Not at once: all that is submitted in one step is queued before any of it starts.
    fork(actor.run, { immediate: false })
    return actor
  }

  return {
    submit: (push) => {
      actorOf(push.request.target.registry).tell({ _tag: "Submit", push })
      if (halted !== undefined) {
        stop(push, halted)
      }
    },
    stop,
    halt: (reason) => {
      if (halted === undefined) {
        halted = reason
        for (const push of roster.inFlight.values()) {
          if (push.state._tag === "Queued") {
            stop(push, reason)
          }
        }
      }
    },
    registries: Effect.suspend(() =>
      Effect.forEach(Array.from(actors.values()), (actor) => SubscriptionRef.get(actor.state))
    ),
    registryStates: (registry) => Stream.suspend(() => actors.get(registry)?.states ?? Stream.empty)
  }
}
