/**
 * Who runs when: an actor for each registry host with work, made on first use and forgotten when idle, and the permits
 * they share.
 */
import type * as Clock from "effect/Clock"
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import type * as Fiber from "effect/Fiber"
import type { LazyArg } from "effect/Function"
import type * as Runtime from "effect/Runtime"
import * as Stream from "effect/Stream"
import * as SubscriptionRef from "effect/SubscriptionRef"
import type { PushEvent } from "../../push/PushEvent.ts"
import type * as Attempts from "./attempts.ts"
import * as Permits from "./permits.ts"
import * as RegistryActor from "./registryActor.ts"
import * as RegistryPace from "./registryPace.ts"
import * as RetryBudget from "./retryBudget.ts"
import type { Roster } from "./roster.ts"
import * as SupervisedPush from "./supervisedPush.ts"
import type { ThrottleInquiry } from "./throttleInquiry.ts"

export interface Dispatcher {
  readonly submit: (push: SupervisedPush.SupervisedPush) => void
  readonly stop: (push: SupervisedPush.SupervisedPush, reason: SupervisedPush.InterruptReason) => void
  /** From now on nothing starts: what is queued, and what is submitted later, is stopped. */
  readonly halt: (reason: SupervisedPush.InterruptReason) => void
  readonly registries: Effect.Effect<ReadonlyArray<RegistryActor.RegistryState>>
  readonly registryStates: (registry: string) => Stream.Stream<RegistryActor.RegistryState>
  /** What was told of each pause that lasts. */
  readonly pauses: LazyArg<ReadonlyArray<PushEvent>>
}

export interface DispatcherOptions {
  readonly clock: Clock.Clock
  readonly concurrency: number
  readonly registryConcurrency: ReadonlyMap<string, number>
  readonly maxInFlight: number
  readonly fork: <A, E>(effect: Effect.Effect<A, E>, options?: Runtime.RunForkOptions) => Fiber.RuntimeFiber<A, E>
  readonly runSync: <A>(effect: Effect.Effect<A>) => A
  readonly roster: Roster
  readonly runAttempts: Attempts.RunAttempts
  readonly ask: ThrottleInquiry
}

interface Registry extends Attempts.Manners {
  readonly actor: RegistryActor.RegistryActor
}

export const make = (options: DispatcherOptions): Dispatcher => {
  const { clock, fork, roster, runAttempts, runSync } = options
  const permits = Permits.make(options.maxInFlight)
  const registries = new Map<string, Registry>()
  let halted: SupervisedPush.InterruptReason | undefined

  const now = () => DateTime.unsafeMake(clock.unsafeCurrentTimeMillis())

  const tell = (push: SupervisedPush.SupervisedPush, command: RegistryActor.Command) => {
    registries.get(push.request.target.registry)?.actor.tell(command)
  }

  const stop: Dispatcher["stop"] = (push, reason) => {
    // Whoever submits the same from now on wants a push of their own.
    roster.separate(push)
    tell(push, { _tag: "Stop", push, reason })
  }

  const abandon: Dispatcher["stop"] = (push, reason) => {
    roster.leave(push, SupervisedPush.interrupted(push, reason, now()))
  }

  const start = (push: SupervisedPush.SupervisedPush, manners: Attempts.Manners) => {
    if (push.state._tag === "Queued") {
      if (halted !== undefined) {
        abandon(push, halted)
        return tell(push, { _tag: "Ended", push })
      }
      const started = { _tag: "PushStarted", pushId: push.id, at: now() } as const
      push.state = { _tag: "Running", started }
      roster.publish(started)
    }
    runAttempts(push, manners, {
      onPostpone: () => tell(push, { _tag: "Postponed", push }),
      onEnd: (exit) => {
        roster.leave(push, SupervisedPush.ended(push, exit, now()))
        tell(push, { _tag: "Ended", push })
      }
    })
  }

  const newRegistry = (registry: string): Registry => {
    const concurrency = options.registryConcurrency.get(registry) ?? options.concurrency
    const budget = RetryBudget.make()
    const pace = RegistryPace.make({
      registry,
      clock,
      concurrency,
      fork,
      publish: roster.publish,
      ask: options.ask,
      isAwaited: () => actor.isAwaited(),
      onChange: () => actor.tell({ _tag: "PaceChanged" })
    })
    const actor: RegistryActor.RegistryActor = runSync(
      RegistryActor.make({
        registry,
        concurrency,
        pace,
        permits,
        start: (push) => start(push, { pace, budget }),
        abandon,
        onIdle: () => registries.delete(registry)
      })
    )
    return { actor, pace, budget }
  }

  // Looking and creating are one step: two actors for one host would break its limit (reference/effect.md 4.2).
  const actorOf = (registry: string): RegistryActor.RegistryActor => {
    const known = registries.get(registry)
    if (known !== undefined) {
      return known.actor
    }
    const made = newRegistry(registry)
    registries.set(registry, made)
    // Not at once: all that is submitted in one step is queued before any of it starts.
    fork(made.actor.run, { immediate: false })
    return made.actor
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
      Effect.forEach(Array.from(registries.values()), ({ actor }) => SubscriptionRef.get(actor.state))
    ),
    registryStates: (registry) => Stream.suspend(() => registries.get(registry)?.actor.states ?? Stream.empty),
    pauses: () => Array.from(registries.values()).flatMap(({ pace }) => pace.pause() ?? [])
  }
}
