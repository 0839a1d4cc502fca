import * as PlatformError from "@effect/platform/Error"
import * as FileSystem from "@effect/platform/FileSystem"
import * as Path from "@effect/platform/Path"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { writeReport } from "../../../src/cli/report/ReportFile.ts"
import * as Samples from "../support/samples.ts"

const diskFull = new PlatformError.SystemError({
  reason: "WriteZero",
  module: "FileSystem",
  method: "writeFileString",
  description: "no space left on device"
})

/** A file system that records what it is asked to do, and whose disk may be full. */
const recording = (asked: Array<ReadonlyArray<string>>, write: Effect.Effect<void, PlatformError.PlatformError>) =>
  Layer.merge(
    Path.layer,
    FileSystem.layerNoop({
      writeFileString: (path) =>
        Effect.zipRight(
          Effect.sync(() => asked.push(["write", path])),
          write
        ),
      rename: (from, to) => Effect.sync(() => void asked.push(["rename", from, to])),
      remove: (path) => Effect.sync(() => void asked.push(["remove", path]))
    })
  )

describe("ReportFile", () => {
  it.effect("writes beside the report's place and moves the whole file there", () =>
    Effect.gen(function* () {
      const asked: Array<ReadonlyArray<string>> = []
      yield* Effect.provide(writeReport("out/r.json", Samples.report), recording(asked, Effect.void))
      const temporary = asked[0]?.[1] ?? ""
      assert.match(temporary, /^out\/\.r\.json\..+\.tmp$/)
      assert.deepStrictEqual(asked, [
        ["write", temporary],
        ["rename", temporary, "out/r.json"]
      ])
    })
  )

  it.effect("leaves the old report as it is, and nothing else, when the new one can not be written", () =>
    Effect.gen(function* () {
      const asked: Array<ReadonlyArray<string>> = []
      const error = yield* Effect.flip(
        Effect.provide(writeReport("out/r.json", Samples.report), recording(asked, Effect.fail(diskFull)))
      )
      assert.strictEqual(error.message, diskFull.message)
      assert.deepStrictEqual(
        asked.map(([what]) => what),
        ["write", "remove"]
      )
      assert.strictEqual(asked[0]?.[1], asked[1]?.[1])
      assert.notInclude(asked.flat(), "out/r.json")
    })
  )
})
