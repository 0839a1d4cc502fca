import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as FastCheck from "effect/FastCheck"
import * as Schema from "effect/Schema"
import { parse } from "yaml"
import { jsonSchema } from "../../src/cli/JsonSchemas.ts"
import * as Report from "../../src/cli/Report.ts"
import { PushEvent } from "../../src/push/PushEvent.ts"
import { example } from "../config/support.ts"
import { conforms } from "./support/jsonSchema.ts"
import { at, gantry } from "./support/registries.ts"
import * as Samples from "./support/samples.ts"

describe("gantry schema", () => {
  for (const name of ["config", "report", "event"] as const) {
    it.scoped(`prints the schema of ${name} as one JSON document`, () =>
      Effect.gen(function* () {
        const { code, stderr, stdout } = yield* gantry(["schema", name])
        assert.deepStrictEqual([code, stderr], [0, ""])
        assert.deepStrictEqual(JSON.parse(stdout), JSON.parse(JSON.stringify(jsonSchema(name))))
      }).pipe(at())
    )
  }

  it.scoped("exits 2 for another name, and names the three", () =>
    Effect.gen(function* () {
      const { code, stderr, stdout } = yield* gantry(["schema", "toString"])
      assert.deepStrictEqual([code, stdout], [2, ""])
      assert.include(stderr, "config, report, event")
    }).pipe(at())
  )

  it("fits every report", () => {
    const schema = jsonSchema("report")
    FastCheck.assert(
      FastCheck.property(Samples.reports, (report) => {
        assert.isTrue(conforms(schema, JSON.parse(Report.toJson(report))))
      })
    )
    assert.isTrue(conforms(schema, JSON.parse(Report.toJson(Samples.dryRun))))
  })

  it("fits every event", () => {
    const schema = jsonSchema("event")
    const encode = Schema.encodeSync(PushEvent)
    const events = [Samples.queued("1", "reg.test/app:1"), Samples.started("1")]
    const completed: PushEvent = {
      _tag: "PushCompleted",
      pushId: Samples.id("1"),
      at: Samples.at(1),
      image: Samples.image("reg.test/app:1")
    }
    for (const event of [...events, completed]) {
      assert.isTrue(conforms(schema, JSON.parse(JSON.stringify(encode(event)))), event._tag)
    }
  })

  it("fits a file as it is written, and no misspelt one", () => {
    const schema = jsonSchema("config")
    assert.isTrue(conforms(schema, parse(example)))
    for (const wrong of [
      example.replace("registries:", "registrys:"),
      example.replace("password: { file: secrets/ghcr }", "password: hunter2"),
      example.replace("concurrency: 8", "concurrency: 0"),
      example.replace("version: 1", "version: 2")
    ]) {
      assert.isFalse(conforms(schema, parse(wrong)), wrong)
    }
  })

  it("does not fit a report or an event that lacks what it must have", () => {
    const { total: _, ...report } = JSON.parse(Report.toJson(Samples.report))
    assert.isFalse(conforms(jsonSchema("report"), report))
    assert.isFalse(conforms(jsonSchema("event"), { _tag: "PushStarted", at: "2026-01-02T03:04:05.000Z" }))
  })
})
