import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as Stream from "effect/Stream"
import { usernamePassword } from "../../src/credential/Credential.ts"
import { DockerEngine, layer } from "../../src/engine/DockerEngine.ts"
import * as ImageReference from "../../src/reference/ImageReference.ts"

// Run by DockerEngine.test.ts in a process of its own: `debug` reads its variable once, when it is loaded.
const program = Effect.gen(function* () {
  const engine = yield* DockerEngine
  const image = ImageReference.unsafeParse("127.0.0.1:6200/team/app:v1")
  const password = Redacted.make("s3cret-in-debug")
  const credential = usernamePassword({ host: "127.0.0.1:6200", username: "bob", password })
  yield* Stream.runDrain(engine.pushImage(image, Option.some(credential)))
  yield* Effect.log("pushed")
})

await Effect.runPromise(Effect.provide(program, layer({ host: process.argv[2] })))
