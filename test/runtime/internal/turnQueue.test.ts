import { assert, describe, it } from "@effect/vitest"
import * as FastCheck from "effect/FastCheck"
import * as TurnQueue from "../../../src/runtime/internal/turnQueue.ts"

const step = FastCheck.oneof(
  FastCheck.record({ _tag: FastCheck.constantFrom("add", "remove"), value: FastCheck.nat(20) }),
  FastCheck.constant({ _tag: "take", value: 0 })
)

describe("TurnQueue", () => {
  it.prop(
    "is first in, first out, whatever leaves early",
    { steps: FastCheck.array(step, { maxLength: 200 }) },
    ({ steps }) => {
      const queue = TurnQueue.make<number>()
      const model: Array<number> = []
      for (const { _tag, value } of steps) {
        const index = model.indexOf(value)
        if (_tag === "take") {
          assert.strictEqual(queue.take(), model.shift())
        } else if (_tag === "remove") {
          assert.strictEqual(queue.remove(value), index >= 0)
          if (index >= 0) model.splice(index, 1)
        } else if (index < 0) {
          queue.add(value)
          model.push(value)
        }
        assert.strictEqual(queue.size(), model.length)
      }
    }
  )
})
