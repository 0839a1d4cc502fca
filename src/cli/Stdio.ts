/**
 * The three standard streams: results, everything else, and what is piped in.
 */
import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import type * as Option from "effect/Option"

/**
 * Writing ends when the system has taken the text. A reader that has gone is no failure: the text is dropped and the run
 * goes on. `stdin` is everything that is piped in; `None` when a terminal is there instead.
 */
export class Stdio extends Context.Tag("gantry/cli/Stdio")<
  Stdio,
  {
    readonly stdout: (text: string) => Effect.Effect<void>
    readonly stderr: (text: string) => Effect.Effect<void>
    readonly stdin: Effect.Effect<Option.Option<string>>
  }
>() {}
