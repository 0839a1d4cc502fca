/**
 * The signals that ask a run to end.
 */
import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import type { Signal } from "./exitCode.ts"

/** `first` waits for the first signal. The second one ends the process at once. */
export class Signals extends Context.Tag("gantry/cli/Signals")<Signals, { readonly first: Effect.Effect<Signal> }>() {}
