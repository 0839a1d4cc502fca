/**
 * The signals that ask a run to end.
 */
import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import type * as Queue from "effect/Queue"
import type * as Scope from "effect/Scope"
import type { Signal } from "./exitCode.ts"

/** What a run hands on to a program that it runs. */
export type RelayedSignal = Signal | "SIGHUP" | "SIGQUIT"

/**
 * `first` waits for the first signal. The second one ends the process at once. While the scope of `relay` is open, signals
 * end nothing by themselves: they come to its queue, with the one that came before it.
 */
export class Signals extends Context.Tag("gantry/cli/Signals")<
  Signals,
  {
    readonly first: Effect.Effect<Signal>
    readonly relay: Effect.Effect<Queue.Dequeue<RelayedSignal>, never, Scope.Scope>
  }
>() {}
