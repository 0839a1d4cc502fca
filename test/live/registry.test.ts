import { assert } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as LabUser from "../../scripts/lib/stack/LabUser.ts"
import * as Stack from "../../scripts/lib/stack/Stack.ts"
import * as Credential from "../../src/credential/Credential.ts"
import * as DockerEngine from "../../src/engine/DockerEngine.ts"
import * as ContainerRegistry from "../../src/registry/ContainerRegistry.ts"
import { PushTransport } from "../../src/transport/PushTransport.ts"
import { credentialsOf, push, registryAt } from "./support/gantry.ts"
import { describeLive, LiveStack, loadedImage, skopeoInspect, uniqueRepository } from "./support/stack.ts"

const layers = (seed: string) => [{ seed, size: 20_000 }]

describeLive("asking a real registry", (it) => {
  for (const name of ["htpasswd", "token"] as const) {
    it.scoped(`verify tells right and wrong passwords of the ${name} registry apart, without a write`, () =>
      Effect.gen(function* () {
        const { engine, registries } = yield* LiveStack
        const registry = registries[name]
        const verifyAs = (credentials: { readonly username: string; readonly password: string } | undefined) =>
          Effect.flatMap(ContainerRegistry.ContainerRegistry, (_) => _.verifyPush("live/verify", "token")).pipe(
            Effect.provide(registryAt(engine, registry.host, credentials))
          )
        const [check, requests] = yield* registry.observe(verifyAs(credentialsOf(registry)))
        assert.strictEqual(check.push, name === "token" ? "granted" : "unknown")
        assert.deepStrictEqual(check.expiry, Option.some(Credential.Expiry.Never()))
        assert.isTrue(requests.every(({ method }) => method === "GET"))
        const wrong = yield* Effect.flip(verifyAs({ ...LabUser.dev, password: "wrong" }))
        assert.strictEqual(wrong._tag, "RegistryUnauthorized")
        if (name === "token") {
          assert.strictEqual((yield* verifyAs(LabUser.readOnly)).push, "refused")
        }
      })
    )
  }

  it.scoped("verify with an upload proves the right to push and leaves no manifest and no tag", () =>
    Effect.gen(function* () {
      const { engine, registries } = yield* LiveStack
      const repository = uniqueRepository("upload")
      const [check, requests] = yield* registries.htpasswd.observe(
        Effect.flatMap(ContainerRegistry.ContainerRegistry, (_) => _.verifyPush(repository, "upload")).pipe(
          Effect.provide(registryAt(engine, registries.htpasswd.host, LabUser.dev))
        )
      )
      assert.strictEqual(check.push, "granted")
      assert.deepStrictEqual(
        requests.filter(({ status }) => status !== 401).map(({ method }) => method),
        ["POST", "DELETE"]
      )
    })
  )

  it.scoped("says that nothing listens, and that what listens speaks plain HTTP", () =>
    Effect.gen(function* () {
      const registry = yield* Stack.registry("open")
      const verify = (options: ContainerRegistry.ContainerRegistryOptions) =>
        Effect.flatMap(ContainerRegistry.ContainerRegistry, (_) => Effect.flip(_.verify)).pipe(
          Effect.provide(ContainerRegistry.layer(options).pipe(Layer.provide(Layer.mock(PushTransport, {}))))
        )
      const plain = yield* verify({ uri: registry.host, tls: "verify" })
      assert.ok(plain._tag === "RegistryUnavailable")
      assert.strictEqual(plain.reason, "plain-http")
      yield* registry.kill
      const gone = yield* verify({ uri: registry.host })
      assert.ok(gone._tag === "RegistryUnavailable")
      assert.strictEqual(gone.reason, "refused")
    })
  )

  it.scoped("digest gives what skopeo sees, and none for a tag that is not there", () =>
    Effect.gen(function* () {
      const { engine, registries } = yield* LiveStack
      const reference = `${registries.token.host}/${uniqueRepository("digest")}:v1`
      const credentials = credentialsOf(registries.token)
      yield* loadedImage(engine, { tags: [reference], layers: layers("digest") })
      yield* push(engine, reference, { credentials })
      const digestOf = (image: string) =>
        Effect.flatMap(ContainerRegistry.ContainerRegistry, (_) => _.digest(image)).pipe(
          Effect.provide(registryAt(engine, registries.token.host, credentials))
        )
      const { digest } = yield* skopeoInspect(reference, credentials)
      assert.deepStrictEqual(Option.map(yield* digestOf(reference), String), Option.some(digest))
      assert.deepStrictEqual(yield* digestOf(reference.replace(/:v1$/, ":v2")), Option.none())
    })
  )
})

describeLive("pulling through a real engine", (it) => {
  for (const name of ["open", "htpasswd", "token"] as const) {
    it.scoped(`pulls back from the ${name} registry what was pushed there`, () =>
      Effect.gen(function* () {
        const { engine, registries } = yield* LiveStack
        const registry = registries[name]
        const credentials = credentialsOf(registry)
        const reference = `${registry.host}/${uniqueRepository("pull")}:v1`
        const image = yield* loadedImage(engine, { tags: [reference], layers: layers(`pull ${name}`) })
        const pushed = yield* push(engine, reference, { credentials })
        yield* engine.api.remove(reference)

        const pullAs = (who: typeof credentials, what = reference) =>
          Effect.flatMap(ContainerRegistry.ContainerRegistry, (_) => _.pullImage(what)).pipe(
            Effect.provide(registryAt(engine, registry.host, who)),
            Effect.provide(DockerEngine.layer({ host: engine.host }))
          )
        const missing = yield* Effect.flip(pullAs(credentials, reference.replace(/:v1$/, ":absent")))
        assert.strictEqual(missing._tag, "ImageNotFound")
        if (credentials !== undefined) {
          const wrong = yield* Effect.flip(pullAs({ ...credentials, password: "wrong" }))
          assert.strictEqual(wrong._tag, "RegistryUnauthorized")
        }
        const pulled = yield* pullAs(credentials)
        assert.strictEqual(pulled.repoDigest, pushed.repoDigest)
        const there = yield* engine.api.inspect(reference)
        assert.deepStrictEqual(
          Option.map(there, ({ Id }) => Id),
          Option.some(image.id)
        )
      })
    )
  }
})

describeLive("the way out to dockerode", (it) => {
  it.scoped("carries the registry's credential, so dockerode itself may push", () =>
    Effect.gen(function* () {
      const { engine, registries } = yield* LiveStack
      const registry = registries.htpasswd
      const reference = `${registry.host}/${uniqueRepository("dockerode")}:v1`
      yield* loadedImage(engine, { tags: [reference], layers: layers("dockerode") })
      const text = yield* Effect.gen(function* () {
        const docker = yield* Effect.flatMap(ContainerRegistry.ContainerRegistry, ContainerRegistry.dockerClient)
        return yield* docker.use(async (client, options) => {
          const stream = await client.getImage(reference.replace(/:v1$/, "")).push({ tag: "v1", ...options })
          let text = ""
          for await (const chunk of stream) text += chunk
          return text
        })
      }).pipe(
        Effect.provide(registryAt(engine, registry.host, LabUser.dev)),
        Effect.provide(DockerEngine.layer({ host: engine.host }))
      )
      assert.include(text, (yield* skopeoInspect(reference, LabUser.dev)).digest)
    })
  )
})
