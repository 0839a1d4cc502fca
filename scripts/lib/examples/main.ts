/** The program behind `scripts/examples/run`. */
import { parseArgs } from "node:util"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import { runMain } from "../runMain.ts"
import * as Prerequisites from "../stack/Prerequisites.ts"
import * as application from "./application.ts"
import * as batch from "./batch.ts"
import * as Command from "./Command.ts"
import * as Surroundings from "./Surroundings.ts"
import * as testing from "./testing.ts"
import * as Workspace from "./Workspace.ts"

const usage = "usage: scripts/examples/run [--runs N]"

const numberOfRuns = Effect.try({
  try: () => parseArgs({ options: { runs: { type: "string", default: "20" } } }).values.runs,
  catch: () => new Command.ExampleFailed({ message: usage })
}).pipe(
  Effect.map(Number),
  Effect.filterOrFail(
    (runs) => Number.isInteger(runs) && runs > 0,
    () => new Command.ExampleFailed({ message: usage })
  )
)

const program = Effect.gen(function* () {
  const runs = yield* numberOfRuns
  yield* Prerequisites.install
  const [workspace, surroundings] = yield* Effect.all([Workspace.make, Surroundings.make], {
    concurrency: "unbounded"
  })
  for (const project of Workspace.projects) {
    yield* Command.output(workspace.command(project, "tsc", []))
    yield* Console.log(`${project}: type-checked against the packed gantry`)
  }
  yield* application.check(workspace, surroundings)
  yield* batch.check(workspace, surroundings)
  yield* testing.check(workspace, runs)
})

runMain(Effect.scoped(program))
