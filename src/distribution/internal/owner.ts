import * as Effect from "effect/Effect"
import * as Runtime from "effect/Runtime"
import type * as Scope from "effect/Scope"
import { RegistryHttp } from "../RegistryHttp.ts"

/** Whoever made the clients: the network it sees, and the scope in which they work for more than one caller. */
export interface Owner {
  readonly http: RegistryHttp["Type"]
  /** Starts an effect with the owner's services, in the same synchronous step, until the owner's scope closes. */
  readonly fork: (effect: Effect.Effect<unknown>) => void
}

export const makeOwner: Effect.Effect<Owner, never, Scope.Scope> = Effect.gen(function* () {
  const http = yield* RegistryHttp
  const scope = yield* Effect.scope
  const runFork = Runtime.runFork(yield* Effect.runtime())
  return { http, fork: (effect) => void runFork(effect, { scope }) }
})
