import { assert, describe, it } from "@effect/vitest"
import * as FastCheck from "effect/FastCheck"
import { errorCommand } from "../../../../src/cli/ci/internal/workflowCommand.ts"
import { commandsIn, hostileTexts } from "../../support/actionsRunner.ts"

const titles = hostileTexts.filter((title) => title !== "")

describe("a workflow command", () => {
  it("is one line that the runner reads as one error with these texts, whatever they are", () => {
    FastCheck.assert(
      FastCheck.property(titles, hostileTexts, (title, message) => {
        const line = errorCommand({ title, message })
        assert.notMatch(line, /[\r\n]/)
        assert.deepStrictEqual(commandsIn(line), [{ name: "error", properties: { title }, data: message }])
      })
    )
  })

  it("is written as GitHub documents it", () => {
    assert.strictEqual(
      errorCommand({ title: "Push of localhost:5000/a, b", message: "50 %: it said\r\n::add-mask::x" }),
      "::error title=Push of localhost%3A5000/a%2C b::50 %25: it said%0D%0A::add-mask::x"
    )
  })
})
