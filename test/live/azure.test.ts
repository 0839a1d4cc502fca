import { afterAll, assert, beforeAll, vi } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as AzureConnector from "../../src/connector/AzureConnector.ts"
import * as ServiceConnector from "../../src/connector/ServiceConnector.ts"
import * as Credential from "../../src/credential/Credential.ts"
import * as DockerEngine from "../../src/engine/DockerEngine.ts"
import type { AttemptEvent } from "../../src/push/PushEvent.ts"
import * as Authentication from "../../src/registry/Authentication.ts"
import * as ContainerRegistry from "../../src/registry/ContainerRegistry.ts"
import * as PushTransport from "../../src/transport/PushTransport.ts"
import { entraError, identityEndpoint, jsonAnswer, webToken } from "../support/fakeAzure.ts"
import { fakeAcr } from "./support/fakeAcr.ts"
import { describeLive, LiveStack, loadedImage, skopeoInspect, uniqueRepository } from "./support/stack.ts"

const acrHost = "acme.azurecr.io"
const tenantId = "11111111-1111-1111-1111-111111111111"

const principal: AzureConnector.ServicePrincipal = {
  authMethod: "service-principal",
  tenantId,
  clientId: "22222222-2222-2222-2222-222222222222",
  clientSecret: Redacted.make("lab-secret")
}
const machine: AzureConnector.ManagedIdentity = { authMethod: "managed-identity" }

const HOURS = 3 * 3600 * 1000

/** Lets the registry on loopback stand for the one in the cloud: the connector itself sees only Azure's name. */
const standIn = (connector: ServiceConnector.ServiceConnector, host: string): ServiceConnector.ServiceConnector => ({
  ...connector,
  issue: () => Effect.map(connector.issue(acrHost), ({ expiry, kind }) => Credential.make({ expiry, host, kind }))
})

type Acr = Effect.Effect.Success<ReturnType<typeof fakeAcr>>

const registryOf = ({ azure, registry }: Acr, engine: { readonly host: string }, method: AzureConnector.Method) =>
  Effect.gen(function* () {
    const connector = yield* AzureConnector.make({ ...method, allowImplicitMethods: true })
    const layer = ContainerRegistry.layer({ uri: registry.host, authentication: Authentication.connector() }).pipe(
      Layer.provide(Layer.succeed(ServiceConnector.ServiceConnector, standIn(connector, registry.host))),
      Layer.provide(PushTransport.layerEngine),
      Layer.provide(DockerEngine.layer({ host: engine.host }))
    )
    return yield* Effect.map(Layer.build(layer), (context) =>
      Effect.provide(ContainerRegistry.ContainerRegistry, context)
    )
  }).pipe(Effect.flatten, Effect.provide(azure.network))

describeLive("pushing to ACR with a connector", (it) => {
  beforeAll(async () => {
    vi.stubEnv("IDENTITY_ENDPOINT", await identityEndpoint())
    vi.stubEnv("IDENTITY_HEADER", "lab-header")
  })
  afterAll(() => {
    vi.unstubAllEnvs()
  })

  for (const method of [principal, machine]) {
    it.scoped(`lets the engine push as a ${method.authMethod}, and verifies`, () =>
      Effect.gen(function* () {
        const { engine } = yield* LiveStack
        const acr = yield* fakeAcr({ tenant: tenantId, lifetime: HOURS })
        const registry = yield* registryOf(acr, engine, method)
        const repository = uniqueRepository("azure")
        const reference = `${acr.registry.host}/${repository}:v1`
        yield* loadedImage(engine, { tags: [reference], layers: [{ seed: repository, size: 40_000 }] })
        const pushed = yield* registry.pushImage(reference)
        assert.strictEqual(pushed.status, "pushed")
        const check = yield* registry.verifyPush(repository, "upload")
        assert.strictEqual(check.push, "granted")
        const { kind } = Option.getOrThrow(yield* registry.credentials).credential
        if (kind._tag !== "UsernamePassword") return assert.fail(kind._tag)
        const login = { username: kind.username, password: Redacted.value(kind.password) }
        assert.strictEqual((yield* skopeoInspect(reference, login)).digest, String(pushed.digest))
        assert.deepStrictEqual(acr.counts, { exchanges: 1, refusals: 0 })
        const [asked] = acr.azure.asked
        assert.strictEqual(asked?.action, method === machine ? "identity" : "token")
      })
    )
  }

  it.scoped("logs in again in the middle of twenty pushes, and loses none of them", () =>
    Effect.gen(function* () {
      const { engine } = yield* LiveStack
      const acr = yield* fakeAcr({ tenant: tenantId, lifetime: 5_000, refusedBefore: 2_500 })
      const registry = yield* registryOf(acr, engine, principal)
      const events: Array<AttemptEvent["_tag"]> = []
      const pushes = Array.from({ length: 20 }, (_, n) => `${acr.registry.host}/${uniqueRepository("azure")}:v${n}`)
      for (const reference of pushes) {
        yield* loadedImage(engine, { tags: [reference], layers: [{ seed: reference, size: 40_000 }] })
      }
      // Together they take longer than a login is good for, and each a part of that.
      const pushed = yield* Effect.forEach(
        pushes,
        (reference) =>
          Effect.delay(registry.pushImage(reference, { emit: ({ _tag }) => events.push(_tag) }), "600 millis"),
        { concurrency: 4 }
      )
      assert.deepStrictEqual(
        pushed.map(({ status }) => status),
        pushes.map(() => "pushed")
      )
      // A login that had worked was refused, and another one asked for.
      assert.isAtLeast(acr.counts.refusals, 1)
      assert.isAtLeast(acr.counts.exchanges, 2)
      assert.include(events, "Reauthenticated")
    })
  )

  const failures: ReadonlyArray<
    readonly [string, "expired" | "denied" | "misconfigured" | "unavailable", (acr: Acr) => void]
  > = [
    [
      "a refresh token that is over",
      "expired",
      ({ azure }) => azure.answer("exchange", jsonAnswer({ refresh_token: webToken({ exp: 60 }, "old") }))
    ],
    [
      "an identity of another tenant",
      "denied",
      ({ azure }) => azure.answer("token", jsonAnswer({ expires_in: 3600, access_token: "a.b.c" }))
    ],
    [
      "a tenant that does not exist",
      "misconfigured",
      ({ azure }) => azure.answer("token", entraError("invalid_tenant", "AADSTS90002: Tenant not found."))
    ],
    ["an exchange that is down", "unavailable", ({ azure }) => azure.takeDown(acrHost)],
    [
      "a refresh token that is none",
      "unavailable",
      ({ azure }) => azure.answer("exchange", jsonAnswer({ refresh_token: "eyJhbGciOi.not" }))
    ]
  ]
  for (const [name, reason, spoil] of failures) {
    it.scoped(`says so when there is ${name}, and pushes nothing`, () =>
      Effect.gen(function* () {
        const { engine } = yield* LiveStack
        const acr = yield* fakeAcr({ tenant: tenantId, lifetime: HOURS })
        spoil(acr)
        const registry = yield* registryOf(acr, engine, principal)
        const reference = `${acr.registry.host}/${uniqueRepository("azure")}:v1`
        yield* loadedImage(engine, { tags: [reference], layers: [{ seed: reference, size: 1_000 }] })
        const [pushing, requests] = yield* acr.registry.observe(Effect.flip(registry.pushImage(reference)))
        for (const error of [pushing, yield* Effect.flip(registry.verify)]) {
          if (error._tag !== "ConnectorError") return assert.fail(error._tag)
          assert.deepStrictEqual([error.connector, error.reason, error.resource], ["azure", reason, acrHost])
        }
        assert.isEmpty(requests.filter(({ method }) => method !== "GET" && method !== "HEAD"))
      })
    )
  }
})
