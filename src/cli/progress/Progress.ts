/**
 * A run shown on stderr while it goes on.
 */
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Ref from "effect/Ref"
import type * as Scope from "effect/Scope"
import type { PushEvent } from "../../push/PushEvent.ts"
import { variable } from "../internal/variable.ts"
import type { Report } from "../Report.ts"
import { type Screen, Stdio } from "../Stdio.ts"
import { json } from "./json.ts"
import { none } from "./none.ts"
import type { ProgressRenderer } from "./ProgressRenderer.ts"
import { plain } from "./plain.ts"

export interface Progress {
  readonly show: (events: ReadonlyArray<PushEvent>) => Effect.Effect<void>
  readonly end: (report: Report) => Effect.Effect<void>
}

const stepThrough =
  <State>({ step }: ProgressRenderer<State>, events: ReadonlyArray<PushEvent>) =>
  (before: State): [ReadonlyArray<string>, State] => {
    const said: Array<string> = []
    const after = events.reduce((state, event) => {
      const [next, lines] = step(state, event)
      said.push(...lines)
      return next
    }, before)
    return [said, after]
  }

const lines = <State>(renderer: ProgressRenderer<State>): Effect.Effect<Progress, never, Stdio> =>
  Effect.gen(function* () {
    const { stderr } = yield* Stdio
    const state = yield* Ref.make(renderer.initial)
    const say = (lines: ReadonlyArray<string>) =>
      lines.length === 0 ? Effect.void : stderr(lines.map((line) => `${line}\n`).join(""))
    return {
      show: (events) => Effect.flatMap(Ref.modify(state, stepThrough(renderer, events)), say),
      end: (report) => say(renderer.end(report))
    }
  })

/** A CI service sets `CI`, most of them to `true`. */
const isCi = Effect.map(variable("CI"), (text) => !["", "0", "false"].includes(text.toLowerCase()))

/** A terminal on which a line can be drawn again. */
const drawable: Effect.Effect<Option.Option<Screen>, never, Stdio> = Effect.zipWith(
  Stdio,
  variable("TERM"),
  ({ screen }, terminal) => Option.filter(screen, () => terminal !== "dumb")
)

/** https://no-color.org */
const isColourless = Effect.map(variable("NO_COLOR"), (text) => text !== "")

/** Loaded when there is something to draw on: to know how wide characters are takes a twentieth of a second. */
const bars = (screen: Screen) =>
  Effect.gen(function* () {
    const [{ bars }, { coloured, colourless }] = yield* Effect.promise(() =>
      Promise.all([import("./bars.ts"), import("./internal/paint.ts")])
    )
    return yield* bars(screen, (yield* isColourless) ? colourless : coloured)
  })

/** Bars where they can be drawn, else lines. */
const drawn: Effect.Effect<Progress, never, Stdio | Scope.Scope> = Effect.flatMap(
  drawable,
  Option.match({
    onNone: (): Effect.Effect<Progress, never, Stdio | Scope.Scope> => lines(plain),
    onSome: bars
  })
)

const renderers = {
  auto: Effect.if(isCi, { onTrue: () => lines(plain), onFalse: () => drawn }),
  bars: drawn,
  plain: lines(plain),
  json: lines(json),
  none: lines(none)
}

/** Starts to show a run in the way that `--progress` names; what bars have drawn is taken away with the scope. */
export const make = (mode: keyof typeof renderers): Effect.Effect<Progress, never, Stdio | Scope.Scope> =>
  renderers[mode]
