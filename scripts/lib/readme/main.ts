/**
 * Runs what README and guides show against the packed gantry, with a real engine that has `app:1` and `worker:1`, and a real
 * registry at localhost:5300. Arguments choose pages by their names.
 */
import { argv } from "node:process"
import * as Console from "effect/Console"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import { choose } from "../choose.ts"
import * as repository from "../pages/repository.ts"
import { runMain } from "../runMain.ts"
import * as ImageFixture from "../stack/ImageFixture.ts"
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

/** The pages whose names the arguments are parts of. */
const chosen = Effect.suspend(() => {
  const pages = repository.pages()
  const paths = [...pages.keys()]
  return Either.match(choose(paths, argv.slice(2)), {
    onLeft: (unknown) =>
      new PagesWrong({ message: `no page is called ${unknown.join(" or ")}; there are\n  ${paths.join("\n  ")}` }),
    onRight: (names) => Effect.succeed([...pages].filter(([path]) => names.has(path)))
  })
})

const program = Effect.gen(function* () {
  const pages = yield* chosen
  yield* Prerequisites.install
  const [{ host }] = yield* Effect.all([engine, Stack.registryOn(registryPort, "open")], { concurrency: "unbounded" })
  const reader = yield* Sandbox.make(host)
  const problems: Array<string> = []
  for (const [path, markdown] of pages) {
    const outcome = yield* runPage(reader, path, markdown)
    yield* Console.error(`${path}: ${outcome.done} blocks do what they say, ${outcome.skipped.length} are only read`)
    yield* Effect.forEach(outcome.skipped, (line) => Console.error(`  ${line}`))
    problems.push(...outcome.problems)
  }
  yield* Effect.forEach(problems, (problem) => Console.error(problem))
  if (problems.length > 0)
    return yield* new PagesWrong({ message: `${problems.length} blocks do not do what they say` })
})

runMain(Effect.scoped(program))
