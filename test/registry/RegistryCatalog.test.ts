import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as SecretStore from "../../src/credential/SecretStore.ts"
import * as ImageReference from "../../src/reference/ImageReference.ts"
import * as Authentication from "../../src/registry/Authentication.ts"
import * as ContainerRegistry from "../../src/registry/ContainerRegistry.ts"
import * as RegistryCatalog from "../../src/registry/RegistryCatalog.ts"
import { PushTransport } from "../../src/transport/PushTransport.ts"

const transport = Layer.mock(PushTransport, {})

const secrets = SecretStore.layerMemory({ a: { username: Redacted.make("u"), password: Redacted.make("p") } })

const catalog: Layer.Layer<RegistryCatalog.RegistryCatalog, unknown> = RegistryCatalog.layer({
  whole: { uri: "reg.io" },
  team: { uri: "reg.io/team", authentication: Authentication.secret("a") },
  hub: { uri: "acme" }
}).pipe(Layer.provide(transport), Layer.provide(secrets))

const ownerOf = (image: string) =>
  Effect.gen(function* () {
    const { forImage } = yield* RegistryCatalog.RegistryCatalog
    const owner = yield* forImage(ImageReference.unsafeParse(image))
    return owner.config.uri.name
  })

describe("RegistryCatalog", () => {
  it.effect("gives an image to the registry with the longest URI that owns it", () =>
    Effect.gen(function* () {
      assert.strictEqual(yield* ownerOf("reg.io/team/app:1"), "reg.io/team")
      assert.strictEqual(yield* ownerOf("reg.io/teams/app:1"), "reg.io")
      assert.strictEqual(yield* ownerOf("acme/app:1"), "docker.io/acme")
      assert.strictEqual(yield* ownerOf("registry-1.docker.io/acme/app:1"), "docker.io/acme")
    }).pipe(Effect.provide(catalog))
  )

  it.effect("says which registries there are when none owns the image", () =>
    Effect.gen(function* () {
      const error = yield* Effect.flip(ownerOf("other.io/app:1"))
      assert.ok(typeof error === "object" && error !== null && "_tag" in error)
      assert.strictEqual(error._tag, "NoMatchingRegistry")
      assert.include(String(error), "reg.io/team")
    }).pipe(Effect.provide(catalog))
  )

  it.effect("finds registries by name", () =>
    Effect.gen(function* () {
      const { get, registries } = yield* RegistryCatalog.RegistryCatalog
      assert.deepStrictEqual(Array.from(registries.keys()), ["whole", "team", "hub"])
      assert.isTrue(Option.isSome(get("team")))
      assert.isTrue(Option.isNone(get("Team")))
    }).pipe(Effect.provide(catalog))
  )

  it.effect("holds an application's single registry", () =>
    Effect.gen(function* () {
      assert.strictEqual(yield* ownerOf("reg.io/app:1"), "reg.io")
    }).pipe(
      Effect.provide(
        RegistryCatalog.layerSingle.pipe(
          Layer.provide(ContainerRegistry.layer({ uri: "reg.io" })),
          Layer.provide(transport)
        )
      )
    )
  )
})
