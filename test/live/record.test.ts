import { readFile } from "node:fs/promises"
import { join } from "node:path"
import * as NodeFileSystem from "@effect/platform-node/NodeFileSystem"
import * as NodePath from "@effect/platform-node/NodePath"
import { assert } from "@effect/vitest"
import * as Arr from "effect/Array"
import type * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import * as TestClock from "effect/TestClock"
import * as TestContext from "effect/TestContext"
import * as FaultProxy from "../../scripts/lib/stack/FaultProxy.ts"
import { run as application } from "../../src/cli/application.ts"
import { layerNearImages } from "../../src/cli/internal/nearImages.ts"
import type { Machine } from "../../src/cli/Machine.ts"
import type { Report } from "../../src/cli/Report.ts"
import * as Keychain from "../../src/credential/Keychain.ts"
import * as DockerEngine from "../../src/engine/DockerEngine.ts"
import { PushEvent } from "../../src/push/PushEvent.ts"
import * as TestTranscript from "../../src/testing/TestTranscript.ts"
import * as Replay from "../../src/transcript/Replay.ts"
import * as PushTransport from "../../src/transport/PushTransport.ts"
import * as TestConsole from "../cli/support/console.ts"
import { readReport, run, temporaryFolder } from "./support/command.ts"
import { describeLive, LiveStack, loadedImage, uniqueRepository } from "./support/stack.ts"

const count = 4

const putManifest = { method: "PUT", path: /\/manifests\// }

const decodeEvent = Schema.decodeSync(Schema.parseJson(PushEvent))

/** What `--events` wrote: each push's events in their order, with the digests they tell. Progress may be dropped. */
const readEvents = (file: string) =>
  Effect.map(
    Effect.promise(() => readFile(file, "utf8")),
    (text) => {
      const events = text
        .trimEnd()
        .split("\n")
        .map((line) => decodeEvent(line))
      return Arr.groupBy(
        events
          .filter(({ _tag }) => _tag !== "LayerProgress")
          .map((event) => ({
            push: "pushId" in event ? event.pushId : "",
            tag: event._tag,
            digest: event._tag === "PushCompleted" ? String(event.image.digest) : ""
          })),
        ({ push }) => push
      )
    }
  )

/** All but how long it took: a replay has no work of its own to do. */
const withoutTimes = ({ durationMs: _, results, startedAt: __, ...report }: Report) => ({
  ...report,
  results: results.map(({ durationMs: _, ...result }) => result)
})

/** A machine whose engine is the replay's. */
const machineOf = (replayed: Context.Context<DockerEngine.DockerEngine>): Machine => ({
  transport: (_, engine) =>
    layerNearImages(Effect.flatMap(DockerEngine.DockerEngine, ({ imageNames }) => imageNames)).pipe(
      Layer.provide(PushTransport.layerEngine),
      Layer.provide(engine),
      Layer.provide(Layer.succeedContext(replayed))
    ),
  engine: () => Layer.die("nobody asks for an engine at an address"),
  keychain: Keychain.layerMemory([]),
  version: "1.2.3",
  credentialHelper: "/nonexistent"
})

const node = Layer.mergeAll(NodeFileSystem.layer, NodePath.layer, TestConsole.layer())

/** Lets time pass until the fiber has ended. */
const whileTimePasses = <A, E>(fiber: Fiber.RuntimeFiber<A, E>) =>
  Effect.zipLeft(Fiber.poll(fiber), TestClock.adjust("10 seconds")).pipe(
    Effect.repeat({ until: Option.isSome }),
    Effect.zipRight(Fiber.join(fiber))
  )

/** The same command in this process: no engine, no network, and a clock of the test's own. */
const replayed = (file: string, parameters: ReadonlyArray<string>) =>
  Effect.gen(function* () {
    const replay = yield* Replay.Replay
    const machine = Effect.map(Effect.context<DockerEngine.DockerEngine>(), machineOf)
    const fiber = yield* Effect.fork(
      application(parameters, { version: "1.2.3", machine: Effect.succeed(yield* machine) })
    )
    const code = yield* whileTimePasses(fiber)
    return { code, unasked: yield* replay.unasked, divergences: yield* replay.divergences }
  }).pipe(Effect.provide(Layer.provideMerge(TestTranscript.layer(file), node)), Effect.provide(TestContext.TestContext))

describeLive("a run that is recorded", (it) => {
  it.scoped("is played without an engine and without a network: the same events, the same report", () =>
    Effect.gen(function* () {
      const { engine, registries } = yield* LiveStack
      const proxy = yield* FaultProxy.make({
        target: registries.open.host,
        rules: [
          { ...putManifest, nth: 2, fault: FaultProxy.Fault.Answer({ status: 503 }) },
          { ...putManifest, nth: 3, fault: FaultProxy.Fault.Answer({ status: 429, headers: { "retry-after": "2" } }) }
        ]
      })
      const repository = uniqueRepository("record")
      const targets = Array.from({ length: count }, (_, index) => `${proxy.host}/${repository}/app-${index}:v1`)
      const [missing = "", ...present] = targets
      yield* Effect.forEach(present, (target) =>
        loadedImage(engine, { tags: [target], layers: [{ seed: target, size: 100_000 }] })
      )
      const folder = yield* temporaryFolder
      const file = join(folder, "run.ndjson")
      const filesOf = (name: string) => ({ report: join(folder, `${name}.json`), events: join(folder, name) })
      const push = (name: string) => {
        const { events, report } = filesOf(name)
        return ["push", ...targets, "--report", report, "--events", events, "--progress", "none"]
      }

      const first = yield* run([...push("recorded"), "--record", file], { engine })
      assert.strictEqual(first.code, 1, first.stderr)
      const asked = yield* proxy.requests

      const { code, divergences, unasked } = yield* replayed(file, push("played"))
      assert.deepStrictEqual([code, divergences, unasked], [1, [], []])
      assert.deepStrictEqual(yield* proxy.requests, asked, "nothing was sent")
      const report = yield* readReport(filesOf("recorded").report)
      assert.deepInclude(report, { total: count, pushed: count - 1, failed: 1 })
      assert.strictEqual(report.results.find(({ target }) => target === missing)?.error?._tag, "ImageNotFound")
      assert.isAbove(Math.max(...report.results.map(({ attempts }) => attempts)), 1, "one was tried again")
      assert.deepStrictEqual(withoutTimes(yield* readReport(filesOf("played").report)), withoutTimes(report))
      const events = yield* readEvents(filesOf("recorded").events)
      assert.include(
        Object.values(events)
          .flat()
          .map(({ tag }) => tag),
        "RegistryPaused"
      )
      assert.deepStrictEqual(yield* readEvents(filesOf("played").events), events)
    })
  )
})
