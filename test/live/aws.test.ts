import { assert } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as Stack from "../../scripts/lib/stack/Stack.ts"
import * as AwsConnector from "../../src/connector/AwsConnector.ts"
import * as ServiceConnector from "../../src/connector/ServiceConnector.ts"
import * as Credential from "../../src/credential/Credential.ts"
import * as DockerEngine from "../../src/engine/DockerEngine.ts"
import type { AttemptEvent } from "../../src/push/PushEvent.ts"
import * as ImageReference from "../../src/reference/ImageReference.ts"
import * as Authentication from "../../src/registry/Authentication.ts"
import * as ContainerRegistry from "../../src/registry/ContainerRegistry.ts"
import * as PushTransport from "../../src/transport/PushTransport.ts"
import { authorizationToken, fakeAws, jsonAnswer, jsonError, roleSession } from "../support/fakeAws.ts"
import { admit } from "./support/htpasswd.ts"
import { describeLive, LiveStack, loadedImage, skopeoInspect, uniqueRepository } from "./support/stack.ts"

const ecrHost = "123456789012.dkr.ecr.eu-west-1.amazonaws.com"

/** Lets the registry in on loopback stand for the one in the cloud: the connector itself sees only Amazon's name. */
const standIn = (connector: ServiceConnector.ServiceConnector, host: string): ServiceConnector.ServiceConnector => ({
  ...connector,
  issue: () => Effect.map(connector.issue(ecrHost), ({ expiry, kind }) => Credential.make({ expiry, host, kind })),
  ensureRepository: Option.map(
    connector.ensureRepository,
    (ensure) => (image) => ensure(ImageReference.unsafeParse(`${ecrHost}/${image.repository}`))
  )
})

/**
 * ECR: its API is a fake that the vendor's SDK talks to, its registry a real one with a password that is rewritten. The
 * passwords differ in their first 72 bytes, which is all that bcrypt looks at, and are as long as htpasswd takes them.
 */
const ecr = Effect.gen(function* () {
  const aws = yield* fakeAws
  const registry = yield* Stack.registry("htpasswd")
  let generation = 0
  const rotate = (lifetime: number) =>
    Effect.suspend(() => {
      const password = `generation-${++generation}-${"p".repeat(200)}`
      const token = {
        authorizationToken: authorizationToken(password),
        proxyEndpoint: `https://${ecrHost}`,
        expiresAt: Date.now() / 1000 + lifetime
      }
      aws.answer("GetAuthorizationToken", jsonAnswer({ authorizationData: [token] }))
      return admit(registry, "AWS", password)
    })
  const session = { secretAccessKey: "role-secret", sessionToken: "role-token", expiration: "2040-01-01T00:00:00Z" }
  aws.answer("AssumeRole", roleSession("AssumeRole", session))
  aws.answer("DescribeRepositories", jsonError("RepositoryNotFoundException", "it does not exist"))
  aws.answer("CreateRepository", jsonAnswer({ repository: {} }))
  return { aws, registry, rotate, asked: (action: string) => aws.actions().filter((name) => name === action).length }
})

const registryOf = (
  { aws, registry }: Effect.Effect.Success<typeof ecr>,
  engine: { readonly host: string },
  settings: AwsConnector.Settings
) =>
  Effect.gen(function* () {
    const connector = yield* AwsConnector.make({
      authMethod: "assume-role",
      roleArn: "arn:aws:iam::123456789012:role/push",
      source: { authMethod: "access-key", accessKeyId: "AKIALAB", secretAccessKey: Redacted.make("lab-secret") },
      endpoints: aws.endpoints,
      ...settings
    })
    const layer = ContainerRegistry.layer({ uri: registry.host, authentication: Authentication.connector() }).pipe(
      Layer.provide(Layer.succeed(ServiceConnector.ServiceConnector, standIn(connector, registry.host))),
      Layer.provide(PushTransport.layerEngine),
      Layer.provide(DockerEngine.layer({ host: engine.host }))
    )
    return yield* Effect.map(Layer.build(layer), (context) =>
      Effect.provide(ContainerRegistry.ContainerRegistry, context)
    )
  }).pipe(Effect.flatten)

describeLive("pushing to ECR with a connector", (it) => {
  it.scoped("creates the repository once, and logs in again when the password has changed under it", () =>
    Effect.gen(function* () {
      const { engine } = yield* LiveStack
      const cloud = yield* ecr
      yield* cloud.rotate(12 * 3600)
      const registry = yield* registryOf(cloud, engine, { createRepository: true })
      const repository = uniqueRepository("aws")
      const events: Array<AttemptEvent["_tag"]> = []
      const push = (tag: string) =>
        Effect.gen(function* () {
          const reference = `${cloud.registry.host}/${repository}:${tag}`
          yield* loadedImage(engine, { tags: [reference], layers: [{ seed: `${repository} ${tag}`, size: 40_000 }] })
          return yield* registry.pushImage(reference, { emit: ({ _tag }) => events.push(_tag) })
        })

      const first = yield* push("v1")
      assert.strictEqual(first.status, "pushed")
      assert.deepStrictEqual(
        cloud.aws.asked.map(({ action, signed }) => [action, signed?.accessKeyId, signed?.region]),
        [
          ["AssumeRole", "AKIALAB", "eu-west-1"],
          ["GetAuthorizationToken", "ASIAROLE", "eu-west-1"],
          ["AssumeRole", "AKIALAB", "eu-west-1"],
          ["DescribeRepositories", "ASIAROLE", "eu-west-1"],
          ["CreateRepository", "ASIAROLE", "eu-west-1"]
        ]
      )
      assert.deepStrictEqual(cloud.aws.asked.at(-1)?.parameters, {
        registryId: "123456789012",
        repositoryName: repository
      })

      yield* cloud.rotate(12 * 3600)
      const second = yield* push("v2")
      assert.strictEqual(second.status, "pushed")
      assert.notStrictEqual(String(second.digest), String(first.digest))
      assert.strictEqual(cloud.asked("GetAuthorizationToken"), 2)
      assert.strictEqual(cloud.asked("CreateRepository"), 1)
      assert.deepStrictEqual(
        events.filter((tag) => tag === "Reauthenticated"),
        ["Reauthenticated"]
      )
      const held = yield* registry.credentials
      const password = Option.flatMap(held, ({ credential: { kind } }) =>
        kind._tag === "UsernamePassword" ? Option.some(Redacted.value(kind.password)) : Option.none()
      )
      const credentials = { username: "AWS", password: Option.getOrThrow(password) }
      const inspected = yield* skopeoInspect(`${cloud.registry.host}/${repository}:v2`, credentials)
      assert.strictEqual(inspected.digest, String(second.digest))
    })
  )

  it.scoped("logs in again before a login ends, with no push refused", () =>
    Effect.gen(function* () {
      const { engine } = yield* LiveStack
      const cloud = yield* ecr
      yield* cloud.rotate(2)
      const registry = yield* registryOf(cloud, engine, {})
      const reference = `${cloud.registry.host}/${uniqueRepository("aws")}:v1`
      yield* loadedImage(engine, { tags: [reference], layers: [{ seed: reference, size: 40_000 }] })
      yield* registry.pushImage(reference)
      yield* Effect.sleep("2 seconds")
      yield* cloud.rotate(12 * 3600)
      // What the push will use, before a registry could refuse anything.
      yield* registry.credentials
      assert.strictEqual(cloud.asked("GetAuthorizationToken"), 2)
      const again = yield* registry.pushImage(reference)
      assert.strictEqual(again.status, "unchanged")
      assert.strictEqual(cloud.asked("GetAuthorizationToken"), 2)
    })
  )

  it.scoped("pushes although it may not look for repositories", () =>
    Effect.gen(function* () {
      const { engine } = yield* LiveStack
      const cloud = yield* ecr
      yield* cloud.rotate(12 * 3600)
      cloud.aws.answer("DescribeRepositories", jsonError("AccessDeniedException", "not authorized to describe"))
      const registry = yield* registryOf(cloud, engine, { createRepository: true })
      const reference = `${cloud.registry.host}/${uniqueRepository("aws")}:v1`
      yield* loadedImage(engine, { tags: [reference], layers: [{ seed: reference, size: 40_000 }] })
      assert.strictEqual((yield* registry.pushImage(reference)).status, "pushed")
      assert.strictEqual(cloud.asked("CreateRepository"), 0)
    })
  )
})
