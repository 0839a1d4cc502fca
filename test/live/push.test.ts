import { assert } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as FaultProxy from "../../scripts/lib/stack/FaultProxy.ts"
import * as ImageFixture from "../../scripts/lib/stack/ImageFixture.ts"
import * as LabUser from "../../scripts/lib/stack/LabUser.ts"
import type { AccessLogEntry } from "../../scripts/lib/stack/Registry.ts"
import * as Stack from "../../scripts/lib/stack/Stack.ts"
import * as Credential from "../../src/credential/Credential.ts"
import * as DockerEngine from "../../src/engine/DockerEngine.ts"
import * as ImageSource from "../../src/image/ImageSource.ts"
import type { AttemptEvent } from "../../src/push/PushEvent.ts"
import * as ImageReference from "../../src/reference/ImageReference.ts"
import * as Authentication from "../../src/registry/Authentication.ts"
import * as ContainerRegistry from "../../src/registry/ContainerRegistry.ts"
import * as PushTransport from "../../src/transport/PushTransport.ts"
import { askTokenServer } from "./support/askTokenServer.ts"
import { credentialsOf, push, registryAt } from "./support/gantry.ts"
import { describeLive, LiveStack, loadedImage, skopeoInspect, uniqueRepository } from "./support/stack.ts"

const { MiB } = ImageFixture

interface TokenOptions {
  readonly host: string
  readonly token: Redacted.Redacted
}

const small = (seed: string): ReadonlyArray<ImageFixture.LayerOptions> => [{ seed, size: 40_000 }]

const requestLines = (requests: ReadonlyArray<AccessLogEntry>) =>
  requests.map(({ method, path, status }) => `${method} ${path} ${status}`)

describeLive("pushing through a real engine", (it) => {
  it.scoped("gives the digest that the registry has, and a second push asks one question and sends nothing", () =>
    Effect.gen(function* () {
      const { engine, registries } = yield* LiveStack
      const repository = uniqueRepository("large")
      const reference = `${registries.open.host}/${repository}:v1`
      yield* loadedImage(engine, { tags: [reference], layers: [{ seed: "large", size: 64 * MiB }] })

      const events: Array<AttemptEvent> = []
      const first = yield* push(engine, reference, { emit: (event) => events.push(event) })
      const inspected = yield* skopeoInspect(reference)
      assert.strictEqual(String(first.digest), inspected.digest)
      assert.strictEqual(first.repoDigest, `${registries.open.host}/${repository}@${inspected.digest}`)
      assert.strictEqual(first.status, "pushed")
      assert.isAbove(first.bytesUploaded ?? 0, 64 * MiB)
      assert.strictEqual(first.bytesExisting, 0)
      assert.isAbove(events.filter((event) => event._tag === "LayerProgress").length, 0)
      assert.deepStrictEqual(
        events.flatMap((event) => (event._tag === "LayerPushed" ? [event.outcome] : [])),
        ["uploaded"]
      )

      const [second, requests] = yield* registries.open.observe(push(engine, reference))
      assert.strictEqual(second.status, "unchanged")
      assert.strictEqual(String(second.digest), inspected.digest)
      assert.strictEqual(second.bytesExisting, first.bytesUploaded)
      assert.deepStrictEqual(requestLines(requests), [`GET /v2/${repository}/manifests/v1 200`])
    })
  )

  it.scoped("finds an image unchanged from an engine that got it by docker load", () =>
    Effect.gen(function* () {
      const { engine, registries } = yield* LiveStack
      const other = yield* Stack.engine()
      const repository = uniqueRepository("loaded")
      const reference = `${registries.open.host}/${repository}:v1`
      const image = { tags: [reference], layers: small("loaded") }
      yield* loadedImage(engine, image)
      yield* loadedImage(other, image)
      const first = yield* push(engine, reference)
      const loaded = yield* other.api.inspect(reference)
      assert.deepStrictEqual(
        Option.map(loaded, (_) => _.RepoDigests),
        Option.some([])
      )

      const [second, requests] = yield* registries.open.observe(push(other, reference))
      assert.strictEqual(second.status, "unchanged")
      assert.strictEqual(String(second.digest), String(first.digest))
      assert.deepStrictEqual(requestLines(requests), [`GET /v2/${repository}/manifests/v1 200`])
    })
  )

  it.scoped("names what it pushed right: without a tag, with port and tag, two tags of one image", () =>
    Effect.gen(function* () {
      const { engine, registries } = yield* LiveStack
      const localhost = registries.open.host.replace("127.0.0.1", "localhost")
      const untagged = `${registries.open.host}/${uniqueRepository("untagged")}`
      const named = `${localhost}/${uniqueRepository("named")}`
      yield* loadedImage(engine, {
        tags: [`${untagged}:latest`, `${named}:latest`, `${named}:one`, `${named}:two`],
        layers: small("names")
      })
      for (const [reference, pushedAs] of [
        [untagged, `${untagged}:latest`],
        [named, `${named}:latest`],
        [`${named}:one`, `${named}:one`],
        [`${named}:two`, `${named}:two`]
      ] as const) {
        const pushed = yield* push(engine, reference)
        const { digest } = yield* skopeoInspect(pushedAs)
        assert.strictEqual(String(pushed.reference), pushedAs)
        assert.strictEqual(pushed.repoDigest, `${pushedAs.slice(0, pushedAs.lastIndexOf(":"))}@${digest}`)
      }
    })
  )

  it.scoped("pushes the content once for three tags of one repository", () =>
    Effect.gen(function* () {
      const { engine, registries } = yield* LiveStack
      const repository = uniqueRepository("tags")
      const tags = ["one", "two", "three"].map((tag) => `${registries.token.host}/${repository}:${tag}`)
      const credentials = credentialsOf(registries.token)
      yield* loadedImage(engine, { tags, layers: small("tags") })
      const pushAll = Effect.gen(function* () {
        const { pushImage } = yield* ContainerRegistry.ContainerRegistry
        return yield* Effect.forEach(tags, (tag) => pushImage(tag), { concurrency: "unbounded" })
      }).pipe(Effect.provide(registryAt(engine, registries.token.host, credentials)))
      const [pushed, requests] = yield* registries.token.observe(pushAll)
      const { digest } = yield* skopeoInspect(tags[2] ?? "", credentials)
      assert.deepStrictEqual(
        pushed.map(({ digest }) => String(digest)),
        [digest, digest, digest]
      )
      const answered = requests.filter(({ status }) => status < 300)
      assert.strictEqual(answered.filter(({ method }) => method === "POST").length, 2, "a layer and the config")
      const byEngine = answered.filter(({ method, userAgent }) => method === "PUT" && userAgent.startsWith("docker"))
      assert.strictEqual(byEngine.filter(({ path }) => path.includes("/manifests/")).length, 1)
    })
  )

  it.scoped("counts a layer that another repository had as mounted", () =>
    Effect.gen(function* () {
      const { engine, registries } = yield* LiveStack
      const names = [uniqueRepository("from"), uniqueRepository("to")]
      const [from = "", to = ""] = names.map((name) => `${registries.open.host}/${name}:v1`)
      yield* loadedImage(engine, { tags: [from, to], layers: small("mounted") })
      const first = yield* push(engine, from)
      const second = yield* push(engine, to)
      assert.strictEqual(second.bytesMounted, first.bytesUploaded)
      assert.strictEqual(second.bytesUploaded, 0)
    })
  )

  it.scoped("takes the name it gave away again, and gives a name it moved back", () =>
    Effect.gen(function* () {
      const { engine, registries } = yield* LiveStack
      const source = `${uniqueRepository("source")}:dev`
      const fresh = `${registries.open.host}/${uniqueRepository("fresh")}:v1`
      const taken = `${registries.open.host}/${uniqueRepository("taken")}:v1`
      const image = yield* loadedImage(engine, { tags: [source], layers: small("renamed") })
      const other = yield* loadedImage(engine, { tags: [taken], layers: small("someone else's") })
      for (const target of [fresh, taken]) {
        const pushed = yield* push(engine, target, {
          source: ImageSource.docker(ImageReference.unsafeParse(source))
        })
        assert.strictEqual((yield* skopeoInspect(target)).digest, String(pushed.digest))
      }
      const idOf = (name: string) =>
        Effect.map(
          engine.api.inspect(name),
          Option.map((_) => _.Id)
        )
      assert.deepStrictEqual(yield* idOf(fresh), Option.none())
      assert.deepStrictEqual(yield* idOf(taken), Option.some(other.id))
      assert.deepStrictEqual(yield* idOf(source), Option.some(image.id))
    })
  )

  for (const name of ["htpasswd", "token"] as const) {
    it.scoped(`pushes to the ${name} registry with the right password and says what is wrong with others`, () =>
      Effect.gen(function* () {
        const { engine, registries } = yield* LiveStack
        const registry = registries[name]
        const credentials = credentialsOf(registry)
        const reference = `${registry.host}/${uniqueRepository(name)}:v1`
        yield* loadedImage(engine, { tags: [reference], layers: small(name) })
        const wrong = yield* Effect.flip(
          push(engine, reference, { credentials: { ...LabUser.dev, password: "wrong" } })
        )
        assert.strictEqual(wrong._tag, "RegistryUnauthorized")
        const nobody = yield* Effect.flip(push(engine, reference))
        assert.include(["RegistryUnauthorized", "RegistryDenied"], nobody._tag)
        const pushed = yield* push(engine, reference, { credentials })
        assert.strictEqual((yield* skopeoInspect(reference, credentials)).digest, String(pushed.digest))
        const again = yield* push(engine, reference, { credentials })
        assert.strictEqual(again.status, "unchanged")
      })
    )
  }

  it.scoped("pushes with an identity token and with a registry token, and not with one that has expired", () =>
    Effect.gen(function* () {
      const { engine, registries, tokenServer } = yield* LiveStack
      const repository = uniqueRepository("tokens")
      const reference = `${registries.token.host}/${repository}:v1`
      yield* loadedImage(engine, { tags: [reference], layers: small("tokens") })
      const scope = `repository:${repository}:pull,push`
      // The registry forgives a minute: a token that ended before that is over.
      const lateServer = yield* Stack.tokenServer({ lifetimeSeconds: -61 })
      const lateRegistry = yield* Stack.registry(lateServer)
      const late = `${lateRegistry.host}/${repository}:v1`
      yield* engine.api.tag(reference, late)
      const expired = yield* askTokenServer(lateServer, LabUser.dev, { scope })
      const good = yield* askTokenServer(tokenServer, LabUser.dev, { scope, offline_token: "true" })
      const pushAs = (
        credential: (options: TokenOptions) => Credential.Credential,
        token: string,
        image = reference,
        { host } = registries.token
      ) =>
        Effect.flatMap(ContainerRegistry.ContainerRegistry, ({ pushImage }) => pushImage(image)).pipe(
          Effect.provide(
            ContainerRegistry.layer({
              uri: host,
              authentication: Authentication.credential(credential({ host, token: Redacted.make(token) }))
            }).pipe(Layer.provide(PushTransport.layerEngine), Layer.provide(DockerEngine.layer({ host: engine.host })))
          )
        )
      const refused = yield* Effect.flip(pushAs(Credential.registryToken, expired.token, late, lateRegistry))
      assert.strictEqual(refused._tag, "RegistryUnauthorized")
      const wrong = yield* Effect.flip(pushAs(Credential.identityToken, "made-up"))
      assert.strictEqual(wrong._tag, "RegistryUnauthorized")
      const pushed = yield* pushAs(Credential.identityToken, good.refresh_token ?? "")
      assert.strictEqual(pushed.status, "pushed")
      assert.strictEqual((yield* skopeoInspect(reference, LabUser.dev)).digest, String(pushed.digest))
      assert.strictEqual((yield* pushAs(Credential.registryToken, good.token)).status, "unchanged")
    })
  )

  it.scoped("says that a user who may only read is denied", () =>
    Effect.gen(function* () {
      const { engine, registries } = yield* LiveStack
      const reference = `${registries.token.host}/${uniqueRepository("denied")}:v1`
      yield* loadedImage(engine, { tags: [reference], layers: small("denied") })
      const error = yield* Effect.flip(push(engine, reference, { credentials: LabUser.readOnly }))
      assert.strictEqual(error._tag, "RegistryDenied")
    })
  )

  it.scoped("says which image the engine does not have", () =>
    Effect.gen(function* () {
      const { engine, registries } = yield* LiveStack
      const reference = `${registries.open.host}/${uniqueRepository("absent")}:v1`
      const error = yield* Effect.flip(push(engine, reference))
      assert.ok(error._tag === "ImageNotFound")
      assert.include(error.message, reference)
    })
  )

  it.scoped("fails with EngineDisconnected when the engine is killed in the middle", () =>
    Effect.gen(function* () {
      const { registries } = yield* LiveStack
      const engine = yield* Stack.engine()
      const proxy = yield* FaultProxy.make({ target: registries.open.host })
      yield* proxy.add({ method: "PATCH", fault: FaultProxy.Fault.StallRequest({ afterBytes: MiB }) })
      const reference = `${proxy.host}/${uniqueRepository("killed")}:v1`
      yield* engine.api.load(ImageFixture.make({ tags: [reference], layers: [{ seed: "killed", size: 8 * MiB }] }))
      const fiber = yield* Effect.fork(Effect.flip(push(engine, reference)))
      yield* proxy.waitFor({ method: "PATCH", when: (request) => request.requestBytes >= MiB })
      yield* engine.kill
      const error = yield* Fiber.join(fiber)
      assert.ok(error._tag === "EngineDisconnected")
      assert.include(error.message, engine.host)
    })
  )

  it.scoped("fails with RegistryUnavailable when the registry is gone", () =>
    Effect.gen(function* () {
      const { engine } = yield* LiveStack
      const registry = yield* Stack.registry("open")
      const reference = `${registry.host}/${uniqueRepository("gone")}:v1`
      yield* loadedImage(engine, { tags: [reference], layers: small("gone") })
      yield* registry.kill
      const error = yield* Effect.flip(push(engine, reference))
      assert.ok(error._tag === "RegistryUnavailable")
      assert.strictEqual(error.reason, "refused")
    })
  )

  it.scoped("settles a lost answer to the manifest by asking the registry", () =>
    Effect.gen(function* () {
      const { engine, registries } = yield* LiveStack
      const proxy = yield* FaultProxy.make({ target: registries.open.host })
      yield* proxy.add({ method: "PUT", path: /\/manifests\//, fault: FaultProxy.Fault.LoseAnswer() })
      const reference = `${proxy.host}/${uniqueRepository("lost")}:v1`
      yield* loadedImage(engine, { tags: [reference], layers: small("lost") })
      const pushed = yield* push(engine, reference)
      assert.strictEqual(pushed.status, "pushed")
      assert.strictEqual((yield* skopeoInspect(reference)).digest, String(pushed.digest))
    })
  )

  it.scoped("aborts the engine's push when it is interrupted, and no manifest arrives afterwards", () =>
    Effect.gen(function* () {
      const { engine, registries } = yield* LiveStack
      const proxy = yield* FaultProxy.make({ target: registries.open.host })
      yield* proxy.add({ method: "PATCH", bytesPerSecond: MiB })
      const reference = `${proxy.host}/${uniqueRepository("interrupted")}:v1`
      yield* loadedImage(engine, { tags: [reference], layers: [{ seed: "interrupted", size: 8 * MiB }] })
      const fiber = yield* Effect.fork(push(engine, reference))
      yield* proxy.waitFor({ method: "PATCH", when: (request) => request.requestBytes > 0 })
      yield* Fiber.interrupt(fiber)
      yield* proxy.clear
      // A push of another image proves that the engine has had the time to go on with the first one.
      const other = `${proxy.host}/${uniqueRepository("afterwards")}:v1`
      yield* loadedImage(engine, { tags: [other], layers: small("afterwards") })
      yield* push(engine, other)
      const written = (yield* proxy.requests).filter(
        ({ method, path }) => method === "PUT" && path.includes("/manifests/")
      )
      assert.deepStrictEqual(
        written.map(({ path }) => path.includes("afterwards")),
        [true]
      )
    })
  )
})
