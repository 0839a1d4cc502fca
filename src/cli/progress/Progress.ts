/**
 * A run shown on stderr while it goes on.
 */
import * as Effect from "effect/Effect"
import * as Ref from "effect/Ref"
import type { PushEvent } from "../../push/PushEvent.ts"
import type { Report } from "../Report.ts"
import { Stdio } from "../Stdio.ts"
import { json } from "./json.ts"
import { none } from "./none.ts"
import type { ProgressRenderer } from "./ProgressRenderer.ts"
import { plain } from "./plain.ts"

export interface Progress {
  readonly show: (event: PushEvent) => Effect.Effect<void>
  readonly end: (report: Report) => Effect.Effect<void>
}

const start = <State>(renderer: ProgressRenderer<State>): Effect.Effect<Progress, never, Stdio> =>
  Effect.gen(function* () {
    const { stderr } = yield* Stdio
    const state = yield* Ref.make(renderer.initial)
    const say = (lines: ReadonlyArray<string>) => stderr(lines.map((line) => `${line}\n`).join(""))
    return {
      show: (event) =>
        Effect.flatMap(
          Ref.modify(state, (before) => {
            const [after, lines] = renderer.step(before, event)
            return [lines, after]
          }),
          say
        ),
      end: (report) => say(renderer.end(report))
    }
  })

const renderers = { auto: start(plain), plain: start(plain), json: start(json), none: start(none) }

/** Starts to show a run in the way that `--progress` names. */
export const make = (mode: keyof typeof renderers): Effect.Effect<Progress, never, Stdio> => renderers[mode]
