/**
 * Each layer's first home in a registry. An engine sends a layer once for each repository that needs it at the same time,
 * and mounts what it knows to be in another one: who comes second waits until the layer is there
 * (reference/clients.md 5.1).
 */
import type * as Clock from "effect/Clock"
import * as Deferred from "effect/Deferred"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as FiberId from "effect/FiberId"
import type { AttemptEvent } from "../../push/PushEvent.ts"
import { shortId } from "./layerOutcomes.ts"

type Emit = (event: AttemptEvent) => void

/** What goes where. */
interface Destination {
  readonly registry: string
  readonly repository: string
  /** By their diff ids. */
  readonly layers: ReadonlyArray<string>
}

export interface LayersPush<A, E> extends Destination {
  readonly emit: Emit
  readonly send: (emit: Emit) => Effect.Effect<A, E>
}

/** What the engine does with a layer: it sends it, or has told that it is there. */
type Phase = "moving" | "arrived"

/** One phase of a layer on its way to its first home. */
interface Transfer {
  readonly phase: Phase
  readonly repository: string
  readonly followers: Set<Emit>
  readonly over: Deferred.Deferred<void>
  /** In milliseconds of the Clock. */
  movedAt: number
}

/** How long a layer that does not move is waited for, in milliseconds. */
const patience: Readonly<Record<Phase, number>> = {
  // It may wait for one of the engine's five places, or for a sick registry, and nobody else is to wait with it.
  moving: Duration.toMillis("10 seconds"),
  // Docker tells that a layer is there, and only then notes it for mounts: `uploadUsingSession` in
  // https://github.com/moby/moby/blob/02e3d3cea0816065936772ad3252e7caa728787f/distribution/push_v2.go
  arrived: Duration.toMillis("100 millis")
}

const MAXIMUM_REMEMBERED = 4096

/**
 * Sends images, each layer to one repository of a registry first. Others see its progress as theirs while they wait.
 *
 * @param namesLayers whether the engine tells of layers by their diff ids: else nobody can know that one is there
 */
export const make = (namesLayers: Effect.Effect<boolean>) => {
  const transfers = new Map<string, Transfer>()
  const remembered = new Set<string>()

  const keyOf = (registry: string, layer: string) => `${registry} ${shortId(layer)}`

  const end = (key: string, transfer: Transfer): void => {
    if (transfers.get(key) === transfer) transfers.delete(key)
    Deferred.unsafeDone(transfer.over, Effect.void)
  }

  /** Nobody waits for it from now on. */
  const settle = (key: string, transfer: Transfer): void => {
    const [oldest] = remembered.add(key)
    if (remembered.size > MAXIMUM_REMEMBERED && oldest !== undefined) remembered.delete(oldest)
    end(key, transfer)
  }

  const untilStill = (key: string, transfer: Transfer): Effect.Effect<void> =>
    Effect.clockWith((clock) => {
      const left = transfer.movedAt + patience[transfer.phase] - clock.unsafeCurrentTimeMillis()
      if (left > 0) return Effect.zipRight(clock.sleep(Duration.millis(left)), untilStill(key, transfer))
      settle(key, transfer)
      return Effect.void
    })

  const follow = (emit: Emit, key: string, transfer: Transfer): Effect.Effect<void> =>
    Effect.suspend(() => {
      transfer.followers.add(emit)
      return Effect.raceFirst(Deferred.await(transfer.over), untilStill(key, transfer))
    }).pipe(Effect.ensuring(Effect.sync(() => transfer.followers.delete(emit))))

  const lead = <A, E>(push: LayersPush<A, E>, clock: Clock.Clock): Effect.Effect<A, E> => {
    const led = new Map<string, Transfer>()

    const enter = (key: string, phase: Phase): void => {
      const before = led.get(key)
      // Nobody waits for it any more.
      if (transfers.get(key) !== before) return
      const transfer: Transfer = {
        phase,
        repository: push.repository,
        followers: new Set(),
        over: Deferred.unsafeMake(FiberId.none),
        movedAt: clock.unsafeCurrentTimeMillis()
      }
      transfers.set(key, transfer)
      led.set(key, transfer)
      if (before !== undefined) Deferred.unsafeDone(before.over, Effect.void)
    }

    const see = (event: AttemptEvent) => {
      push.emit(event)
      if (event._tag === "Reauthenticated") return
      const key = keyOf(push.registry, event.layer)
      const transfer = led.get(key)
      if (transfer === undefined) return
      if (event._tag === "LayerPushed")
        return event.outcome === "uploaded" ? enter(key, "arrived") : settle(key, transfer)
      transfer.movedAt = clock.unsafeCurrentTimeMillis()
      for (const follower of transfer.followers) follower(event)
    }

    for (const layer of push.layers) {
      const key = keyOf(push.registry, layer)
      if (!transfers.has(key) && !remembered.has(key)) enter(key, "moving")
    }
    return Effect.onExit(push.send(see), (exit) =>
      Effect.sync(() => {
        const conclude = Exit.isSuccess(exit) ? settle : end
        for (const [key, transfer] of led) conclude(key, transfer)
      })
    )
  }

  /** A layer of the push that is on its way to another repository: in the same one, the engine sends it for both. */
  const ahead = ({ layers, registry, repository }: Destination) => {
    for (const layer of layers) {
      const key = keyOf(registry, layer)
      const transfer = transfers.get(key)
      if (transfer !== undefined && transfer.repository !== repository) return { key, transfer }
    }
    return undefined
  }

  return <A, E>(push: LayersPush<A, E>): Effect.Effect<A, E> =>
    Effect.uninterruptibleMask((restore) => {
      const go = Effect.clockWith((clock) => lead({ ...push, send: (emit) => restore(push.send(emit)) }, clock))
      const next: Effect.Effect<A, E> = Effect.suspend(() => {
        const first = ahead(push)
        if (first === undefined) return go
        const { key, transfer } = first
        return Effect.if(restore(Effect.raceFirst(namesLayers, Effect.as(Deferred.await(transfer.over), true))), {
          onTrue: () => Effect.zipRight(restore(follow(push.emit, key, transfer)), next),
          onFalse: () => go
        })
      })
      return next
    })
}
