import * as Config from "effect/Config"
import * as Effect from "effect/Effect"

/** A variable of the environment; empty when it is not set. */
export const variable = (name: string): Effect.Effect<string> => Effect.orElseSucceed(Config.string(name), () => "")
