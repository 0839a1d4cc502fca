/**
 * Thirty images through a real engine to a real registry: gantry, `docker push`, and dockerode alone. Two more rows have no
 * target: what Node.js takes without any library, and what gantry's questions add to that.
 *
 * Every run pushes to a registry of its own that is empty, in one repository: an engine mounts a layer that it knows to
 * be in another repository of the same registry, and would send nothing from the second run on.
 */
import * as Effect from "effect/Effect"
import { runMain } from "../runMain.ts"
import * as ImageFixture from "../stack/ImageFixture.ts"
import * as Http from "../stack/internal/http.ts"
import * as Prerequisites from "../stack/Prerequisites.ts"
import * as Stack from "../stack/Stack.ts"
import * as Bench from "./Bench.ts"
import * as Program from "./program.ts"
import { bare, bareAsking, dockerode, dockerPush, gantry, home } from "./pushPrograms.ts"

const { MiB } = ImageFixture

const images = 30
const repository = "bench/app"

const tagsAt = (port: number) =>
  Effect.map(Http.request({ host: "127.0.0.1", port, path: `/v2/${repository}/tags/list` }), ({ text }) => {
    const { tags }: { readonly tags?: ReadonlyArray<string> } = JSON.parse(text)
    return tags?.length ?? 0
  })

const main = Effect.gen(function* () {
  yield* Prerequisites.install
  const engine = yield* Stack.engine()
  const fixtures = yield* Effect.forEach(Array.from({ length: images }).keys(), (index) => {
    const fixture = ImageFixture.make({
      tags: [`bench:${index}`],
      layers: [
        { seed: "shared", size: 30 * MiB },
        { seed: `own ${index}`, size: MiB }
      ]
    })
    return Effect.as(engine.api.load(fixture), fixture)
  })
  const environment = { DOCKER_HOST: engine.host, HOME: yield* home }

  const measure = (program: (references: ReadonlyArray<string>) => Program.Program) =>
    Effect.scoped(
      Effect.gen(function* () {
        const registry = yield* Stack.registry("open")
        const references = fixtures.map((_, index) => `${registry.host}/${repository}:${index}`)
        yield* Effect.forEach(fixtures, ({ id }, index) => engine.api.tag(id, references[index] ?? ""))
        const elapsed = yield* Program.timed({ ...program(references), environment })
        const pushed = yield* tagsAt(registry.port)
        yield* Effect.forEach(references, engine.api.remove)
        return pushed === images
          ? elapsed
          : yield* new Bench.BenchError({ message: `${pushed} of ${images} images arrived` })
      })
    )

  const series = yield* Bench.takeTurns([
    { name: "gantry", unit: "ms", measure: measure(gantry) },
    { name: "docker push", unit: "ms", measure: measure(dockerPush) },
    { name: "dockerode", unit: "ms", measure: measure(dockerode) },
    { name: "node:http alone", unit: "ms", measure: measure(bare) },
    { name: "node:http, gantry's questions", unit: "ms", measure: measure(bareAsking) }
  ])
  const ratioTo = (other: string) => Bench.medianOf(series, "gantry") / Bench.medianOf(series, other)
  yield* Bench.conclude("engine", series, [
    { name: "gantry / xargs -P8 docker push -q", value: ratioTo("docker push"), limit: 1 },
    { name: "gantry / dockerode with 8 workers", value: ratioTo("dockerode"), limit: 1.05 }
  ])
})

runMain(Effect.scoped(main))
