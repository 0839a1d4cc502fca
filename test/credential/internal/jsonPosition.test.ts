import { assert, describe, it } from "@effect/vitest"
import * as Either from "effect/Either"
import * as FastCheck from "effect/FastCheck"
import { jsonErrorPosition } from "../../../src/credential/internal/jsonPosition.ts"

const parses = (text: string) => Either.isRight(Either.try((): unknown => JSON.parse(text)))

/** JSON with some of its characters replaced, removed or doubled. */
const almostJson = FastCheck.tuple(
  FastCheck.json(),
  FastCheck.array(
    FastCheck.tuple(FastCheck.nat(200), FastCheck.nat(2), FastCheck.constantFrom(...`{}[]:,"\\u0e+-.tfn 1\n\0é`)),
    { maxLength: 3 }
  )
).map(([json, edits]) =>
  edits.reduce((text, [at, removed, inserted]) => text.slice(0, at) + inserted + text.slice(at + removed), json)
)

describe("jsonErrorPosition", () => {
  const examples: ReadonlyArray<readonly [string, number]> = [
    [`{"a":}`, 5],
    [`{"a":1,}`, 7],
    [`{"a" 1}`, 5],
    [`{a:1}`, 1],
    ["[1 2]", 3],
    ["[1,2", 4],
    ["[1}", 2],
    [`{"auths": {"x": {"auth": "Zm9v\n"}}}`, 25],
    [`"\\u12"`, 0],
    ["01", 0],
    ["{} x", 3],
    ["", 0],
    ["  ", 2]
  ]
  for (const [text, position] of examples) {
    it(`finds the token that is wrong in ${JSON.stringify(text)}`, () => {
      assert.strictEqual(jsonErrorPosition(text), position)
    })
  }

  it("takes the texts that JSON.parse takes, and no others", () => {
    FastCheck.assert(
      FastCheck.property(almostJson, (text) => {
        assert.strictEqual(jsonErrorPosition(text) === -1, parses(text), text)
      }),
      { numRuns: 2000 }
    )
  })

  it("points at the first token that is wrong: what comes before it ends too early at most", () => {
    FastCheck.assert(
      FastCheck.property(almostJson, (text) => {
        const position = jsonErrorPosition(text)
        if (position === -1) return
        assert.include([-1, position], jsonErrorPosition(text.slice(0, position)))
      }),
      { numRuns: 2000 }
    )
  })
})
