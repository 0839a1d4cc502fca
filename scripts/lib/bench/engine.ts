/**
 * Thirty images through a real engine to a real registry: gantry, `docker push`, and dockerode alone. Each image has a
 * repository of its own, as services that share a base have. Three more rows push them as thirty tags of one
 * repository, where the engine itself sends a shared layer once: what gantry costs besides.
 *
 * Every run pushes to a registry of its own that is empty: an engine mounts a layer that it knows to be in another
 * repository of the same registry, and would send nothing from the second run on.
 */
import * as Effect from "effect/Effect"
import { runMain } from "../runMain.ts"
import * as ImageFixture from "../stack/ImageFixture.ts"
import * as Http from "../stack/internal/http.ts"
import * as Prerequisites from "../stack/Prerequisites.ts"
import * as Stack from "../stack/Stack.ts"
import * as Bench from "./Bench.ts"
import * as Program from "./program.ts"
import { dockerode, dockerPush, gantry, home } from "./pushPrograms.ts"

const { MiB } = ImageFixture

const images = 30

/** Where the images go in a registry. */
type Place = (index: number) => string

const ownRepository: Place = (index) => `bench/app-${index}:v1`

const oneRepository: Place = (index) => `bench/app:${index}`

const isThere = (port: number, place: string) => {
  const [repository, tag] = place.split(":")
  const headers = { accept: "application/vnd.docker.distribution.manifest.v2+json" }
  return Effect.map(
    Http.request({ host: "127.0.0.1", port, path: `/v2/${repository}/manifests/${tag}`, headers }),
    ({ status }) => status === 200
  )
}

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

  const measure = (program: (references: ReadonlyArray<string>) => Program.Program, place: Place) =>
    Effect.scoped(
      Effect.gen(function* () {
        const registry = yield* Stack.registry("open")
        const places = Array.from(fixtures.keys(), place)
        const references = places.map((one) => `${registry.host}/${one}`)
        yield* Effect.forEach(fixtures, ({ id }, index) => engine.api.tag(id, references[index] ?? ""))
        const elapsed = yield* Program.timed({ ...program(references), environment })
        const pushed = yield* Effect.filter(places, (one) => isThere(registry.port, one))
        yield* Effect.forEach(references, engine.api.remove)
        return pushed.length === images
          ? elapsed
          : yield* new Bench.BenchError({ message: `${pushed.length} of ${images} images arrived` })
      })
    )

  const clients = { gantry, "docker push": dockerPush, dockerode }
  const series = yield* Bench.takeTurns(
    Object.entries(clients).flatMap(([name, program]) => [
      { name, unit: "ms", measure: measure(program, ownRepository) },
      { name: `${name}, one repository`, unit: "ms", measure: measure(program, oneRepository) }
    ])
  )
  const ratio = (name: string, other: string) => Bench.medianOf(series, name) / Bench.medianOf(series, other)
  yield* Bench.conclude("engine", series, [
    { name: "gantry / xargs -P8 docker push -q", value: ratio("gantry", "docker push"), limit: 1 },
    { name: "gantry / dockerode with 8 workers", value: ratio("gantry", "dockerode"), limit: 1.05 },
    {
      name: "the same as docker push, one repository",
      value: ratio("gantry, one repository", "docker push, one repository"),
      limit: 1.3
    }
  ])
})

runMain(Effect.scoped(main))
