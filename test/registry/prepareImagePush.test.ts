import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import * as Redacted from "effect/Redacted"
import { ConnectorError } from "../../src/connector/ConnectorError.ts"
import * as ServiceConnector from "../../src/connector/ServiceConnector.ts"
import * as Credential from "../../src/credential/Credential.ts"
import { PrepareRejected } from "../../src/push/PushError.ts"
import * as Digest from "../../src/reference/Digest.ts"
import * as ImageReference from "../../src/reference/ImageReference.ts"
import * as Authentication from "../../src/registry/Authentication.ts"
import * as ContainerRegistry from "../../src/registry/ContainerRegistry.ts"
import { PushTransport } from "../../src/transport/PushTransport.ts"

const digest = Digest.unsafeParse(`sha256:${"a".repeat(64)}`)

/** A registry whose credential comes from a connector, and all that happens there, in order. */
const makeRegistry = (options: {
  readonly refuses?: ConnectorError["reason"]
  readonly prepareImagePush?: ContainerRegistry.ContainerRegistryOptions["prepareImagePush"]
}) =>
  Effect.gen(function* () {
    const happened: Array<string> = []
    const happens = (what: string) => Effect.sync(() => void happened.push(what))
    const connector = ServiceConnector.make({
      type: "test",
      authMethod: "token",
      issue: (host) =>
        Effect.as(
          happens("issue"),
          Credential.usernamePassword({ host, username: "ci", password: Redacted.make("secret") })
        ),
      ensureRepository: ({ name }) =>
        Effect.zipRight(
          happens(`ensure ${name}`),
          options.refuses === undefined
            ? Effect.void
            : new ConnectorError({ connector: "test", reason: options.refuses, detail: "may not look" })
        )
    })
    const transport = Layer.succeed(PushTransport, {
      push: ({ target }) =>
        Effect.as(happens(`push ${target}`), { digest, status: "pushed" as const, transport: "engine" as const }),
      compare: () => Effect.succeed({ _tag: "Absent" as const })
    })
    const registry = yield* ContainerRegistry.make({
      uri: "reg.io",
      // The keychain of this machine knows nothing, so the connector is asked.
      authentication: Authentication.firstOf(Authentication.anonymous, Authentication.connector()),
      prepareImagePush: options.prepareImagePush
    }).pipe(Effect.provide(transport), Effect.provideService(ServiceConnector.ServiceConnector, connector))
    const logged = (message: unknown) => void happened.push(`log ${message}`)
    const logger = Logger.replace(
      Logger.defaultLogger,
      Logger.make(({ logLevel, message }) => logged(`${logLevel.label} ${message}`))
    )
    return { registry, happened, logger }
  })

describe("prepareImagePush", () => {
  it.scoped("lets the connector that gave the credential see to the repository, before the push", () =>
    Effect.gen(function* () {
      const { happened, registry } = yield* makeRegistry({})
      yield* registry.pushImage("reg.io/team/app:1")
      assert.deepStrictEqual(happened, ["issue", "ensure reg.io/team/app", "push reg.io/team/app:1"])
    })
  )

  it.scoped("pushes all the same when the connector may not look, and logs why", () =>
    Effect.gen(function* () {
      for (const refuses of ["denied", "unavailable", "misconfigured", "expired", "unsupported"] as const) {
        const { happened, logger, registry } = yield* makeRegistry({ refuses })
        yield* Effect.provide(registry.pushImage("reg.io/team/app:1"), logger)
        assert.deepStrictEqual([happened[1], happened[3]], ["ensure reg.io/team/app", "push reg.io/team/app:1"])
        assert.match(happened[2] ?? "", /^log WARN reg\.io\/team\/app is pushed all the same, although: .*may not look/)
      }
    })
  )

  it.scoped("asks the application first, and the connector nothing when the application refuses", () =>
    Effect.gen(function* () {
      const { happened, registry } = yield* makeRegistry({
        prepareImagePush: (image) => new PrepareRejected({ image: String(image), detail: "not on a Friday" })
      })
      const error = yield* Effect.flip(registry.pushImage("reg.io/team/app:1"))
      assert.strictEqual(error._tag, "PrepareRejected")
      assert.deepStrictEqual(happened, ["issue"])
    })
  )

  it.scoped("can be run without a push", () =>
    Effect.gen(function* () {
      const { happened, registry } = yield* makeRegistry({})
      yield* registry.prepareImagePush(ImageReference.unsafeParse("reg.io/team/app:1"))
      assert.deepStrictEqual(happened, ["issue", "ensure reg.io/team/app"])
    })
  )

  it.scoped("writes nothing for a preview", () =>
    Effect.gen(function* () {
      const { happened, registry } = yield* makeRegistry({})
      yield* registry.previewPush("reg.io/team/app:1")
      assert.deepStrictEqual(happened, ["issue"])
    })
  )
})
