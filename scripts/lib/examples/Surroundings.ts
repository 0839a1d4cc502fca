/** What the examples push from and to: a real engine with their images, and real registries. */
import * as Effect from "effect/Effect"
import * as ImageFixture from "../stack/ImageFixture.ts"
import type * as Registry from "../stack/Registry.ts"
import * as Stack from "../stack/Stack.ts"

export const version = "1.4.2"

export interface Surroundings {
  readonly dockerHost: string
  readonly registries: Readonly<Record<"open" | "htpasswd" | "token", Registry.Registry>>
}

const engine = Effect.gen(function* () {
  const engine = yield* Stack.engine()
  for (const name of ["app", "worker"]) {
    const layers = [{ seed: name, size: 50_000 }]
    yield* engine.api.load(ImageFixture.make({ tags: [`${name}:${version}`], layers }))
  }
  return engine.host
})

/** All of its own, until the scope closes. */
export const make = Effect.gen(function* () {
  const tokenServer = yield* Stack.tokenServer()
  const [dockerHost, open, htpasswd, token] = yield* Effect.all(
    [engine, Stack.registry("open"), Stack.registry("htpasswd"), Stack.registry(tokenServer)],
    { concurrency: "unbounded" }
  )
  const surroundings: Surroundings = { dockerHost, registries: { open, htpasswd, token } }
  return surroundings
})
