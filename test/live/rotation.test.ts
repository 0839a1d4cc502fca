import { assert } from "@effect/vitest"
import * as Arr from "effect/Array"
import * as Context from "effect/Context"
import * as DateTime from "effect/DateTime"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as Ref from "effect/Ref"
import * as Schedule from "effect/Schedule"
import * as FaultProxy from "../../scripts/lib/stack/FaultProxy.ts"
import { MiB } from "../../scripts/lib/stack/ImageFixture.ts"
import * as Stack from "../../scripts/lib/stack/Stack.ts"
import * as ServiceConnector from "../../src/connector/ServiceConnector.ts"
import * as Credential from "../../src/credential/Credential.ts"
import * as DockerEngine from "../../src/engine/DockerEngine.ts"
import type { AttemptEvent } from "../../src/push/PushEvent.ts"
import * as Authentication from "../../src/registry/Authentication.ts"
import * as ContainerRegistry from "../../src/registry/ContainerRegistry.ts"
import * as PushTransport from "../../src/transport/PushTransport.ts"
import { install, login } from "./support/htpasswd.ts"
import { describeLive, LiveStack, loadedImage, skopeoInspect, uniqueRepository } from "./support/stack.ts"

const username = "robot"

/** How long a password lasts, in milliseconds. */
const PERIOD = 2000

/** They differ in their first 72 bytes, which is all that bcrypt looks at. */
const passwordOf = (generation: number): string => `generation-${generation}-${"p".repeat(200)}`

/**
 * A registry whose one password is another one every 2 seconds, behind a slow line, and a connector that knows the one of
 * now but not how long it will do.
 */
const world = Effect.gen(function* () {
  const registry = yield* Stack.registry("htpasswd")
  const proxy = yield* FaultProxy.make({ target: registry.host })
  yield* proxy.add({ method: "PATCH", bytesPerSecond: 16 * MiB })
  const [generation, issues] = yield* Effect.all([Ref.make(0), Ref.make(0)])
  const nextLogin = yield* Ref.make(yield* login(username, passwordOf(1)))
  // Nobody is given a password while it changes.
  const { withPermits } = yield* Effect.makeSemaphore(1)
  const rewrite = Effect.gen(function* () {
    yield* install(registry, yield* Ref.get(nextLogin))
    yield* Ref.update(generation, (count) => count + 1)
  }).pipe(withPermits(1))
  const prepare = Effect.gen(function* () {
    yield* Ref.set(nextLogin, yield* login(username, passwordOf((yield* Ref.get(generation)) + 1)))
  })
  const rotate = Effect.zipRight(rewrite, prepare)
  yield* rotate

  const connector = ServiceConnector.make({
    type: "rotating",
    authMethod: "password",
    issue: (host) =>
      Effect.gen(function* () {
        yield* Ref.update(issues, (count) => count + 1)
        const password = Redacted.make(passwordOf(yield* Ref.get(generation)))
        const expiry = Credential.Expiry.Unknown({ issuedAt: yield* DateTime.now })
        return Credential.usernamePassword({ host, username, password, expiry })
      }).pipe(withPermits(1))
  })
  return {
    connector,
    proxy,
    issues: Ref.get(issues),
    rotations: Effect.map(Ref.get(generation), (count) => count - 1),
    current: Effect.map(Ref.get(generation), (count) => ({ username, password: passwordOf(count) })),
    rotating: (period: number) => Effect.repeat(rotate, Schedule.fixed(period))
  }
})

/** They are uploaded at the same time. */
const layersOf = (image: string) => Arr.makeBy(2, (index) => ({ seed: `${image} ${index}`, size: 4 * MiB }))

describeLive("pushing while the password is rewritten every 2 seconds", (it) => {
  it.scoped(
    "fails no push, and logs in once for each password that a push meets",
    () =>
      Effect.gen(function* () {
        const { engine } = yield* LiveStack
        const { connector, current, issues, proxy, rotating, rotations } = yield* world
        const repository = `${proxy.host}/${uniqueRepository("rotation")}`
        const [warm, ...images] = Arr.chunksOf(
          Arr.makeBy(22, (index) => `${repository}/image-${index}:v1`),
          2
        )
        yield* Effect.forEach([warm, ...images].flat(), (image) =>
          loadedImage(engine, { tags: [image], layers: layersOf(image) })
        )
        const context = yield* Layer.build(
          ContainerRegistry.layer({ uri: proxy.host, authentication: Authentication.connector() }).pipe(
            Layer.provide(Layer.succeed(ServiceConnector.ServiceConnector, connector)),
            Layer.provide(PushTransport.layerEngine),
            Layer.provide(DockerEngine.layer({ host: engine.host }))
          )
        )
        const registry = Context.get(context, ContainerRegistry.ContainerRegistry)

        const events: Array<AttemptEvent["_tag"]> = []
        const emit = ({ _tag }: AttemptEvent) => events.push(_tag)
        const pushAll = (names: ReadonlyArray<string>) =>
          Effect.forEach(names, (image) => Effect.either(registry.pushImage(image, { emit })), { concurrency: 2 })
        // A busy machine takes longer over a push, and over the way from a login to its use.
        const [duration] = yield* Effect.timed(pushAll(warm))
        const period = Math.max(PERIOD, 2 * Duration.toMillis(duration))
        yield* Effect.forkScoped(rotating(period))
        const pushed = yield* pushAll(images.flat())

        assert.deepStrictEqual(Arr.getLefts(pushed), [])
        assert.deepStrictEqual(
          Arr.getRights(pushed).map(({ status }) => status),
          images.flat().map(() => "pushed")
        )
        const authenticated = (yield* proxy.requests).filter(({ headers }) => headers["authorization"] === "Basic")
        const worked = authenticated.findIndex(({ status }) => status !== 401)
        const refusals = authenticated.slice(worked).filter(({ status }) => status === 401)
        assert.isNotEmpty(refusals, "a password ended while it was used")
        const issued = yield* issues
        assert.isAbove(issued, 1)
        assert.isAtMost(issued, (yield* rotations) + 1)
        const reauthenticated = events.filter((tag) => tag === "Reauthenticated")
        assert.lengthOf(reauthenticated, issued - 1)
        const last = Option.getOrThrow(Arr.last(Arr.getRights(pushed)))
        const inspected = yield* skopeoInspect(String(last.reference), yield* current).pipe(
          Effect.retry(Schedule.recurs(3))
        )
        assert.strictEqual(inspected.digest, String(last.digest))
      }),
    // Loading the images takes a busy machine longer than pushing them.
    300_000
  )
})
