import * as NodeFileSystem from "@effect/platform-node/NodeFileSystem"
import { assert, describe, it } from "@effect/vitest"
import * as Arbitrary from "effect/Arbitrary"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as FastCheck from "effect/FastCheck"
import * as Schema from "effect/Schema"
import * as Transcript from "../../src/transcript/Transcript.ts"

const header = `{"schemaVersion":1,"program":"gantry 1","startedAt":"2026-01-02T03:04:05.000Z","seed":7}`
const asked = `{"_tag":"Asked","at":3,"exchange":0,"party":"engine","request":"ping"}`
const said = `{"_tag":"Said","at":4,"exchange":0,"said":"hm"}`
const answered = `{"_tag":"Answered","at":5,"exchange":0,"answer":{"apiVersion":"1.51"}}`

const parse = (...lines: ReadonlyArray<string>) => Transcript.parse("run.ndjson", lines.join("\n"))

const refusal = (...lines: ReadonlyArray<string>) =>
  Either.match(parse(...lines), {
    onLeft: ({ line, reason }) => [reason, line],
    onRight: () => "it is read"
  })

/** JSON has no -0. */
const json = FastCheck.jsonValue().map((value): unknown => JSON.parse(JSON.stringify(value)))

const entries = FastCheck.tuple(Arbitrary.make(Transcript.Entry), json).map(([entry, value]): Transcript.Entry => {
  switch (entry._tag) {
    case "Said":
      return { ...entry, said: value }
    case "Answered":
      return { ...entry, answer: value }
    case "Failed":
      return { ...entry, error: value }
    default:
      return entry
  }
})

describe("a transcript", () => {
  it("is the same after it was written as JSON and read", () => {
    const entry = Schema.parseJson(Transcript.Entry)
    FastCheck.assert(
      FastCheck.property(entries, (value) => {
        assert.deepStrictEqual(Schema.decodeSync(entry)(Schema.encodeSync(entry)(value)), value)
      })
    )
    const head = Schema.parseJson(Transcript.Header)
    FastCheck.assert(
      FastCheck.property(Arbitrary.make(Transcript.Header), (value) => {
        assert.strictEqual(
          Schema.encodeSync(head)(Schema.decodeSync(head)(Schema.encodeSync(head)(value))),
          Schema.encodeSync(head)(value)
        )
      })
    )
  })

  it("has each request with what came of it", () => {
    assert.deepStrictEqual(Either.getOrThrow(parse(header, asked, said, answered, "")).exchanges, [
      {
        party: "engine",
        request: "ping",
        askedAt: 3,
        entries: [
          { _tag: "Said", at: 4, exchange: 0, said: "hm" },
          { _tag: "Answered", at: 5, exchange: 0, answer: { apiVersion: "1.51" } }
        ]
      }
    ])
  })

  it("is read up to a last line that breaks off anywhere, and says so", () => {
    for (let length = 1; length < answered.length; length++) {
      const { exchanges, isCut } = Either.getOrThrow(parse(header, asked, said, answered.slice(0, length)))
      assert.isTrue(isCut)
      assert.deepStrictEqual(
        exchanges.map(({ entries }) => entries.length),
        [1]
      )
    }
    assert.isFalse(Either.getOrThrow(parse(header, asked, said, answered)).isCut)
  })

  it("is refused when a line in it is none of a transcript, with the line's number", () => {
    assert.deepStrictEqual(refusal(header, asked, "{", answered), ["entry", 3])
    assert.deepStrictEqual(refusal(header, answered), ["entry", 2])
    assert.deepStrictEqual(refusal(header, asked, asked), ["entry", 3])
    assert.deepStrictEqual(refusal(header, asked, `{"_tag":"Answered","at":-1,"exchange":0,"answer":1}`), ["entry", 3])
  })

  it("is refused when it is of another version, or no transcript at all", () => {
    assert.deepStrictEqual(refusal(header.replace(":1,", ":2,")), ["version", 1])
    assert.deepStrictEqual(refusal(`{"schemaVersion":1}`), ["entry", 1])
    for (const text of ["", "hello", "[]", `{"version":1}`]) {
      assert.deepStrictEqual(refusal(text), ["not-a-transcript", 1])
    }
  })

  it.effect("is refused when its file can not be read, by its path", () =>
    Effect.gen(function* () {
      const error = yield* Effect.flip(Transcript.load("/nonexistent/run.ndjson"))
      assert.deepStrictEqual([error.reason, error.path, error.line], ["unreadable", "/nonexistent/run.ndjson", 0])
    }).pipe(Effect.provide(NodeFileSystem.layer))
  )
})
