/** `VERSION=1.4.2 npm start` releases app and worker; `ENVIRONMENT=production` to where everybody finds them. */
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import { Config, Console, Effect, Exit, Layer } from "effect"
import { DockerEngine, PushSupervisor, PushTransport } from "gantry"
import * as Registries from "./Registries.ts"
import * as Release from "./Release.ts"
import * as Telemetry from "./Telemetry.ts"

const main = Effect.gen(function* () {
  const version = yield* Config.nonEmptyString("VERSION")
  const release = yield* Release.Release
  const images = yield* release.publish(["app", "worker"], version)
  yield* Effect.forEach(images, ({ repoDigest, status }) => Console.log(`${status} ${repoDigest}`))
})

const live = Release.layer.pipe(
  Layer.provide(PushSupervisor.layer({ concurrency: 4 })),
  Layer.provide(Registries.layer),
  Layer.provide(PushTransport.layerEngine),
  Layer.provide(DockerEngine.layerFromEnv),
  Layer.provideMerge(Telemetry.layer)
)

// An interrupt closes the layers: pushes in flight have 30 seconds, and the last spans are sent. A release that was
// interrupted is not done, and Effect would end it with 0.
NodeRuntime.runMain(Effect.provide(main, live), { teardown: (exit, end) => end(Exit.isSuccess(exit) ? 0 : 1) })
