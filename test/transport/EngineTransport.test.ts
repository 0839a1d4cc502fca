import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import * as TestClock from "effect/TestClock"
import { DockerEngine } from "../../src/engine/DockerEngine.ts"
import { EngineUnavailable } from "../../src/engine/EngineError.ts"
import { EngineEvent } from "../../src/engine/EngineStream.ts"
import * as Descriptor from "../../src/image/Descriptor.ts"
import * as ImageSource from "../../src/image/ImageSource.ts"
import type { AttemptEvent } from "../../src/push/PushEvent.ts"
import * as Digest from "../../src/reference/Digest.ts"
import * as ImageReference from "../../src/reference/ImageReference.ts"
import * as TestEngine from "../../src/testing/TestEngine.ts"
import * as TestRegistry from "../../src/testing/TestRegistry.ts"
import * as PushTransport from "../../src/transport/PushTransport.ts"

const bytes = (text: string) => new TextEncoder().encode(text)
const digestOf = (text: string) =>
  String(Descriptor.fromBytes({ mediaType: "application/octet-stream", body: bytes(text) }).digest)

const target = ImageReference.unsafeParse("reg.io/team/app:1")
const image = { config: bytes("config"), layers: [bytes("lowest"), bytes("top")] }
/** The same image as the engine has it: its id is the config's digest, its layers are named by their diff ids. */
const local = (...names: ReadonlyArray<string>): TestEngine.TestImage => ({
  names,
  id: digestOf("config"),
  layers: [digestOf("lowest, unpacked"), digestOf("top, unpacked")]
})
const digest = digestOf("the manifest")

const requestFor = (options: { readonly source?: ImageSource.ImageSource; readonly target?: string } = {}) => {
  const reference = options.target === undefined ? target : ImageReference.unsafeParse(options.target)
  return {
    source: options.source ?? ImageSource.docker(reference),
    target: reference,
    platform: Option.none(),
    credential: Option.none(),
    sourceCredential: Option.none(),
    tls: Option.none()
  }
}

const push = (options?: Parameters<typeof requestFor>[0] & { readonly emit?: (event: AttemptEvent) => void }) =>
  Effect.flatMap(PushTransport.PushTransport, (transport) =>
    transport.push({ ...requestFor(options), emit: options?.emit ?? (() => {}) })
  )

const compare = Effect.flatMap(PushTransport.PushTransport, (transport) => transport.compare(requestFor()))

const world = (script: TestEngine.TestEngineScript) =>
  PushTransport.layerEngine.pipe(Layer.provideMerge(Layer.merge(TestEngine.layer(script), TestRegistry.layer())))

const pushesSeen = Effect.flatMap(TestEngine.TestEngine, (engine) => engine.callsTo("pushImage"))

const result = (tag: string, of: string) => EngineEvent.PushResult({ tag, digest: Digest.unsafeParse(of), size: 1 })

/** The digest of the manifest that `TestRegistry.addImage` makes of `image`. */
const manifestDigest = String(
  Effect.runSync(
    Effect.flatMap(TestRegistry.TestRegistry, (registry) => registry.addImage(target, image)).pipe(
      Effect.provide(TestRegistry.layer())
    )
  ).digest
)

const givesTheDigestOfTheRegistry = Effect.gen(function* () {
  const registry = yield* TestRegistry.TestRegistry
  const stored = yield* registry.addImage(target, { config: bytes("another config"), layers: [] })
  const pushed = yield* push()
  assert.strictEqual(String(pushed.digest), String(stored.digest))
})

describe("EngineTransport", () => {
  it.effect("takes the digest from this push's own result line and reports each layer's outcome", () =>
    Effect.gen(function* () {
      const events: Array<AttemptEvent> = []
      const pushed = yield* push({ emit: (event) => events.push(event) })
      assert.strictEqual(String(pushed.digest), digest)
      assert.strictEqual(pushed.status, "pushed")
      assert.deepStrictEqual(
        events.flatMap((event) => (event._tag === "LayerPushed" ? [event.outcome] : [])),
        ["uploaded", "uploaded"]
      )
      assert.isUndefined(pushed.bytesUploaded, "the registry does not have the manifest, so the sizes are unknown")
    }).pipe(Effect.provide(world({ images: [local("reg.io/team/app:1")], push: TestEngine.pushed({ digest }) })))
  )

  it.effect("is unchanged after one request when the registry's manifest has the image's config", () =>
    Effect.gen(function* () {
      const registry = yield* TestRegistry.TestRegistry
      const stored = yield* registry.addImage(target, image)
      const pushed = yield* push()
      assert.strictEqual(pushed.status, "unchanged")
      assert.strictEqual(String(pushed.digest), String(stored.digest))
      assert.strictEqual(pushed.bytesExisting, "lowest".length + "top".length)
      assert.strictEqual(pushed.bytesUploaded, 0)
      assert.deepStrictEqual(yield* pushesSeen, [])
      const asked = yield* registry.requests
      assert.deepStrictEqual(
        asked.map(({ method, url }) => `${method} ${url.pathname}`),
        ["GET /v2/team/app/manifests/1"]
      )
    }).pipe(Effect.provide(world({ images: [local("reg.io/team/app:1")] })))
  )

  it.effect("is unchanged when the manifest itself is the image's id, as on the containerd image store", () =>
    Effect.gen(function* () {
      const registry = yield* TestRegistry.TestRegistry
      yield* registry.addImage(target, image)
      assert.strictEqual((yield* push()).status, "unchanged")
    }).pipe(Effect.provide(world({ images: [{ names: ["reg.io/team/app:1"], id: manifestDigest }] })))
  )

  it.effect("pushes over a tag that has another image, and sums bytes by outcome once the manifest is there", () => {
    const layers = local().layers ?? []
    const line = (index: number, phase: "pushed" | "exists") =>
      EngineEvent.LayerStatus({
        layer: layers[index]?.slice(7, 19) ?? "",
        phase,
        status: phase,
        current: undefined,
        total: undefined,
        mountedFrom: undefined,
        retryAfterSeconds: undefined
      })
    return Effect.gen(function* () {
      const registry = yield* TestRegistry.TestRegistry
      yield* registry.addImage(target, { config: bytes("another config"), layers: [] })
      const elsewhere = ImageReference.unsafeParse("reg.io/team/app:elsewhere")
      const stored = yield* registry.addImage(elsewhere, image)
      assert.strictEqual(String(stored.digest), manifestDigest)
      const pushed = yield* push()
      assert.deepStrictEqual(
        [pushed.status, pushed.bytesUploaded, pushed.bytesExisting, pushed.bytesMounted],
        ["pushed", "top".length, "lowest".length, 0]
      )
    }).pipe(
      Effect.provide(
        world({
          images: [local("reg.io/team/app:1")],
          push: () => Stream.make(line(1, "pushed"), line(0, "exists"), result("1", manifestDigest))
        })
      )
    )
  })

  it.effect("asks the registry for the digest when the engine names another tag only", () =>
    givesTheDigestOfTheRegistry.pipe(
      Effect.provide(world({ images: [local("reg.io/team/app:1")], push: () => Stream.make(result("latest", digest)) }))
    )
  )

  it.effect("asks the registry for the digest when the engine names two for the tag", () =>
    givesTheDigestOfTheRegistry.pipe(
      Effect.provide(
        world({
          images: [local("reg.io/team/app:1")],
          push: () =>
            Stream.make(
              result("1", digest),
              EngineEvent.PushAux({ tag: "1", digest: Digest.unsafeParse(digestOf("another manifest")), size: 1 })
            )
        })
      )
    )
  )

  it.effect("says that the push went through when nobody knows its digest", () =>
    Effect.gen(function* () {
      const error = yield* Effect.flip(push())
      assert.ok(error._tag === "DigestMissing")
      assert.include(error.message, "went through")
    }).pipe(
      Effect.provide(world({ images: [local("reg.io/team/app:1")], push: () => Stream.make(result("latest", digest)) }))
    )
  )

  it.effect("gives the classified error of an engine's refusal", () =>
    Effect.gen(function* () {
      const error = yield* Effect.flip(push())
      assert.ok(error._tag === "RegistryDenied")
      assert.strictEqual(error.registry, "reg.io")
    }).pipe(
      Effect.provide(
        world({
          images: [local("reg.io/team/app:1")],
          push: TestEngine.rejected("denied: requested access to the resource is denied")
        })
      )
    )
  )

  it.effect("settles an engine that goes away by asking the registry, which has the image, another one or none", () => {
    const goesAway = { images: [local("reg.io/team/app:1")], push: TestEngine.cut() }
    return Effect.gen(function* () {
      const lost = yield* Effect.flip(push()).pipe(Effect.provide(world(goesAway)))
      assert.strictEqual(lost._tag, "EngineDisconnected")

      const settled = yield* Effect.gen(function* () {
        const registry = yield* TestRegistry.TestRegistry
        // Absent before the push, there when gantry asks again: the engine's last request went through.
        yield* registry.fault({ method: "GET", times: 1, effect: { type: "answer", status: 404 } })
        yield* registry.addImage(target, image)
        return yield* push()
      }).pipe(Effect.provide(world(goesAway)))
      assert.strictEqual(settled.status, "pushed")

      const other = yield* Effect.gen(function* () {
        const registry = yield* TestRegistry.TestRegistry
        yield* registry.addImage(target, { config: bytes("another config"), layers: [] })
        return yield* Effect.flip(push())
      }).pipe(Effect.provide(world(goesAway)))
      assert.strictEqual(other._tag, "EngineDisconnected")
    })
  })

  it.effect("does not let a registry that never answers its question stop the push", () =>
    Effect.gen(function* () {
      const registry = yield* TestRegistry.TestRegistry
      yield* registry.fault({ effect: { type: "hang" } })
      const fiber = yield* Effect.fork(push())
      yield* TestClock.adjust("1 minute")
      const pushed = yield* Fiber.join(fiber)
      assert.strictEqual(String(pushed.digest), digest)
    }).pipe(Effect.provide(world({ images: [local("reg.io/team/app:1")], push: TestEngine.pushed({ digest }) })))
  )

  it.effect("does not push to a registry that asks for fewer requests, and keeps its Retry-After", () =>
    Effect.gen(function* () {
      const registry = yield* TestRegistry.TestRegistry
      yield* registry.fault({ effect: { type: "answer", status: 429, headers: { "retry-after": "3" } } })
      const error = yield* Effect.flip(push())
      assert.strictEqual(error._tag, "RegistryRateLimited")
      assert.deepStrictEqual(yield* pushesSeen, [])
    }).pipe(Effect.provide(world({ images: [local("reg.io/team/app:1")] })))
  )

  it.effect("takes a name that it gave away again, also when the push fails", () =>
    Effect.gen(function* () {
      const engine = yield* TestEngine.TestEngine
      const source = ImageSource.docker(ImageReference.unsafeParse("local/app:dev"))
      yield* push({ source })
      yield* Effect.flip(push({ source }))
      const seen = yield* pushesSeen
      assert.deepStrictEqual(
        seen.map(({ images }) => images),
        [["reg.io/team/app:1"], ["reg.io/team/app:1"]]
      )
      assert.deepStrictEqual(yield* engine.imageNames, ["docker.io/local/app:dev"])
    }).pipe(
      Effect.provide(
        world({
          images: [local("local/app:dev")],
          push: TestEngine.inOrder(TestEngine.pushed({ digest }), TestEngine.rejected("denied: no"))
        })
      )
    )
  )

  it.effect("takes a name that it gave away again when it is interrupted", () =>
    Effect.gen(function* () {
      const engine = yield* TestEngine.TestEngine
      const source = ImageSource.docker(ImageReference.unsafeParse("local/app:dev"))
      const fiber = yield* Effect.fork(push({ source }))
      yield* TestClock.adjust("1 second")
      assert.strictEqual(yield* engine.pushesInFlight, 1)
      assert.include(yield* engine.imageNames, "reg.io/team/app:1")
      yield* Fiber.interrupt(fiber)
      assert.strictEqual(yield* engine.pushesInFlight, 0)
      assert.deepStrictEqual(yield* engine.imageNames, ["docker.io/local/app:dev"])
    }).pipe(Effect.provide(world({ images: [local("local/app:dev")], push: () => Stream.never })))
  )

  it.effect("leaves a name alone that stood for the image before", () =>
    Effect.gen(function* () {
      const engine = yield* TestEngine.TestEngine
      yield* push({ source: ImageSource.docker(ImageReference.unsafeParse("local/app:dev")) })
      assert.include(yield* engine.imageNames, "reg.io/team/app:1")
      assert.deepStrictEqual(yield* engine.callsTo("tagImage"), [])
    }).pipe(
      Effect.provide(
        world({ images: [local("local/app:dev", "reg.io/team/app:1")], push: TestEngine.pushed({ digest }) })
      )
    )
  )

  it.effect("gives a name back that stood for another image", () =>
    Effect.gen(function* () {
      const { inspectImage } = yield* DockerEngine
      yield* push({ source: ImageSource.docker(ImageReference.unsafeParse("local/app:dev")) })
      assert.strictEqual((yield* inspectImage(target)).id, digestOf("another image"))
    }).pipe(
      Effect.provide(
        world({
          images: [local("local/app:dev"), { names: ["reg.io/team/app:1"], id: digestOf("another image") }],
          push: TestEngine.pushed({ digest })
        })
      )
    )
  )

  it.effect("does not know sources outside the engine", () =>
    Effect.gen(function* () {
      const source = new ImageSource.OciLayoutSource({ path: "./build", tag: Option.none() })
      const error = yield* Effect.flip(push({ source }))
      assert.ok(error._tag === "UnsupportedSource")
      assert.include(error.message, "oci:./build")
    }).pipe(Effect.provide(world({})))
  )

  it.effect("says which image the engine does not have", () =>
    Effect.gen(function* () {
      const error = yield* Effect.flip(push())
      assert.ok(error._tag === "ImageNotFound")
      assert.strictEqual(error.image, "reg.io/team/app:1")
    }).pipe(Effect.provide(world({})))
  )

  it.effect("hands on that there is no engine", () => {
    const gone = new EngineUnavailable({ endpoint: "unix:///x", origin: "test", reason: "refused", detail: "refused" })
    return Effect.gen(function* () {
      assert.strictEqual((yield* Effect.flip(push())).message, gone.message)
    }).pipe(Effect.provide(world({ fail: () => gone })))
  })

  describe("with several tags of one image in one repository", () => {
    const tags = ["reg.io/team/app:1", "reg.io/team/app:2", "reg.io/team/app:3"]

    /** The engine's push takes a second, after which the registry has the image. */
    const slow: TestEngine.Answer = () =>
      Stream.concat(
        Stream.make(
          EngineEvent.LayerStatus({
            layer: "abc",
            phase: "pushing",
            status: "Pushing",
            current: 1,
            total: 2,
            mountedFrom: undefined,
            retryAfterSeconds: undefined
          })
        ),
        Stream.fromEffect(Effect.sleep("1 second")).pipe(
          Stream.drain,
          Stream.concat(Stream.make(result("1", manifestDigest)))
        )
      )

    const writes = Effect.map(
      Effect.flatMap(TestRegistry.TestRegistry, ({ requests }) => requests),
      (asked) => asked.filter(({ method }) => method === "PUT").map(({ url }) => url.pathname)
    )

    it.effect(
      "pushes the content once and puts the manifest under the other tags, for pushes at the same time too",
      () =>
        Effect.gen(function* () {
          const { addImage } = yield* TestRegistry.TestRegistry
          yield* addImage(ImageReference.unsafeParse("reg.io/team/app:elsewhere"), image)
          const seen: Array<string> = []
          const fiber = yield* Effect.fork(
            Effect.forEach(tags, (tag) => push({ target: tag, emit: ({ _tag }) => seen.push(`${tag} ${_tag}`) }), {
              concurrency: "unbounded"
            })
          )
          yield* TestClock.adjust("2 seconds")
          const results = yield* Fiber.join(fiber)
          assert.deepStrictEqual(
            results.map(({ digest, status }) => `${status} ${digest}`),
            tags.map(() => `pushed ${manifestDigest}`)
          )
          assert.strictEqual((yield* pushesSeen).length, 1)
          assert.deepStrictEqual(yield* writes, ["/v2/team/app/manifests/2", "/v2/team/app/manifests/3"])
          assert.deepStrictEqual(
            seen,
            tags.map((tag) => `${tag} LayerProgress`)
          )
          yield* push({ target: "reg.io/team/app:4" })
          assert.strictEqual((yield* pushesSeen).length, 1, "it is remembered")
        }).pipe(Effect.provide(world({ images: [local(...tags, "reg.io/team/app:4")], push: slow })))
    )

    it.effect("pushes the content for each tag when the registry does not take the manifest alone", () =>
      Effect.gen(function* () {
        const { addImage, fault } = yield* TestRegistry.TestRegistry
        yield* addImage(ImageReference.unsafeParse("reg.io/team/app:elsewhere"), image)
        yield* fault({ method: "PUT", effect: { type: "answer", status: 400 } })
        yield* push({ target: "reg.io/team/app:1" })
        yield* push({ target: "reg.io/team/app:2" })
        assert.strictEqual((yield* pushesSeen).length, 2)
      }).pipe(
        Effect.provide(
          world({
            images: [local(...tags)],
            push: ({ image }) => Stream.make(result(Option.getOrThrow(image.tag), manifestDigest))
          })
        )
      )
    )

    it.effect("pushes the content for each tag when another image has taken the first one's name meanwhile", () =>
      Effect.gen(function* () {
        const { addImage } = yield* TestRegistry.TestRegistry
        yield* addImage(ImageReference.unsafeParse("reg.io/team/app:elsewhere"), image)
        yield* push({ target: "reg.io/team/app:1" })
        yield* push({ target: "reg.io/team/app:2" })
        assert.strictEqual((yield* pushesSeen).length, 2)
        assert.deepStrictEqual(yield* writes, [])
      }).pipe(
        Effect.provide(
          world({
            images: [{ ...local(...tags), id: digestOf("what had the name before") }],
            push: ({ image }) => Stream.make(result(Option.getOrThrow(image.tag), manifestDigest))
          })
        )
      )
    )

    it.effect("lets those who waited push for themselves when the one they waited for is interrupted", () =>
      Effect.gen(function* () {
        const first = yield* Effect.fork(push({ target: "reg.io/team/app:1" }))
        yield* TestClock.adjust("1 second")
        const second = yield* Effect.fork(push({ target: "reg.io/team/app:2" }))
        yield* TestClock.adjust("1 second")
        yield* Fiber.interrupt(first)
        assert.strictEqual(String((yield* Fiber.join(second)).digest), digest)
      }).pipe(
        Effect.provide(
          world({
            images: [local(...tags)],
            push: ({ image }) =>
              Option.contains(image.tag, "1") ? Stream.never : Stream.make(result(Option.getOrThrow(image.tag), digest))
          })
        )
      )
    )
  })

  describe("a layer that images share", () => {
    const names = ["reg.io/team/app:1", "reg.io/team/worker:1", "reg.io/team/web:1"]
    const images = names.map((name, index) => ({
      ...local(name),
      id: digestOf(name),
      layers: [digestOf("base"), digestOf(`own ${index}`)]
    }))
    /** How many pushes the engine is asked for at the start, and after each second. */
    const pushing = Effect.gen(function* () {
      const counts: Array<number> = []
      const fiber = yield* Effect.fork(
        Effect.forEach(names, (name) => push({ target: name }), { concurrency: "unbounded" })
      )
      for (const wait of ["999 millis", "1 second", "1 second"] as const) {
        yield* TestClock.adjust(wait)
        counts.push((yield* pushesSeen).length)
      }
      yield* TestClock.adjust("10 seconds")
      yield* Fiber.join(fiber)
      const { callsTo } = yield* TestEngine.TestEngine
      return { counts, questions: (yield* callsTo("info")).length }
    })
    const afterASecond = TestEngine.delayed("1 second", TestEngine.pushed({ digest }))

    it.effect("goes to one repository, and to the others only when it is there", () =>
      Effect.gen(function* () {
        assert.deepStrictEqual(yield* pushing, { counts: [1, 3, 3], questions: 1 })
      }).pipe(Effect.provide(world({ images, push: afterASecond })))
    )

    it.effect("does not wait longer than 2 seconds for an engine's answer, and never longer than for the layer", () =>
      Effect.gen(function* () {
        const silent = (push: TestEngine.Answer) =>
          PushTransport.layerEngine.pipe(
            Layer.provide(
              Layer.effect(
                DockerEngine,
                Effect.map(DockerEngine, (engine) => ({ ...engine, info: Effect.never }))
              )
            ),
            Layer.provideMerge(Layer.merge(TestEngine.layer({ images, push }), TestRegistry.layer()))
          )
        const afterThreeSeconds = TestEngine.delayed("3 seconds", TestEngine.pushed({ digest }))
        const long = yield* Effect.provide(pushing, silent(afterThreeSeconds))
        assert.deepStrictEqual(long.counts, [1, 1, 3])
        const short = yield* Effect.provide(pushing, silent(afterASecond))
        assert.deepStrictEqual(short.counts, [1, 3, 3])
      })
    )

    it.effect("goes to all of them at once on an engine that does not tell when it is there", () =>
      Effect.gen(function* () {
        for (const imageStore of ["containerd", "podman"] as const) {
          const other = world({ images, push: afterASecond, info: { imageStore } })
          assert.deepStrictEqual(yield* Effect.provide(pushing, other), { counts: [3, 3, 3], questions: 1 })
        }
      })
    )
  })

  it.effect("compares without writing, and fails when the registry can not say", () =>
    Effect.gen(function* () {
      const registry = yield* TestRegistry.TestRegistry
      assert.deepStrictEqual((yield* compare)._tag, "Absent")
      const other = yield* registry.addImage(target, { config: bytes("another config"), layers: [] })
      assert.deepStrictEqual(yield* compare, { _tag: "Different", digest: other.digest })
      const same = yield* registry.addImage(target, image)
      assert.deepStrictEqual(yield* compare, { _tag: "Same", digest: same.digest })
      yield* registry.fault({ effect: { type: "answer", status: 503 } })
      assert.strictEqual((yield* Effect.flip(compare))._tag, "RegistryUnavailable")
      const asked = yield* registry.requests
      assert.isTrue(asked.every(({ method }) => method === "GET"))
      assert.deepStrictEqual(yield* pushesSeen, [])
    }).pipe(Effect.provide(world({ images: [local("reg.io/team/app:1")] })))
  )
})
