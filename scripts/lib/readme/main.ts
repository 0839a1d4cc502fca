/**
 * Runs what README and guides show against the packed gantry, with a real engine that has `app:1` and `worker:1`, and a real
 * registry at localhost:5300. Arguments choose pages by their names.
 */
import { rmSync } from "node:fs"
import { argv } from "node:process"
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import * as Console from "effect/Console"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as repository from "../pages/repository.ts"
import * as ImageFixture from "../stack/ImageFixture.ts"
import { attempt } from "../stack/internal/daemon.ts"
import * as Prerequisites from "../stack/Prerequisites.ts"
import * as Stack from "../stack/Stack.ts"
import { runPage } from "./runPage.ts"
import * as Sandbox from "./Sandbox.ts"

class PagesWrong extends Data.TaggedError("PagesWrong")<{ readonly message: string }> {}

const registryPort = 5300

const engine = Effect.gen(function* () {
  const engine = yield* Stack.engine()
  for (const name of ["app", "worker"]) {
    yield* engine.api.load(ImageFixture.make({ tags: [`${name}:1`], layers: [{ seed: name, size: ImageFixture.MiB }] }))
  }
  return engine
})

const sandbox = (engine: string) =>
  Effect.acquireRelease(
    attempt(async () => Sandbox.make(engine)),
    ({ base }) => Effect.sync(() => rmSync(base, { recursive: true, force: true }))
  )

const program = Effect.gen(function* () {
  yield* Prerequisites.install
  const [{ host }] = yield* Effect.all([engine, Stack.registryOn(registryPort, "open")], { concurrency: "unbounded" })
  const reader = yield* sandbox(host)
  const chosen = [...repository.pages()].filter(
    ([path]) => argv.length === 2 || argv.slice(2).some((name) => path.includes(name))
  )
  const problems: Array<string> = []
  for (const [path, markdown] of chosen) {
    const outcome = runPage(reader, path, markdown)
    yield* Console.error(`${path}: ${outcome.done} blocks do what they say, ${outcome.skipped.length} are only read`)
    yield* Effect.forEach(outcome.skipped, (line) => Console.error(`  ${line}`))
    problems.push(...outcome.problems)
  }
  yield* Effect.forEach(problems, (problem) => Console.error(problem))
  if (problems.length > 0)
    return yield* new PagesWrong({ message: `${problems.length} blocks do not do what they say` })
})

program.pipe(
  Effect.scoped,
  Effect.tapError((error) => Console.error(error.message)),
  NodeRuntime.runMain({ disableErrorReporting: true })
)
