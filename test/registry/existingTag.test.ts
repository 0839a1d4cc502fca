import { assert, describe, it } from "@effect/vitest"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import { RegistryUnavailable } from "../../src/distribution/RegistryError.ts"
import type { TagExists } from "../../src/push/PushError.ts"
import type { OnExisting } from "../../src/push/PushRequest.ts"
import * as Digest from "../../src/reference/Digest.ts"
import * as ContainerRegistry from "../../src/registry/ContainerRegistry.ts"
import * as TestTransport from "../../src/testing/TestTransport.ts"
import type { Comparison } from "../../src/transport/PushTransport.ts"

const there = Digest.unsafeParse(`sha256:${"b".repeat(64)}`)
const other: Comparison = { _tag: "Different", digest: there }
const same: Comparison = { _tag: "Same", digest: there }
const absent: Comparison = { _tag: "Absent" }

/** A registry that protects v*, whose tags have this, and what its transport is asked. */
const registry = Effect.fnUntraced(function* (comparison: Comparison, prepared: Array<string> = []) {
  const transport = yield* Layer.build(TestTransport.layer({ compare: () => Effect.succeed(comparison) }))
  const registry = yield* Effect.provide(
    ContainerRegistry.make({
      uri: "reg.io",
      protect: ["v*", "stable"],
      prepareImagePush: (image) => Effect.sync(() => prepared.push(String(image)))
    }),
    transport
  )
  const { calls } = Context.get(transport, TestTransport.TestTransport)
  return { ...registry, methods: Effect.map(calls, (all) => all.map(({ method }) => method)) }
})

type Outcome = "pushed" | "skipped" | TagExists["reason"]

/** What becomes of a push, by its tag, `onExisting`, and what the registry has. */
const table: ReadonlyArray<readonly [tag: string, onExisting: OnExisting, has: Comparison, outcome: Outcome]> = [
  ["v1", "overwrite", other, "protected"],
  ["v1", "fail", other, "protected"],
  ["v1", "skip", other, "skipped"],
  ["stable", "overwrite", other, "protected"],
  ["v1", "overwrite", same, "pushed"],
  ["v1", "overwrite", absent, "pushed"],
  ["latest", "overwrite", other, "pushed"],
  ["latest", "fail", other, "on-existing"],
  ["latest", "skip", other, "skipped"],
  ["latest", "fail", same, "pushed"],
  ["latest", "skip", absent, "pushed"]
]

describe("a tag that exists", () => {
  for (const [tag, onExisting, has, outcome] of table) {
    it.scoped(`${has._tag} under ${tag} with ${onExisting}: ${outcome}, and a preview says so`, () =>
      Effect.gen(function* () {
        const prepared: Array<string> = []
        const { methods, previewPush, pushImage } = yield* registry(has, prepared)
        const pushed = yield* Effect.either(pushImage(`reg.io/app:${tag}`, { onExisting }))
        const preview = yield* Effect.either(previewPush(`reg.io/app:${tag}`, { onExisting }))
        const sent = (yield* methods).filter((method) => method === "push").length
        assert.deepStrictEqual([sent, prepared.length], outcome === "pushed" ? [1, 1] : [0, 0])
        if (pushed._tag === "Left" || preview._tag === "Left") {
          assert.isTrue(pushed._tag === "Left" && preview._tag === "Left")
          for (const { left } of [pushed, preview] as ReadonlyArray<{ left: unknown }>) {
            const error = left as TagExists
            assert.deepStrictEqual([error._tag, error.reason, error.digest], ["TagExists", outcome, String(there)])
          }
          return
        }
        assert.strictEqual(pushed.right.status, outcome)
        const foreseen = { Absent: "would-push", Same: "unchanged", Different: "would-overwrite" }[has._tag]
        assert.strictEqual(preview.right.status, outcome === "skipped" ? "skipped" : foreseen)
        if (outcome !== "skipped") return
        assert.strictEqual(pushed.right.repoDigest, `reg.io/app@${there}`)
        assert.strictEqual(String(Option.getOrThrow(preview.right.digest)), String(there))
      })
    )
  }

  it.scoped("is asked for only when it may not be overwritten", () =>
    Effect.gen(function* () {
      const { methods, pushImage } = yield* registry(absent)
      yield* pushImage("reg.io/app:latest")
      assert.deepStrictEqual(yield* methods, ["push"])
      yield* pushImage("reg.io/app:v1")
      assert.deepStrictEqual(yield* methods, ["push", "compare", "push"])
    })
  )

  it.scoped("is not taken for absent when the registry can not be asked", () =>
    Effect.gen(function* () {
      const down = new RegistryUnavailable({ registry: "reg.io", reason: "timeout", text: "" })
      const transport = yield* Layer.build(TestTransport.layer({ compare: () => Effect.fail(down) }))
      const { pushImage } = yield* Effect.provide(ContainerRegistry.make({ uri: "reg.io", protect: ["*"] }), transport)
      assert.strictEqual((yield* Effect.flip(pushImage("reg.io/app:1")))._tag, "RegistryUnavailable")
      const { calls } = Context.get(transport, TestTransport.TestTransport)
      assert.deepStrictEqual(
        (yield* calls).map(({ method }) => method),
        ["compare"]
      )
    })
  )

  it.scoped("is a defect to protect with a glob that no tag can match", () =>
    Effect.gen(function* () {
      const made = yield* Effect.exit(ContainerRegistry.make({ uri: "reg.io", protect: ["v[0-9]*"] }))
      assert.isTrue(Exit.isFailure(made) && made.cause._tag === "Die")
    }).pipe(Effect.provide(TestTransport.layer()))
  )
})
