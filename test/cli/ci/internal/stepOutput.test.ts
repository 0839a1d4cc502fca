import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as FastCheck from "effect/FastCheck"
import * as Random from "effect/Random"
import { stepOutput } from "../../../../src/cli/ci/internal/stepOutput.ts"
import { hostileTexts, outputsIn } from "../../support/actionsRunner.ts"

describe("a step's output", () => {
  it.effect.prop(
    "comes back as it was, whatever it is, and changes no output beside it",
    { value: FastCheck.oneof(hostileTexts, FastCheck.constant("a\nb=c\nd<<e\n")) },
    ({ value }) =>
      Effect.gen(function* () {
        const file = `${yield* stepOutput("first", value)}${yield* stepOutput("second", "2")}`
        assert.deepStrictEqual(outputsIn(file), { first: value, second: "2" })
      })
  )

  it.effect("ends with a mark that is drawn anew for each, and again while the value has it", () =>
    Effect.gen(function* () {
      assert.strictEqual(yield* stepOutput("a", "1"), "a<<gantry-a\n1\ngantry-a\n")
      const value = "x\ngantry-b\nevil=1"
      assert.strictEqual(yield* stepOutput("a", value), `a<<gantry-c\n${value}\ngantry-c\n`)
    }).pipe(Effect.withRandom(Random.fixed([10, 11, 12])))
  )
})
