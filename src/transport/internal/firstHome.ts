/**
 * Each layer's first home in a registry. An engine sends a layer once for each repository that needs it at the same time,
 * and mounts what it knows to be in another one: who comes second waits until the layer is there
 * (reference/clients.md section 5, item 1).
 */
import type * as Clock from "effect/Clock"
import * as Deferred from "effect/Deferred"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as FiberId from "effect/FiberId"
import * as Option from "effect/Option"
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

/** What the engine does with a layer: it has not begun, it sends it, or it has told that it is there. */
type Phase = "queued" | "moving" | "arrived"

/** What becomes of those who wait: they look who is ahead of them now, or wait for this layer no more. */
type Verdict = "look" | "go"

/** One phase of a layer on its way. */
interface Transfer {
  readonly phase: Phase
  readonly repository: string
  readonly followers: Set<Emit>
  readonly over: Deferred.Deferred<Verdict>
  /** In milliseconds of the Clock. */
  movedAt: number
  /** Whether nobody is to wait for it, although its push goes on. */
  isGivenUp: boolean
}

/** How long a layer that does not move is waited for in each phase, in milliseconds. */
const limits: Readonly<Record<Phase, number>> = {
  // The engine has five places, and takes an image's layers topmost first: reference/engine.md, fact 5.
  queued: Duration.toMillis("2 minutes"),
  // A registry is silent while it commits a large layer.
  moving: Duration.toMillis("1 minute"),
  // Docker tells that a layer is there, and only then notes it for mounts: `uploadUsingSession` in
  // https://github.com/moby/moby/blob/02e3d3cea0816065936772ad3252e7caa728787f/distribution/push_v2.go
  arrived: Duration.toMillis("1 second")
}

/** A push that failed later than this, in milliseconds, is no reason to wait for another one: that may fail as late. */
const SLOW_FAILURE = Duration.toMillis("5 seconds")

const MAXIMUM_KNOWN = 4096

/** The diff id of a layer without files, which images share that have nothing else in common. */
const EMPTY_LAYER = shortId("sha256:5f70bf18a086007016e948b04aed3b82103a36bea41755b6cddfaf10ace3c6ef")

const keyOf = (registry: string, layer: string) => `${registry} ${shortId(layer)}`

/**
 * Sends images, each layer to one repository of a registry first. Others see its progress as theirs while they wait.
 *
 * @param namesLayers whether the engine tells of layers by their diff ids, so that one can know when a layer is there;
 *   none when that is not known at the moment
 */
export const make = (namesLayers: Effect.Effect<Option.Option<boolean>>) => {
  const transfers = new Map<string, Transfer>()
  /** Layers that are in some repository of their registry, those found last at the end. */
  const known = new Set<string>()
  /** Registries where a layer was sent although it was there. */
  const unmountable = new Set<string>()
  let answer = Option.none<boolean>()

  const leave = (key: string, transfer: Transfer, verdict: Verdict): void => {
    if (transfers.get(key) === transfer) transfers.delete(key)
    Deferred.unsafeDone(transfer.over, Effect.succeed(verdict))
  }

  const arrive = (key: string, transfer: Transfer): void => {
    const [oldest] = known.add(key)
    if (known.size > MAXIMUM_KNOWN && oldest !== undefined) known.delete(oldest)
    leave(key, transfer, "look")
  }

  const giveUp = (transfer: Transfer): void => {
    transfer.isGivenUp = true
    Deferred.unsafeDone(transfer.over, Effect.succeed("go"))
  }

  /** Waits for the end of a phase; when its limit passes without a movement, nobody waits for the layer any more. */
  const untilOver = (key: string, transfer: Transfer): Effect.Effect<Verdict> =>
    Effect.clockWith((clock) => {
      const over = Deferred.await(transfer.over)
      const left = transfer.movedAt + limits[transfer.phase] - clock.unsafeCurrentTimeMillis()
      if (left > 0) {
        return Effect.flatMap(
          Effect.timeoutOption(over, Duration.millis(left)),
          Option.match({ onNone: () => untilOver(key, transfer), onSome: Effect.succeed })
        )
      }
      if (transfer.phase === "arrived") arrive(key, transfer)
      else giveUp(transfer)
      return over
    })

  const follow = (emit: Emit, key: string, transfer: Transfer): Effect.Effect<Verdict> =>
    Effect.suspend(() => {
      transfer.followers.add(emit)
      return untilOver(key, transfer)
    }).pipe(Effect.ensuring(Effect.sync(() => transfer.followers.delete(emit))))

  const lead = <A, E>(
    push: LayersPush<A, E>,
    awaited: ReadonlySet<string>,
    clock: Clock.Clock
  ): Effect.Effect<A, E> => {
    const startedAt = clock.unsafeCurrentTimeMillis()
    const led = new Map<string, Transfer>()

    const enter = (key: string, phase: Phase): void => {
      const before = led.get(key)
      const transfer: Transfer = {
        phase,
        repository: push.repository,
        followers: new Set(),
        over: Deferred.unsafeMake(FiberId.none),
        movedAt: clock.unsafeCurrentTimeMillis(),
        isGivenUp: false
      }
      transfers.set(key, transfer)
      led.set(key, transfer)
      if (before !== undefined) Deferred.unsafeDone(before.over, Effect.succeed("look"))
    }

    const onPushed = (key: string, outcome: "uploaded" | "existing" | "mounted"): void => {
      if (outcome === "mounted") unmountable.delete(push.registry)
      if (outcome === "uploaded" && awaited.has(key)) unmountable.add(push.registry)
      const transfer = led.get(key)
      if (transfer === undefined) return
      if (outcome === "uploaded" && !transfer.isGivenUp) enter(key, "arrived")
      else arrive(key, transfer)
    }

    const onProgress = (key: string, event: Extract<AttemptEvent, { readonly _tag: "LayerProgress" }>): void => {
      const transfer = led.get(key)
      if (transfer === undefined || transfer.isGivenUp) return
      for (const follower of transfer.followers) follower(event)
      if (event.current === 0) return
      transfer.movedAt = clock.unsafeCurrentTimeMillis()
      if (transfer.phase === "queued") enter(key, "moving")
    }

    const see = (event: AttemptEvent) => {
      push.emit(event)
      if (event._tag === "LayerPushed") onPushed(keyOf(push.registry, event.layer), event.outcome)
      if (event._tag === "LayerProgress") onProgress(keyOf(push.registry, event.layer), event)
    }

    for (const layer of push.layers) {
      const key = keyOf(push.registry, layer)
      if (!transfers.has(key) && !known.has(key) && shortId(layer) !== EMPTY_LAYER) enter(key, "queued")
    }
    return Effect.onExit(push.send(see), (exit) =>
      Effect.sync(() => {
        const isSlow = clock.unsafeCurrentTimeMillis() - startedAt > SLOW_FAILURE
        const verdict = isSlow && !Exit.isInterrupted(exit) ? "go" : "look"
        for (const [key, transfer] of led) {
          if (Exit.isSuccess(exit)) arrive(key, transfer)
          else leave(key, transfer, verdict)
        }
      })
    )
  }

  /** A layer of the push that is on its way to another repository: in the same one, the engine sends it for both. */
  const ahead = ({ layers, registry, repository }: Destination, skipped: ReadonlySet<string>) => {
    if (unmountable.has(registry) || Option.contains(answer, false)) return undefined
    for (const layer of layers) {
      const key = keyOf(registry, layer)
      const transfer = transfers.get(key)
      const isElsewhere = transfer !== undefined && transfer.repository !== repository
      if (isElsewhere && !skipped.has(key)) return { key, transfer }
    }
    return undefined
  }

  /** Whether the engine tells when a layer is there; one that is there meanwhile needs no answer. */
  const isTold = (transfer: Transfer): Effect.Effect<boolean> => {
    if (Option.isSome(answer)) return Effect.succeed(answer.value)
    const asked = Effect.map(namesLayers, (said) => {
      answer = said
      return Option.getOrElse(said, () => false)
    })
    return Effect.raceFirst(asked, Effect.as(Deferred.await(transfer.over), true))
  }

  return <A, E>(push: LayersPush<A, E>): Effect.Effect<A, E> =>
    Effect.uninterruptibleMask((restore) => {
      const skipped = new Set<string>()
      const awaited = new Set<string>()
      const sent = { ...push, send: (emit: Emit) => restore(push.send(emit)) }

      const wait = (key: string, transfer: Transfer) =>
        Effect.flatMap(isTold(transfer), (told) =>
          told ? follow(push.emit, key, transfer) : Effect.succeed("go" as const)
        )

      // Looking and leading are one synchronous step, so that no other push comes between.
      const next: Effect.Effect<A, E> = Effect.clockWith((clock) => {
        const first = ahead(push, skipped)
        if (first === undefined) return lead(sent, awaited, clock)
        const { key, transfer } = first
        return Effect.flatMap(restore(wait(key, transfer)), (verdict) => {
          if (verdict === "go") skipped.add(key)
          else if (known.has(key)) awaited.add(key)
          return next
        })
      })
      return next
    })
}
