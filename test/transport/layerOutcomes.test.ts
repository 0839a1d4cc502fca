import { assert, describe, it } from "@effect/vitest"
import { EngineEvent } from "../../src/engine/EngineStream.ts"
import * as Descriptor from "../../src/image/Descriptor.ts"
import { ImageManifest } from "../../src/image/Manifest.ts"
import {
  bytesByOutcome,
  bytesOfUnchanged,
  type Outcome,
  toAttemptEvent
} from "../../src/transport/internal/layerOutcomes.ts"

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

const blob = (text: string) =>
  Descriptor.fromBytes({ mediaType: "application/octet-stream", body: new TextEncoder().encode(text) })

/** As the classic image store names a layer: by its diff id. */
const named = (text: string) => String(blob(text).digest).slice("sha256:".length, "sha256:".length + 12)

describe("the bytes of a push", () => {
  const layers = [blob("one"), blob("three"), blob("seventeen"), blob("three")]
  const diffIds = ["one", "three", "seventeen", "three"].map((text) => String(blob(`${text}, unpacked`).digest))
  const manifest = new ImageManifest({ schemaVersion: 2, config: blob("config"), layers })
  const outcomes = new Map<string, Outcome>([
    [named("one, unpacked"), "uploaded"],
    [named("three, unpacked"), "existing"],
    [named("seventeen, unpacked"), "mounted"]
  ])

  it("are the manifest's sizes by what became of each layer, and one that stands there twice counts once", () => {
    assert.deepStrictEqual(bytesByOutcome(manifest, diffIds, outcomes), {
      bytesUploaded: 3,
      bytesExisting: 5,
      bytesMounted: 9
    })
    assert.deepStrictEqual(bytesOfUnchanged(manifest), { bytesUploaded: 0, bytesMounted: 0, bytesExisting: 17 })
  })

  it("are unknown, all of them, when it is not known what became of one layer", () => {
    const [first] = outcomes
    assert.deepStrictEqual(bytesByOutcome(manifest, diffIds, new Map(first === undefined ? [] : [first])), {})
  })
})
