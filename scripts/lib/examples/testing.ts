/** The example tests, again and again in random order. */
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as Random from "effect/Random"
import * as Command from "./Command.ts"
import type { Workspace } from "./Workspace.ts"

/** Seconds that one run may take, from the start of vitest to its end, by the clock or of processor time. */
const limit = 5

const timed = 'TIMEFORMAT="%R %U %S"; time "$@"'

const runOnce = Effect.fnUntraced(function* (workspace: Workspace) {
  const seed = yield* Random.nextIntBetween(1, 1_000_000)
  const vitest = ["vitest", "run", "--sequence.shuffle", `--sequence.seed=${seed}`]
  const output = yield* Command.output(workspace.command("testing", "bash", ["-c", timed, "bash", ...vitest]))
  const [elapsed = Number.NaN, user = Number.NaN, system = Number.NaN] =
    output.trimEnd().split("\n").at(-1)?.split(" ").map(Number) ?? []
  return { seed, elapsed, processor: user + system }
})

/**
 * The better of the two times has to keep the limit: on a busy machine the clock counts others' turns, while processor time
 * counts what runs side by side as if it ran one after the other.
 */
export const check = (workspace: Workspace, runs: number) =>
  Effect.gen(function* () {
    const slow: Array<string> = []
    for (let run = 1; run <= runs; run++) {
      const { elapsed, processor, seed } = yield* runOnce(workspace)
      const told = `testing: run ${run} of ${runs}, seed ${seed}: ${elapsed} s, ${processor.toFixed(2)} s of processor time`
      yield* Console.log(told)
      // Not `>`: a time that could not be read is none that was kept.
      if (!(Math.min(elapsed, processor) <= limit)) slow.push(told)
    }
    yield* Command.expect(`each run takes ${limit} s at most`, slow.length === 0, slow.join("\n"))
  })
