/**
 * What the supervisor itself costs: pushes through a scripted transport that answers at once, so that nothing is left
 * but gantry's own work, beside the same attempts in a bare `Effect.forEach`.
 *
 * Costs are processor time, which another program on the machine does not add to.
 */
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import type { AttemptEvent } from "../../../src/push/PushEvent.ts"
import * as PushRequest from "../../../src/push/PushRequest.ts"
import * as ImageReference from "../../../src/reference/ImageReference.ts"
import * as RegistryCatalog from "../../../src/registry/RegistryCatalog.ts"
import * as PushSupervisor from "../../../src/runtime/PushSupervisor.ts"
import * as TestTransport from "../../../src/testing/TestTransport.ts"
import { PushTransport } from "../../../src/transport/PushTransport.ts"
import { runMain } from "../runMain.ts"
import * as Bench from "./Bench.ts"

const few = 1_000
const many = 10_000
const maxInFlight = 16

const hosts = ["a", "b", "c", "d"].map((name) => `${name}.example.com`)

const requests = (count: number): ReadonlyArray<PushRequest.PushRequest> =>
  Array.from({ length: count }, (_, index) =>
    PushRequest.make({ target: ImageReference.unsafeParse(`${hosts[index % hosts.length]}/team/app-${index}:1`) })
  )

/** What an image of two layers makes an engine say. */
const script: ReadonlyArray<AttemptEvent> = ["lower", "upper"].flatMap(
  (layer): ReadonlyArray<AttemptEvent> => [
    { _tag: "LayerProgress", layer, current: 50, total: 100 },
    { _tag: "LayerProgress", layer, current: 100, total: 100 },
    { _tag: "LayerPushed", layer, outcome: "uploaded" }
  ]
)

const answer = TestTransport.result()

/** `TestTransport.layer` keeps every call, which would be taken for the supervisor's memory. */
const transport = Layer.succeed(PushTransport, {
  push: ({ emit }) =>
    Effect.sync(() => {
      script.forEach(emit)
      return answer
    }),
  compare: () => Effect.succeed({ _tag: "Absent" })
})

const catalog = RegistryCatalog.layer(Object.fromEntries(hosts.map((uri) => [uri, { uri }]))).pipe(
  Layer.provide(transport)
)

const supervised = (pushes: ReadonlyArray<PushRequest.PushRequest>) =>
  Effect.flatMap(PushSupervisor.PushSupervisor, (supervisor) => supervisor.pushAll(pushes))

const bare = (pushes: ReadonlyArray<PushRequest.PushRequest>) =>
  Effect.gen(function* () {
    const catalog = yield* RegistryCatalog.RegistryCatalog
    return yield* Effect.forEach(
      pushes,
      ({ platform, source, target }) =>
        Effect.flatMap(catalog.forImage(target), (registry) =>
          registry.pushImage(target, { source, platform: Option.getOrUndefined(platform), emit: () => {} })
        ).pipe(Effect.either),
      { concurrency: maxInFlight }
    )
  })

const layer = PushSupervisor.layer({ maxInFlight, concurrency: maxInFlight / hosts.length }).pipe(
  Layer.provideMerge(catalog)
)

type Run = Effect.Effect<
  ReadonlyArray<{ readonly _tag: "Left" | "Right" }>,
  PushSupervisor.SupervisorClosed,
  PushSupervisor.PushSupervisor | RegistryCatalog.RegistryCatalog
>

const collectGarbage = Effect.sync(() => {
  if (globalThis.gc === undefined) {
    throw new Error("run scripts/bench/runtime: node needs --expose-gc")
  }
  globalThis.gc()
})

/** Microseconds of processor time for each push. */
const cost = (count: number, run: (pushes: ReadonlyArray<PushRequest.PushRequest>) => Run) => {
  const pushes = requests(count)
  return Effect.gen(function* () {
    yield* collectGarbage
    const before = process.cpuUsage()
    const results = yield* run(pushes)
    const { system, user } = process.cpuUsage(before)
    return results.length === count && results.every(({ _tag }) => _tag === "Right")
      ? (user + system) / count
      : yield* new Bench.BenchError({ message: `not all of ${count} pushes went through` })
  }).pipe(Effect.provide(layer), Effect.orDie)
}

/**
 * Bytes of heap for each push that has ended, in a supervisor that goes on and is listened to: what a second batch adds
 * to the first, because a stream keeps the last chunk that was read from it.
 */
const heapPerPush = Effect.gen(function* () {
  const supervisor = yield* PushSupervisor.PushSupervisor
  yield* Effect.forkScoped(Stream.runDrain(yield* supervisor.subscribe))
  const heapAfterBatch = Effect.gen(function* () {
    yield* Effect.asVoid(supervised(requests(many)))
    // The listener reads what there is.
    yield* Effect.sleep("50 millis")
    yield* collectGarbage
    return process.memoryUsage().heapUsed
  })
  const before = yield* heapAfterBatch
  return Math.max(0, (yield* heapAfterBatch) - before) / many
}).pipe(Effect.scoped, Effect.provide(layer), Effect.orDie)

const name = (who: string, count: number) => `${who}, ${count} pushes`

const main = Effect.gen(function* () {
  const contenders = [few, many].flatMap((count) => [
    { name: name("supervisor", count), unit: "µs each", measure: cost(count, supervised) },
    { name: name("Effect.forEach", count), unit: "µs each", measure: cost(count, bare) }
  ])
  // Once for the compiler.
  yield* Effect.forEach(contenders, ({ measure }) => measure)
  const series = yield* Bench.takeTurns([
    ...contenders,
    { name: "heap that ended pushes keep", unit: "bytes each", measure: heapPerPush }
  ])
  const at = (who: string, count: number) => Bench.medianOf(series, name(who, count))
  yield* Bench.conclude("runtime", series, [
    {
      name: `a push of ${many} / a push of ${few}`,
      value: at("supervisor", many) / at("supervisor", few),
      limit: 1.2
    },
    {
      name: `supervisor / Effect.forEach, ${many} pushes`,
      value: at("supervisor", many) / at("Effect.forEach", many),
      limit: 2
    },
    // One push with its request and its result takes more than a thousand.
    { name: "heap that ended pushes keep", value: Bench.medianOf(series, "heap that ended pushes keep"), limit: 100 }
  ])
})

runMain(main)
