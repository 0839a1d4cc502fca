import { assert } from "@effect/vitest"
import * as Array from "effect/Array"
import * as Chunk from "effect/Chunk"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Stream from "effect/Stream"
import * as FaultProxy from "../../scripts/lib/stack/FaultProxy.ts"
import type { PushEvent } from "../../src/push/PushEvent.ts"
import * as PushRequest from "../../src/push/PushRequest.ts"
import * as ImageReference from "../../src/reference/ImageReference.ts"
import * as RegistryCatalog from "../../src/registry/RegistryCatalog.ts"
import * as PushSupervisor from "../../src/runtime/PushSupervisor.ts"
import { registryAt } from "./support/gantry.ts"
import { describeLive, LiveStack, loadedImage, skopeoInspect, uniqueRepository } from "./support/stack.ts"

const count = 24

/** The published wording of Amazon's registry: https://github.com/containerd/containerd/issues/10447 */
const tooMany = FaultProxy.Fault.Answer({
  status: 429,
  headers: { "retry-after": "3", "content-type": "application/json" },
  body: JSON.stringify({ errors: [{ code: "TOOMANYREQUESTS", message: "Rate exceeded" }] })
})

const putManifest = { method: "PUT", path: /\/manifests\// }

/** Instants of what happened between a pause and its end, in milliseconds after its beginning. */
const pausesOf = (events: ReadonlyArray<PushEvent>) =>
  events.flatMap((event, index) => {
    if (event._tag !== "RegistryPaused") return []
    const end = events.slice(index).find((later) => later._tag === "RegistryResumed")
    const started = events
      .slice(index, end === undefined ? undefined : events.indexOf(end))
      .filter(({ _tag }) => _tag === "PushStarted")
    return [
      {
        source: event.source,
        asked: Duration.toMillis(event.delay),
        lasted: (end?.at.epochMillis ?? 0) - event.at.epochMillis,
        started: started.length
      }
    ]
  })

describeLive("a registry that throttles", (it) => {
  it.scoped(`gets ${count} pushes through a real engine, although every tenth manifest is answered 429`, () =>
    Effect.gen(function* () {
      const { engine, registries } = yield* LiveStack
      const proxy = yield* FaultProxy.make({
        target: registries.open.host,
        rules: [
          ...[10, 20, 30].map((nth) => ({ ...putManifest, nth, fault: tooMany })),
          // gantry's own question after the first pause: the one place where the header can be seen.
          { method: "HEAD", path: /\/manifests\//, nth: 1, fault: tooMany }
        ]
      })
      const repository = uniqueRepository("throttle")
      const targets = Array.makeBy(count, (index) => `${proxy.host}/${repository}/app-${index}:v1`)
      yield* Effect.forEach(
        targets,
        (target) =>
          loadedImage(engine, {
            tags: [target],
            layers: [
              { seed: repository, size: 100_000 },
              { seed: target, size: 10_000 }
            ]
          }),
        { concurrency: 4 }
      )

      const runtime = PushSupervisor.layer({ concurrency: 4 }).pipe(
        Layer.provide(RegistryCatalog.layerSingle),
        Layer.provide(registryAt(engine, proxy.host))
      )
      const { events, results } = yield* Effect.gen(function* () {
        const supervisor = yield* PushSupervisor.PushSupervisor
        const heard = yield* Effect.forkScoped(Stream.runCollect(yield* supervisor.subscribe))
        const requests = targets.map((target) => PushRequest.make({ target: ImageReference.unsafeParse(target) }))
        const results = yield* supervisor.pushAll(requests)
        yield* supervisor.drain
        return { results, events: Chunk.toReadonlyArray(yield* Fiber.join(heard)) }
      }).pipe(Effect.provide(runtime))

      const images = results.map(Either.getOrThrowWith((error) => new Error(String(error))))
      const seen = yield* Effect.forEach(targets, (target) => skopeoInspect(target), { concurrency: 4 })
      assert.deepStrictEqual(
        images.map(({ digest }) => String(digest)),
        seen.map(({ digest }) => digest)
      )
      assert.deepStrictEqual(
        images.filter(({ attempts }) => attempts > 1).map(({ attempts }) => attempts),
        [2, 2]
      )

      const pauses = pausesOf(events)
      assert.deepStrictEqual(
        pauses.map(({ asked, source }) => [source, asked]),
        [
          ["estimate", 5000],
          ["retry-after", 3000],
          ["estimate", 5000]
        ]
      )
      for (const { asked, lasted, started } of pauses) {
        assert.isAtLeast(lasted, asked)
        assert.strictEqual(started, 0)
      }
    })
  )
})
