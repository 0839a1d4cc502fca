import { assert, describe, it } from "@effect/vitest"
import * as Config from "effect/Config"
import * as ConfigProvider from "effect/ConfigProvider"
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as TestClock from "effect/TestClock"
import * as Credential from "../../src/credential/Credential.ts"
import * as SecretStore from "../../src/credential/SecretStore.ts"
import * as ImageSource from "../../src/image/ImageSource.ts"
import { PrepareRejected } from "../../src/push/PushError.ts"
import * as Digest from "../../src/reference/Digest.ts"
import * as ImageReference from "../../src/reference/ImageReference.ts"
import * as Authentication from "../../src/registry/Authentication.ts"
import * as ContainerRegistry from "../../src/registry/ContainerRegistry.ts"
import { type Comparison, PushTransport, type TransportRequest } from "../../src/transport/PushTransport.ts"

const digest = Digest.unsafeParse(`sha256:${"a".repeat(64)}`)

/** Records what a registry asks of its transport and answers at once. */
const recorder = (comparison: Comparison = { _tag: "Absent" }) => {
  const asked: Array<TransportRequest> = []
  const layer = Layer.succeed(PushTransport, {
    push: (request) =>
      Effect.delay(
        Effect.sync(() => {
          asked.push(request)
          request.emit({ _tag: "LayerPushed", layer: "abc", outcome: "uploaded" })
          return { digest, status: "pushed" as const, transport: "engine" as const, bytesUploaded: 7 }
        }),
        "3 seconds"
      ),
    compare: () => Effect.succeed(comparison)
  })
  return { asked, layer }
}

const pushThrough = (options: ContainerRegistry.ContainerRegistryOptions, image: string) => {
  const { asked, layer } = recorder()
  return Effect.gen(function* () {
    const registry = yield* ContainerRegistry.make(options)
    const fiber = yield* Effect.fork(registry.pushImage(image))
    yield* TestClock.adjust("3 seconds")
    return { pushed: yield* fiber, asked }
  }).pipe(Effect.provide(layer))
}

describe("ContainerRegistry", () => {
  it.scoped("gives the digest, the repository digest and the duration of a push", () =>
    Effect.gen(function* () {
      const { pushed } = yield* pushThrough({ uri: "localhost:5000" }, "localhost:5000/team/app:1")
      assert.strictEqual(pushed.repoDigest, `localhost:5000/team/app@${digest}`)
      assert.strictEqual(String(pushed.reference), "localhost:5000/team/app:1")
      assert.strictEqual(pushed.attempts, 1)
      assert.strictEqual(pushed.bytesUploaded, 7)
      assert.strictEqual(Duration.toSeconds(pushed.duration), 3)
    })
  )

  it.scoped("pushes an image without a tag as latest, also behind a host with a port", () =>
    Effect.gen(function* () {
      const { asked, pushed } = yield* pushThrough({ uri: "localhost:5000" }, "localhost:5000/app")
      assert.strictEqual(String(asked[0]?.target), "localhost:5000/app:latest")
      assert.strictEqual(pushed.repoDigest, `localhost:5000/app@${digest}`)
    })
  )

  it.scoped("refuses an image of another registry before it looks for a credential or sends anything", () => {
    const { asked, layer } = recorder()
    let resolved = 0
    const authentication = Authentication.make({
      label: "counting",
      isRequired: false,
      resolve: () =>
        Effect.sync(() => {
          resolved++
          return Option.none()
        })
    })
    return Effect.gen(function* () {
      const registry = yield* ContainerRegistry.make({ uri: "reg.io/foo", authentication })
      for (const image of ["reg.io/foobar/x:1", "other.io/foo/x:1", "foo/x:1"]) {
        const error = yield* Effect.flip(registry.pushImage(image))
        assert.strictEqual(error._tag, "ImageUriMismatch", image)
      }
      assert.strictEqual(resolved, 0)
      assert.deepStrictEqual(asked, [])
    }).pipe(Effect.provide(layer))
  })

  it.scoped("refuses a reference by digest, pointing at the digest", () =>
    Effect.gen(function* () {
      const registry = yield* ContainerRegistry.make({ uri: "reg.io" })
      const error = yield* Effect.flip(registry.pushImage(`reg.io/x@${digest}`))
      assert.ok(error._tag === "InvalidImageReference")
      assert.strictEqual(error.position, "reg.io/x".length)
    }).pipe(Effect.provide(recorder().layer))
  )

  it.scoped("refuses a malformed name with its position", () =>
    Effect.gen(function* () {
      const registry = yield* ContainerRegistry.make({ uri: "reg.io" })
      const error = yield* Effect.flip(registry.pushImage("reg.io/Upper:1"))
      assert.strictEqual(error._tag, "InvalidImageReference")
    }).pipe(Effect.provide(recorder().layer))
  )

  it.scoped("hands the credential of its authentication to the transport", () =>
    Effect.gen(function* () {
      const value = Credential.usernamePassword({ host: "reg.io", username: "u", password: Redacted.make("p") })
      const { asked } = yield* pushThrough(
        { uri: "reg.io", authentication: Authentication.credential(value) },
        "reg.io/app:1"
      )
      // Redacted values look alike to a deep comparison: identity tells them apart.
      assert.strictEqual(Option.getOrThrow(asked[0]?.credential ?? Option.none()), value)
    })
  )

  it.scoped("does not send a credential to another host than its own", () =>
    Effect.gen(function* () {
      const value = Credential.usernamePassword({ host: "other.io", username: "u", password: Redacted.make("p") })
      const registry = yield* ContainerRegistry.make({
        uri: "reg.io",
        authentication: Authentication.credential(value)
      })
      const error = yield* Effect.flip(registry.pushImage("reg.io/app:1"))
      assert.strictEqual(error._tag, "CredentialHostMismatch")
    }).pipe(Effect.provide(recorder().layer))
  )

  it.scoped("pushes another source under the name that was asked for", () => {
    const { asked, layer } = recorder()
    return Effect.gen(function* () {
      const registry = yield* ContainerRegistry.make({ uri: "reg.io" })
      const source = ImageSource.docker(ImageReference.unsafeParse("local/app:dev"))
      const fiber = yield* Effect.fork(registry.pushImage("reg.io/app:1", { source, platform: "linux/arm64" }))
      yield* TestClock.adjust("3 seconds")
      yield* fiber
      assert.deepStrictEqual(asked[0]?.source, source)
      assert.deepStrictEqual(asked[0]?.platform, Option.some("linux/arm64"))
    }).pipe(Effect.provide(layer))
  })

  it.scoped("runs the prepare hook with what the hook needs, after the ownership check and before the push", () => {
    class Policy extends Context.Tag("test/Policy")<Policy, { readonly forbidden: string }>() {}
    const { asked, layer } = recorder()
    const program = Effect.gen(function* () {
      const registry = yield* ContainerRegistry.make({
        uri: "reg.io",
        prepareImagePush: (image) =>
          Effect.flatMap(Policy, ({ forbidden }) =>
            image.repository === forbidden
              ? Effect.fail(new PrepareRejected({ image: String(image), detail: "not today" }))
              : Effect.void
          )
      })
      const elsewhere = yield* Effect.flip(registry.pushImage("other.io/secret:1"))
      const refused = yield* Effect.flip(registry.pushImage("reg.io/secret:1"))
      assert.strictEqual(elsewhere._tag, "ImageUriMismatch")
      assert.ok(refused._tag === "PrepareRejected" && refused.message.includes("not today"))
      assert.deepStrictEqual(asked, [])
    })
    // The hook's requirement is the program's: without Policy this does not compile.
    return program.pipe(Effect.provide(layer), Effect.provideService(Policy, { forbidden: "secret" }))
  })

  it.scoped("tells what a push would do without pushing", () =>
    Effect.gen(function* () {
      const statuses: Array<string> = []
      for (const comparison of [
        { _tag: "Absent" },
        { _tag: "Same", digest },
        { _tag: "Different", digest }
      ] satisfies Array<Comparison>) {
        const { asked, layer } = recorder(comparison)
        const preview = yield* ContainerRegistry.make({ uri: "reg.io" }).pipe(
          Effect.flatMap((registry) => registry.previewPush("reg.io/app:1")),
          Effect.provide(layer)
        )
        statuses.push(preview.status)
        assert.deepStrictEqual(asked, [])
      }
      assert.deepStrictEqual(statuses, ["would-push", "unchanged", "would-overwrite"])
    })
  )

  it.scoped("names its images from its URI and the default repository", () =>
    Effect.gen(function* () {
      const registry = yield* ContainerRegistry.make({ uri: "https://GHCR.io/acme/", defaultRepository: "app" })
      const name = (options: { repository?: string; tag: string }) =>
        Either.map(registry.imageName(options), String).pipe(Either.getOrElse((error) => error._tag))
      assert.strictEqual(name({ tag: "1" }), "ghcr.io/acme/app:1")
      assert.strictEqual(name({ repository: "worker/x", tag: "1" }), "ghcr.io/acme/worker/x:1")
      assert.strictEqual(name({ tag: "not a tag" }), "InvalidImageReference")
      const bare = yield* ContainerRegistry.make({ uri: "reg.io" })
      assert.ok(Either.isLeft(bare.imageName({ tag: "1" })))
    }).pipe(Effect.provide(recorder().layer))
  )

  it.scoped("infers its flavor from the host and knows a local registry by its host", () =>
    Effect.gen(function* () {
      const azure = yield* ContainerRegistry.make({ uri: "acme.azurecr.io" })
      const local = yield* ContainerRegistry.make({ uri: "127.0.0.1:5000/x" })
      assert.deepStrictEqual([azure.config.flavor.name, azure.config.isLocal], ["azure", false])
      assert.deepStrictEqual([local.config.flavor.name, local.config.isLocal], ["default", true])
    }).pipe(Effect.provide(recorder().layer))
  )

  it.scoped("refuses a URI that its flavor does not allow", () =>
    Effect.gen(function* () {
      const error = yield* Effect.flip(
        ContainerRegistry.make({ uri: "123456789012.dkr.ecr.eu-west-1.amazonaws.com/team" })
      )
      assert.strictEqual(error._tag, "InvalidRegistryUri")
    }).pipe(Effect.provide(recorder().layer))
  )

  it.scoped("takes its data from Config and its code from the program", () =>
    Effect.gen(function* () {
      const registry = yield* ContainerRegistry.ContainerRegistry
      assert.strictEqual(registry.config.uri.name, "ghcr.io/acme")
      assert.deepStrictEqual(registry.config.tls, Option.some("skip-verify"))
      assert.isTrue(registry.requiresAuthentication)
      const found = yield* registry.credentials
      assert.deepStrictEqual(
        Option.map(found, ({ origin, revalidate }) => ({ origin, revalidate })),
        Option.some({ origin: "secret ghcr", revalidate: true })
      )
    }).pipe(
      Effect.provide(
        ContainerRegistry.layerConfig({
          uri: Config.string("REGISTRY"),
          tls: Config.literal("verify", "skip-verify", "off")("REGISTRY_TLS"),
          authentication: Authentication.secret("ghcr")
        }).pipe(
          Layer.provide(recorder().layer),
          Layer.provide(
            SecretStore.layerMemory({ ghcr: { username: Redacted.make("bot"), password: Redacted.make("s3cret") } })
          )
        )
      ),
      Effect.withConfigProvider(
        ConfigProvider.fromMap(
          new Map([
            ["REGISTRY", "ghcr.io/acme"],
            ["REGISTRY_TLS", "skip-verify"]
          ])
        )
      )
    )
  )
})
