/**
 * `--progress bars`: a line a push, drawn again in place; what has ended scrolls up.
 */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Ref from "effect/Ref"
import type * as Scope from "effect/Scope"
import type { Screen } from "../Stdio.ts"
import * as Board from "./internal/board.ts"
import { endedLine, frame } from "./internal/layout.ts"
import type { Paint } from "./internal/paint.ts"
import type { Progress } from "./Progress.ts"
import { plain } from "./plain.ts"

const frameTime = "100 millis"

/**
 * Draws at most ten times a second, however many events there are: an event changes what is known, and a fiber of the
 * scope draws that. It alone waits for a slow terminal. What it has drawn is taken away with the scope.
 */
export const bars = (screen: Screen, paint: Paint): Effect.Effect<Progress, never, Scope.Scope> =>
  Effect.gen(function* () {
    const board = yield* Ref.make(Board.empty)

    const takeEnded = (columns: number) =>
      Effect.map(Ref.getAndUpdate(board, Board.forgetEnded), ({ ended }) =>
        ended.map((push) => endedLine(push, { columns, paint }))
      )
    const draw = Effect.gen(function* () {
      const { columns, rows } = yield* screen.size
      const now = yield* Clock.currentTimeMillis
      const above = yield* takeEnded(columns)
      const lines = frame(yield* Ref.get(board), { columns, rows, now, paint })
      yield* screen.draw({ above, lines })
    })
    const leave = (last: ReadonlyArray<string>) =>
      Effect.gen(function* () {
        const { columns } = yield* screen.size
        const above = yield* takeEnded(columns)
        yield* screen.draw({ above: [...above, ...last], lines: [] })
      })

    yield* Effect.addFinalizer(() => leave([]))
    // What has ended is said once, so a frame that was begun is drawn.
    const drawing = yield* Effect.forkScoped(Effect.forever(Effect.delay(Effect.uninterruptible(draw), frameTime)))
    return {
      show: (events) => Ref.update(board, (before) => events.reduce(Board.step, before)),
      end: (report) => Effect.zipRight(Fiber.interrupt(drawing), leave(plain.end(report)))
    }
  })
