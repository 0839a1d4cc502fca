import { assert, describe, it } from "@effect/vitest"
import * as FastCheck from "effect/FastCheck"
import { jsonDocument, jsonLine } from "../../../src/cli/internal/jsonText.ts"
import { commandsIn, hostileTexts } from "../support/actionsRunner.ts"

describe("printed JSON", () => {
  it("says what was given and is no command to a CI service, for any texts", () => {
    FastCheck.assert(
      FastCheck.property(FastCheck.dictionary(hostileTexts, FastCheck.array(hostileTexts)), (value) => {
        for (const json of [jsonDocument(value), jsonLine(value)]) {
          assert.deepStrictEqual(JSON.parse(json), JSON.parse(JSON.stringify(value)))
          assert.deepStrictEqual(commandsIn(json), [])
          assert.notInclude(json, "##")
        }
        assert.notMatch(jsonLine(value), /[\r\n]/)
      })
    )
  })
})
