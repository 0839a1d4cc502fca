/** What the application does in each environment: its own layers, with a configuration and a transport of the test's. */
import { assert, describe, it } from "@effect/vitest"
import { ConfigProvider, Effect, Layer, Option } from "effect"
import { PushSupervisor } from "gantry"
import { TestRegistry, TestTransport } from "gantry/testing"
import * as Registries from "../../application/src/Registries.ts"
import * as Release from "../../application/src/Release.ts"

const application = (configuration: Readonly<Record<string, string>>) =>
  Release.layer.pipe(
    Layer.provide(PushSupervisor.layer()),
    Layer.provide(Registries.layer),
    Layer.provideMerge(TestTransport.layer()),
    Layer.provide(TestRegistry.layer()),
    Layer.provide(Layer.setConfigProvider(ConfigProvider.fromMap(new Map(Object.entries(configuration)))))
  )

/** Where a release goes, and as whom. */
const destinations = Effect.gen(function* () {
  const release = yield* Release.Release
  yield* release.publish(["app"], "1.4.2")
  const transport = yield* TestTransport.TestTransport
  const pushes = (yield* transport.calls).filter(({ method }) => method === "push")
  return pushes.map(({ credential, target }) => {
    const user = Option.map(credential, ({ kind }) => (kind._tag === "UsernamePassword" ? kind.username : kind._tag))
    return `${target} as ${Option.getOrElse(user, () => "nobody")}`
  })
})

describe("Registries", () => {
  it.effect("are one without a login in development", () =>
    Effect.gen(function* () {
      assert.deepStrictEqual(yield* destinations, ["localhost:5000/app:1.4.2 as nobody"])
    }).pipe(Effect.provide(application({})))
  )

  it.effect("are two in production, each with its own login", () =>
    Effect.gen(function* () {
      assert.sameMembers(yield* destinations, [
        "registry.example.com/shop/app:1.4.2 as releases",
        "ghcr.io/acme/app:1.4.2 as acme-bot"
      ])
    }).pipe(
      Effect.provide(
        application({
          ENVIRONMENT: "production",
          COMPANY_REGISTRY: "registry.example.com/shop",
          GANTRY_SECRET_COMPANY_USERNAME: "releases",
          GANTRY_SECRET_COMPANY_PASSWORD: "a password",
          PUBLIC_REGISTRY: "ghcr.io/acme",
          PUBLIC_USERNAME: "acme-bot",
          PUBLIC_PASSWORD: "a token"
        })
      )
    )
  )
})
