import * as NodeV8 from "node:v8"
import * as NodeVm from "node:vm"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import * as DockerEngine from "../../src/engine/DockerEngine.ts"
import * as ImageReference from "../../src/reference/ImageReference.ts"
import { recordings } from "../support/engineRecordings.ts"
import { fakeEngine } from "./fakeEngine.ts"

const image = ImageReference.unsafeParse("127.0.0.1:6200/team/app:v1")

NodeV8.setFlagsFromString("--expose-gc")
// Compiled code is all that grows over 1,000 pushes, by 0.5 KB each (heap snapshots): it would be taken for a leak.
NodeV8.setFlagsFromString("--no-opt")
NodeV8.setFlagsFromString("--no-sparkplug")
const collectGarbage: () => void = NodeVm.runInNewContext("gc")

/** Lets closed handles go, then collects what they held. */
const settle = Effect.promise(async () => {
  for (let round = 0; round < 10; round++) {
    await new Promise((resolve) => setImmediate(resolve))
    collectGarbage()
  }
})

const count = (names: ReadonlyArray<string>): Record<string, number> => {
  const counts: Record<string, number> = {}
  for (const name of [...names].sort()) counts[name] = (counts[name] ?? 0) + 1
  return counts
}

const listeners = () => process.eventNames().map((name) => [String(name), process.listenerCount(name)])

const snapshot = Effect.map(settle, () => ({
  resources: count(process.getActiveResourcesInfo()),
  listeners: listeners(),
  heap: process.memoryUsage().heapUsed
}))

/** What Node warns of while the scope is open, such as an emitter with more than ten listeners. */
const processWarnings = Effect.map(
  Effect.acquireRelease(
    Effect.sync(() => {
      const warnings: Array<Error> = []
      const warn = (warning: Error) => void warnings.push(warning)
      process.on("warning", warn)
      return { warnings, warn }
    }),
    ({ warn }) => Effect.sync(() => process.off("warning", warn))
  ),
  ({ warnings }) => warnings
)

// What each one must end with is DockerEngine.test.ts's: here they only have to leave nothing behind.
const played = recordings.filter(({ httpStatus }) => httpStatus !== 0 && httpStatus !== 301)

describe("DockerEngine's leaks", () => {
  it.scoped(
    "1,000 pushes leave resources, listeners and heap as 100 had left them",
    () =>
      Effect.gen(function* () {
        let next = 0
        const fake = yield* fakeEngine((_, response) => {
          const one = played[next++ % played.length]
          response.writeHead(one?.httpStatus ?? 200)
          response.write(one?.body ?? "")
          if (one?.streamEnd === "complete") response.end()
          else response.socket?.end()
        })
        const warnings = yield* processWarnings
        const push = Effect.flatMap(DockerEngine.DockerEngine, (engine) =>
          Effect.ignore(Stream.runDrain(engine.pushImage(image, Option.none())))
        )
        const layer = DockerEngine.layer({ host: fake.host })
        const shared = Effect.provide(push.pipe(Effect.repeatN(9)), layer)
        // Ten pushes through one client, and its end; every tenth is left in the middle.
        const left = Effect.flatMap(DockerEngine.DockerEngine, (engine) =>
          Effect.ignore(Stream.runDrain(Stream.take(engine.pushImage(image, Option.none()), 1)))
        ).pipe(Effect.provide(layer))
        const batch = Effect.andThen(shared, left)

        yield* Effect.repeatN(batch, 9)
        fake.forget()
        const before = yield* snapshot

        yield* Effect.repeatN(batch, 99)
        fake.forget()
        const after = yield* snapshot

        assert.strictEqual(next, 110 * 11)
        assert.deepStrictEqual(after.resources, before.resources)
        assert.deepStrictEqual(after.listeners, before.listeners)
        assert.strictEqual(fake.connections(), 0)
        assert.isBelow(after.heap - before.heap, 1024 * 1024, "bytes of heap")
        assert.deepStrictEqual(warnings, [])
      }),
    120_000
  )

  it.scoped(
    "pushes at once that are all interrupted leave no connection and no warning",
    () =>
      Effect.gen(function* () {
        const fake = yield* fakeEngine((_, response) => {
          response.writeHead(200)
          response.write('{"status":"a"}\n')
        })
        const warnings = yield* processWarnings
        const pushes = Effect.flatMap(DockerEngine.DockerEngine, (engine) =>
          Effect.forEach(
            Array.from({ length: 30 }),
            () => Stream.runDrain(Stream.take(engine.pushImage(image, Option.none()), 1)),
            { concurrency: "unbounded" }
          )
        )
        yield* Effect.provide(pushes, DockerEngine.layer({ host: fake.host }))
        yield* settle
        assert.strictEqual(fake.accepted(), 30)
        assert.strictEqual(fake.connections(), 0)
        assert.deepStrictEqual(warnings, [])
      }),
    60_000
  )
})
