import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as ImageReference from "../../src/reference/ImageReference.ts"
import * as Authentication from "../../src/registry/Authentication.ts"
import * as ContainerRegistry from "../../src/registry/ContainerRegistry.ts"
import * as TestRegistry from "../../src/testing/TestRegistry.ts"
import { PushTransport } from "../../src/transport/PushTransport.ts"

const password = (text: string) => Redacted.make(text)

const users: ReadonlyArray<TestRegistry.TestUser> = [
  { username: "dev", password: password("devpw"), actions: ["pull", "push"] },
  { username: "ro", password: password("ropw"), actions: ["pull"] }
]

const registryFor = (username: string, secret: string, options?: { readonly defaultRepository: string }) =>
  ContainerRegistry.make({
    uri: "reg.io/team",
    authentication: Authentication.usernamePassword(username, password(secret)),
    ...options
  })

const world = (authentication: TestRegistry.TestAuthentication) =>
  Layer.merge(TestRegistry.layer({ authentication }), Layer.mock(PushTransport, {}))

const token = world({ type: "token", users })

describe("ContainerRegistry.verify", () => {
  it.scoped("says where the credential came from and that a token server grants pushing", () =>
    Effect.gen(function* () {
      const registry = yield* registryFor("dev", "devpw", { defaultRepository: "app" })
      const check = yield* registry.verify
      assert.strictEqual(check.registry, "reg.io")
      assert.deepStrictEqual(check.origin, Option.some("the given username and password"))
      assert.deepStrictEqual(check.repository, Option.some("team/app"))
      assert.strictEqual(check.push, "granted")
    }).pipe(Effect.provide(token))
  )

  it.scoped("writes nothing: it asks only with GET", () =>
    Effect.gen(function* () {
      const registry = yield* registryFor("dev", "devpw", { defaultRepository: "app" })
      yield* registry.verify
      const asked = yield* Effect.flatMap(TestRegistry.TestRegistry, ({ requests }) => requests)
      assert.isAbove(asked.length, 0)
      assert.deepStrictEqual(
        asked.filter(({ method }) => method !== "GET"),
        []
      )
    }).pipe(Effect.provide(token))
  )

  it.scoped("says that a user who may only read is refused to push", () =>
    Effect.gen(function* () {
      const registry = yield* registryFor("ro", "ropw")
      assert.strictEqual((yield* registry.verifyPush("team/app", "token")).push, "refused")
    }).pipe(Effect.provide(token))
  )

  it.scoped("does not know about pushing without a repository, or where only passwords are checked", () =>
    Effect.gen(function* () {
      const registry = yield* registryFor("dev", "devpw")
      assert.strictEqual((yield* registry.verify).push, "unknown")
      assert.strictEqual((yield* registry.verifyPush("team/app", "token")).push, "unknown")
    }).pipe(Effect.provide(world({ type: "basic", users })))
  )

  it.scoped("tells a wrong password from a registry that can not be reached", () =>
    Effect.gen(function* () {
      const registry = yield* registryFor("dev", "wrong")
      const wrong = yield* Effect.flip(registry.verify)
      assert.strictEqual(wrong._tag, "RegistryUnauthorized")
      const { fault } = yield* TestRegistry.TestRegistry
      yield* fault({ effect: { type: "disconnect" } })
      const gone = yield* Effect.flip(registry.verify)
      assert.ok(gone._tag === "RegistryUnavailable")
      assert.strictEqual(gone.reason, "reset")
    }).pipe(Effect.provide(world({ type: "basic", users })))
  )
})

describe("ContainerRegistry.digest", () => {
  it.scoped("gives the digest of a tag, none for a tag that is not there, and refuses other registries' images", () =>
    Effect.gen(function* () {
      const { addImage } = yield* TestRegistry.TestRegistry
      const stored = yield* addImage(ImageReference.unsafeParse("reg.io/team/app:1"), {
        config: new Uint8Array(1),
        layers: []
      })
      const registry = yield* registryFor("dev", "devpw")
      const found = yield* registry.digest("reg.io/team/app:1")
      assert.deepStrictEqual(Option.map(found, String), Option.some(String(stored.digest)))
      assert.deepStrictEqual(yield* registry.digest("reg.io/team/app:2"), Option.none())
      assert.strictEqual((yield* Effect.flip(registry.digest("other.io/app:1")))._tag, "ImageUriMismatch")
    }).pipe(Effect.provide(token))
  )
})
