import { assert, describe, it } from "@effect/vitest"
import * as Chunk from "effect/Chunk"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as Stream from "effect/Stream"
import * as TestClock from "effect/TestClock"
import { usernamePassword } from "../../src/credential/Credential.ts"
import * as RegistryClient from "../../src/distribution/RegistryClient.ts"
import * as Descriptor from "../../src/image/Descriptor.ts"
import * as ImageReference from "../../src/reference/ImageReference.ts"
import * as TestRegistry from "../../src/testing/TestRegistry.ts"

const bytes = (text: string) => new TextEncoder().encode(text)
const image = ImageReference.unsafeParse("registry.test/acme/app:1")
const content = { config: bytes("{}"), layers: [bytes("layer")] }

const user = (username: string, actions: TestRegistry.TestUser["actions"]): TestRegistry.TestUser => ({
  username,
  password: Redacted.make(`${username}-password`),
  actions
})

const clientAs = (username: Option.Option<string>) =>
  RegistryClient.make({
    host: "registry.test",
    credential: Option.map(username, (name) =>
      usernamePassword({ host: "registry.test", username: name, password: Redacted.make(`${name}-password`) })
    )
  })

describe("TestRegistry", () => {
  it.scoped("gives back an image that was added, by tag and by digest", () =>
    Effect.gen(function* () {
      const registry = yield* TestRegistry.TestRegistry
      const added = yield* registry.addImage(image, content)
      const client = yield* clientAs(Option.none())
      const byTag = yield* client.getManifest("acme/app", "1")
      const byDigest = yield* client.headManifest("acme/app", String(added.digest))
      assert.deepStrictEqual(
        Option.map(byTag, (stored) => String(stored.descriptor.digest)),
        Option.some(String(added.digest))
      )
      assert.deepStrictEqual(byDigest, Option.some(added))
    }).pipe(Effect.provide(TestRegistry.layer()))
  )

  it.scoped("keeps the images of two hosts apart", () =>
    Effect.gen(function* () {
      const registry = yield* TestRegistry.TestRegistry
      yield* registry.addImage(image, content)
      const other = yield* RegistryClient.make({ host: "mirror.test", credential: Option.none() })
      assert.deepStrictEqual(yield* other.headManifest("acme/app", "1"), Option.none())
    }).pipe(Effect.provide(TestRegistry.layer()))
  )

  it.scoped("shows what was put there, under both of its names", () =>
    Effect.gen(function* () {
      const registry = yield* TestRegistry.TestRegistry
      yield* registry.addImage(image, content)
      const client = yield* clientAs(Option.none())
      const stored = Option.getOrThrow(yield* client.getManifest("acme/app", "1"))
      const put = yield* client.putManifest("acme/app", "2", {
        mediaType: stored.descriptor.mediaType,
        body: stored.body
      })
      const found = yield* registry.find(ImageReference.unsafeParse(`registry.test/acme/app:2`))
      assert.deepStrictEqual(Option.map(found, Descriptor.fromBytes), Option.some(put))
      assert.deepStrictEqual(Chunk.toArray(yield* Stream.runCollect(client.tags("acme/app"))), ["1", "2"])
    }).pipe(Effect.provide(TestRegistry.layer()))
  )

  it.scoped("refuses a manifest whose layers it does not hold", () =>
    Effect.gen(function* () {
      const registry = yield* TestRegistry.TestRegistry
      yield* registry.addImage(image, content)
      const client = yield* clientAs(Option.none())
      const stored = Option.getOrThrow(yield* client.getManifest("acme/app", "1"))
      const error = yield* Effect.flip(
        client.putManifest("acme/other", "1", { mediaType: stored.descriptor.mediaType, body: stored.body })
      )
      assert.strictEqual(error._tag === "ManifestRejected" && error.reason, "blob-unknown")
    }).pipe(Effect.provide(TestRegistry.layer()))
  )

  it.scoped("asks for Basic and lets each user do what they may", () =>
    Effect.gen(function* () {
      const registry = yield* TestRegistry.TestRegistry
      yield* registry.addImage(image, content)
      const read = (username: Option.Option<string>) =>
        Effect.flatMap(clientAs(username), (client) => Effect.either(client.headManifest("acme/app", "1")))
      const open = Effect.flatMap(clientAs(Option.some("reader")), (client) =>
        Effect.either(client.openUpload("acme/app"))
      )
      assert.isTrue(Either.isRight(yield* read(Option.some("reader"))))
      assert.strictEqual(leftTag(yield* read(Option.none())), "RegistryUnauthorized")
      assert.strictEqual(leftTag(yield* read(Option.some("stranger"))), "RegistryUnauthorized")
      assert.strictEqual(leftTag(yield* open), "RegistryDenied")
    }).pipe(
      Effect.provide(TestRegistry.layer({ authentication: { type: "basic", users: [user("reader", ["pull"])] } }))
    )
  )

  it.scoped("lets its tokens end on the Clock and when they are revoked", () =>
    Effect.gen(function* () {
      const registry = yield* TestRegistry.TestRegistry
      yield* registry.addImage(image, content)
      const client = yield* clientAs(Option.some("writer"))
      const asked = Effect.map(registry.requests, (requests) => requests.map(({ url }) => url.pathname))
      yield* client.headManifest("acme/app", "1")
      yield* client.headManifest("acme/app", "1")
      assert.strictEqual((yield* asked).filter((path) => path === "/token").length, 1)
      yield* TestClock.adjust("5 minutes")
      yield* client.headManifest("acme/app", "1")
      assert.strictEqual((yield* asked).filter((path) => path === "/token").length, 2)
      yield* registry.revokeTokens
      yield* client.headManifest("acme/app", "1")
      assert.strictEqual((yield* asked).filter((path) => path === "/token").length, 3)
    }).pipe(
      Effect.provide(
        TestRegistry.layer({ authentication: { type: "token", users: [user("writer", ["pull", "push"])] } })
      )
    )
  )

  it.scoped("plays faults in the order they were given, each as often as it says", () =>
    Effect.gen(function* () {
      const registry = yield* TestRegistry.TestRegistry
      const client = yield* clientAs(Option.none())
      yield* registry.fault({ method: "HEAD", times: 1, effect: { type: "answer", status: 503 } })
      yield* registry.fault({ path: /manifests/, times: 1, effect: { type: "disconnect" } })
      const head = Effect.either(client.headManifest("acme/app", "1"))
      assert.strictEqual(leftReason(yield* head), "status")
      assert.strictEqual(leftReason(yield* head), "reset")
      assert.deepStrictEqual(yield* head, Either.right(Option.none()))
    }).pipe(Effect.provide(TestRegistry.layer()))
  )

  it.scoped("delays an answer on the Clock and hangs for as long as anybody waits", () =>
    Effect.gen(function* () {
      const registry = yield* TestRegistry.TestRegistry
      const client = yield* clientAs(Option.none())
      yield* registry.fault({ times: 1, effect: { type: "delay", duration: "10 seconds" } })
      yield* registry.fault({ times: 1, effect: { type: "hang" } })
      const delayed = yield* Effect.fork(Effect.timed(client.headManifest("acme/app", "1")))
      yield* TestClock.adjust("10 seconds")
      assert.strictEqual(Duration.toSeconds((yield* Fiber.join(delayed))[0]), 10)
      const hanging = yield* Effect.fork(Effect.either(client.headManifest("acme/app", "1")))
      yield* TestClock.adjust("1 hour")
      assert.strictEqual(leftReason(yield* Fiber.join(hanging)), "timeout")
    }).pipe(Effect.provide(TestRegistry.layer()))
  )

  it.scoped("takes uploads of blobs, and forgets the ones that are cancelled", () =>
    Effect.gen(function* () {
      const client = yield* clientAs(Option.none())
      const upload = yield* client.openUpload("acme/app")
      yield* client.cancelUpload(upload)
      const again = yield* Effect.flip(client.cancelUpload(upload))
      assert.strictEqual(again._tag === "RegistryRejected" && again.status, 404)
    }).pipe(Effect.provide(TestRegistry.layer()))
  )
})

const leftTag = <E extends { readonly _tag: string }>(either: Either.Either<unknown, E>) =>
  Either.isLeft(either) ? either.left._tag : "no failure"

const leftReason = (either: Either.Either<unknown, { readonly _tag: string }>) =>
  Either.isLeft(either) && "reason" in either.left ? either.left.reason : "no reason"
