/**
 * A hundred images that a real registry has already, pushed once more: gantry beside `docker push`. What it costs to run a
 * release again.
 */
import { readFile } from "node:fs/promises"
import { join } from "node:path"
import * as Effect from "effect/Effect"
import { runMain } from "../runMain.ts"
import * as ImageFixture from "../stack/ImageFixture.ts"
import * as Prerequisites from "../stack/Prerequisites.ts"
import * as Stack from "../stack/Stack.ts"
import * as Bench from "./Bench.ts"
import * as Program from "./program.ts"
import { dockerPush, gantry, home } from "./pushPrograms.ts"

const images = 100

const unchangedIn = (report: string) =>
  Effect.promise(async () => {
    const { unchanged }: { readonly unchanged: number } = JSON.parse(await readFile(report, "utf8"))
    return unchanged
  })

const main = Effect.gen(function* () {
  yield* Prerequisites.install
  const engine = yield* Stack.engine()
  const registry = yield* Stack.registry("open")
  const references = Array.from({ length: images }, (_, index) => `${registry.host}/bench/app-${index}:v1`)
  yield* Effect.forEach(references, (reference) =>
    engine.api.load(
      ImageFixture.make({
        tags: [reference],
        layers: [
          { seed: "shared", size: ImageFixture.MiB },
          { seed: reference, size: 10_000 }
        ]
      })
    )
  )
  const folder = yield* home
  const report = join(folder, "report.json")
  const timed = (program: Program.Program) =>
    Program.timed({ ...program, environment: { DOCKER_HOST: engine.host, HOME: folder } })
  yield* timed(gantry(references))

  const again = Effect.gen(function* () {
    const elapsed = yield* timed(gantry(references, "--report", report))
    const unchanged = yield* unchangedIn(report)
    return unchanged === images
      ? elapsed
      : yield* new Bench.BenchError({ message: `${unchanged} of ${images} images were unchanged` })
  })

  const series = yield* Bench.takeTurns([
    { name: "gantry", unit: "ms", measure: again },
    { name: "docker push", unit: "ms", measure: timed(dockerPush(references)) }
  ])
  yield* Bench.conclude("rerun", series, [
    {
      name: "gantry / xargs -P8 docker push -q",
      value: Bench.medianOf(series, "gantry") / Bench.medianOf(series, "docker push"),
      limit: 0.5
    }
  ])
})

runMain(Effect.scoped(main))
