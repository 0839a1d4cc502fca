/**
 * The three standard streams: results, everything else, and what is piped in.
 */
import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import type * as Option from "effect/Option"

/** What a terminal shows below all that was written: `lines` take the place of those drawn before, `above` stays. */
export interface Frame {
  readonly above: ReadonlyArray<string>
  readonly lines: ReadonlyArray<string>
}

/** A terminal's size, in cells. */
export interface ScreenSize {
  readonly columns: number
  readonly rows: number
}

/** The terminal that stderr is. */
export interface Screen {
  readonly size: Effect.Effect<ScreenSize>
  /** Ends when the terminal has taken the frame, which may take long; what is not drawn meanwhile is not queued. */
  readonly draw: (frame: Frame) => Effect.Effect<void>
}

/**
 * Writing ends when the system has taken the text. A reader that has gone is no failure: the text is dropped and the run
 * goes on. `lost` is why something of `stdout` did not arrive otherwise, as on a full disk. What goes to `stderr` stands
 * above what `screen` has drawn; there is a screen when stderr is a terminal. `stdin` is everything that is piped in;
 * `None` when a terminal is there instead.
 */
export class Stdio extends Context.Tag("gantry/cli/Stdio")<
  Stdio,
  {
    readonly stdout: (text: string) => Effect.Effect<void>
    readonly lost: Effect.Effect<Option.Option<string>>
    readonly stderr: (text: string) => Effect.Effect<void>
    readonly screen: Option.Option<Screen>
    readonly stdin: Effect.Effect<Option.Option<string>>
  }
>() {}
