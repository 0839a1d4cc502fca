import { assert, describe, it } from "@effect/vitest"
import { EngineEvent } from "../../src/engine/EngineStream.ts"
import { toAttemptEvent } from "../../src/transport/internal/layerOutcomes.ts"

const status = (phase: "preparing" | "waiting" | "retrying" | "unknown") =>
  EngineEvent.LayerStatus({
    layer: "a1b2c3",
    phase,
    status: phase,
    current: undefined,
    total: undefined,
    mountedFrom: undefined,
    retryAfterSeconds: undefined
  })

describe("an engine's word about a layer", () => {
  it("is known before the layer goes, so that layers can be counted from the start", () => {
    for (const phase of ["preparing", "waiting"] as const) {
      assert.deepStrictEqual(toAttemptEvent(status(phase)), { _tag: "LayerProgress", layer: "a1b2c3", current: 0 })
    }
  })

  it("is no progress when the engine tries again, or says what is not known", () => {
    assert.isUndefined(toAttemptEvent(status("retrying")))
    assert.isUndefined(toAttemptEvent(status("unknown")))
  })
})
