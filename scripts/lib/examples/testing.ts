/** The example tests, again and again in random order. */
import * as os from "node:os"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as Random from "effect/Random"
import * as Command from "./Command.ts"
import type { Workspace } from "./Workspace.ts"

/** Seconds that one run may take, from the start of vitest to its end. */
const limit = 5

const timed = 'TIMEFORMAT="%R %U %S"; time "$@"'

const runOnce = Effect.fnUntraced(function* (workspace: Workspace) {
  const seed = yield* Random.nextIntBetween(1, 1_000_000)
  const vitest = ["vitest", "run", "--sequence.shuffle", `--sequence.seed=${seed}`]
  const output = yield* Command.output(workspace.command("testing", "bash", ["-c", timed, "bash", ...vitest]))
  const [elapsed = Number.NaN, user = Number.NaN, system = Number.NaN] =
    output.trimEnd().split("\n").at(-1)?.split(" ").map(Number) ?? []
  return { seed, elapsed, processor: user + system, load: os.loadavg()[0] ?? 0 }
})

/**
 * Where more wants to run than there are processors, waiting says nothing of the tests: there their processor time has to
 * keep the limit.
 */
export const check = (workspace: Workspace, runs: number) =>
  Effect.gen(function* () {
    const slow: Array<string> = []
    for (let run = 1; run <= runs; run++) {
      const { elapsed, load, processor, seed } = yield* runOnce(workspace)
      const isBusy = load > os.availableParallelism()
      const told = `testing: run ${run} of ${runs}, seed ${seed}: ${elapsed} s (${processor.toFixed(2)} s of processor time${isBusy ? `; the machine's load is ${load.toFixed(1)}` : ""})`
      yield* Console.log(told)
      // Not `>`: a time that could not be read is none that was kept.
      if (!((isBusy ? processor : elapsed) <= limit)) slow.push(told)
    }
    yield* Command.expect(`each run takes ${limit} s at most`, slow.length === 0, slow.join("\n"))
  })
