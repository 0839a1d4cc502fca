/**
 * The release of gantry.yaml as a program: `VERSION=1.4.2 npx tsx release.ts`
 */
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import * as Config from "effect/Config"
import * as Console from "effect/Console"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import { Authentication, Batch, DockerEngine, PushSupervisor, PushTransport, RegistryCatalog } from "gantry"

class ReleaseIncomplete extends Data.TaggedError("ReleaseIncomplete")<{ readonly failures: number }> {}

const release = Effect.gen(function* () {
  const version = yield* Config.nonEmptyString("VERSION")
  const plan = yield* Batch.plan(
    Batch.make([
      { source: `app:${version}`, to: ["@prod/app", "@mirror/app"], tags: [`v${version}`, "latest"] },
      { source: `worker:${version}`, to: `@prod/worker:v${version}` }
    ])
  )
  const results = yield* Batch.run(plan)
  for (const { request, result } of results) {
    yield* Either.match(result, {
      onLeft: (error) => Console.error(`${request.target}: ${error.message}`),
      onRight: ({ repoDigest, status }) => Console.log(`${request.target}: ${status} ${repoDigest}`)
    })
  }
  const failures = results.filter(({ result }) => Either.isLeft(result)).length
  if (failures > 0) return yield* new ReleaseIncomplete({ failures })
})

const registries = Layer.unwrapEffect(
  Effect.gen(function* () {
    const prod = yield* Config.withDefault(Config.string("PROD"), "registry.example.com/acme")
    const mirror = yield* Config.withDefault(Config.string("MIRROR"), "mirror.example.com")
    const username = yield* Config.string("PROD_USERNAME")
    const password = yield* Config.redacted("PROD_PASSWORD")
    return RegistryCatalog.layer({
      prod: { uri: prod, authentication: Authentication.usernamePassword(username, password), protect: ["v*"] },
      mirror: { uri: mirror }
    })
  })
)

const live = PushSupervisor.layer().pipe(
  Layer.provideMerge(registries),
  Layer.provide(PushTransport.layerEngine),
  Layer.provide(DockerEngine.layerFromEnv)
)

// A release that is interrupted is not done, and Effect would end it with 0.
NodeRuntime.runMain(Effect.provide(release, live), { teardown: (exit, end) => end(Exit.isSuccess(exit) ? 0 : 1) })
