import { assert, describe, it } from "@effect/vitest"
import * as FastCheck from "effect/FastCheck"
import * as Permits from "../../../src/runtime/internal/permits.ts"

const registry = (permits: Permits.Permits, limit: number) => {
  const state = { queued: 0, held: 0, ready: 0 }
  const share = permits.join(limit, () => {
    state.held++
    state.ready--
  })
  return {
    state,
    limit,
    submit: () => {
      state.queued++
      share.queued()
      state.ready++
      share.want(state.ready)
    },
    start: () => {
      if (state.queued > state.ready) {
        state.queued--
        share.unqueued()
      }
    },
    end: () => {
      if (state.held > state.queued - state.ready) {
        state.held--
        share.release()
      }
    }
  }
}

const step = FastCheck.record({ who: FastCheck.nat(3), what: FastCheck.constantFrom("submit", "start", "end") })

describe("permits", () => {
  it.prop(
    "the cap and each registry's limit hold, and no permit is kept back from who may have it",
    {
      cap: FastCheck.integer({ min: 1, max: 6 }),
      limits: FastCheck.array(FastCheck.integer({ min: 1, max: 6 }), { minLength: 4, maxLength: 4 }),
      steps: FastCheck.array(step, { maxLength: 100 })
    },
    ({ cap, limits, steps }) => {
      const permits = Permits.make(cap)
      const registries = limits.map((limit) => registry(permits, limit))
      for (const { what, who } of steps) {
        registries[who]?.[what as "submit" | "start" | "end"]()
        const held = registries.reduce((sum, { state }) => sum + state.held, 0)
        assert.isAtMost(held, cap)
        for (const one of registries) {
          assert.isAtMost(one.state.held, one.limit)
          const others = registries.filter((other) => other !== one && other.state.queued > 0).length
          const mayHold = Math.min(one.limit, Math.max(1, cap - others))
          assert.isFalse(one.state.ready > 0 && one.state.held < mayHold && held < cap)
        }
      }
    }
  )

  it("a registry leaves a permit for each other one from the moment a push is queued there", () => {
    const permits = Permits.make(4)
    const [greedy, modest] = [registry(permits, 10), registry(permits, 10)]
    modest.state.queued = 1
    const waiting = permits.join(1, () => {})
    waiting.queued()
    for (let count = 0; count < 10; count++) {
      greedy.submit()
    }
    assert.strictEqual(greedy.state.held, 3)
    waiting.unqueued()
    assert.strictEqual(greedy.state.held, 4)
  })

  it("free permits go round: one that is given back goes to who has waited longest", () => {
    const permits = Permits.make(1)
    const [first, second, third] = [registry(permits, 1), registry(permits, 1), registry(permits, 1)]
    for (const one of [first, second, third, first, second]) {
      one.submit()
    }
    const order: Array<string> = []
    for (let round = 0; round < 5; round++) {
      for (const [name, one] of Object.entries({ first, second, third })) {
        if (one.state.held > 0) {
          order.push(name)
          one.start()
          one.end()
          break
        }
      }
    }
    assert.deepStrictEqual(order, ["first", "second", "third", "first", "second"])
  })
})
