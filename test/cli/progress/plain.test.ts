import { assert, describe, it } from "@effect/vitest"
import * as Duration from "effect/Duration"
import * as FastCheck from "effect/FastCheck"
import { json } from "../../../src/cli/progress/json.ts"
import { none } from "../../../src/cli/progress/none.ts"
import type { ProgressRenderer } from "../../../src/cli/progress/ProgressRenderer.ts"
import { plain } from "../../../src/cli/progress/plain.ts"
import type { PushEvent } from "../../../src/push/PushEvent.ts"
import * as Samples from "../support/samples.ts"

const target = "reg.example.com/app:1"

const show = <State>(renderer: ProgressRenderer<State>, events: ReadonlyArray<PushEvent>): ReadonlyArray<string> =>
  events.reduce<readonly [State, ReadonlyArray<string>]>(
    ([state, lines], event) => {
      const [next, more] = renderer.step(state, event)
      return [next, lines.concat(more)]
    },
    [renderer.initial, []]
  )[1]

const of = (millis: number) => ({ pushId: Samples.id("p1"), at: Samples.at(millis) })

const progress = (millis: number, current: number, total?: number, layer = "a1b2c3"): PushEvent => ({
  _tag: "LayerProgress",
  ...of(millis),
  layer,
  current,
  total
})

const layerDone = (millis: number, layer: string): PushEvent => ({
  _tag: "LayerPushed",
  ...of(millis),
  layer,
  outcome: "uploaded"
})

const failed = (message: string): PushEvent => ({
  _tag: "PushFailed",
  ...of(9000),
  attempts: 1,
  duration: Duration.seconds(9),
  error: { ...Samples.unauthorized, message }
})

const beginning = [Samples.queued("p1", target), Samples.started("p1")]

describe("plain progress", () => {
  it("has a line when a push starts, is tried again, logs in again and ends", () => {
    assert.deepStrictEqual(
      show(plain, [
        ...beginning,
        {
          _tag: "PushRetrying",
          ...of(1000),
          attempt: 2,
          delay: Duration.seconds(2),
          error: { ...Samples.unauthorized, message: "it was busy." }
        },
        { _tag: "Reauthenticated", ...of(2000), registry: "reg.example.com", origin: "secret ghcr" },
        { _tag: "PushCompleted", ...of(3100), image: Samples.image(target) }
      ]),
      [
        `${target}: started`,
        `${target}: retrying in 2 s because it was busy.`,
        `${target}: logged in again at reg.example.com with secret ghcr`,
        `${target}: pushed ${Samples.digest} in 3.1 s`
      ]
    )
  })

  it("has at most one progress line in 10 seconds for a push", () => {
    const lines = show(plain, [
      ...beginning,
      progress(1000, 10, 100),
      progress(9999, 50, 100),
      progress(10_000, 60, 100),
      progress(15_000, 70, 100),
      progress(19_999, 80, 100),
      layerDone(20_000, "a1b2c3")
    ])
    assert.deepStrictEqual(lines.slice(1), [`${target}: 0 layers done, a1b2c3 60 %`, `${target}: 1 layer done`])
  })

  it("never says more than 100 percent, and no percent when the size is unknown", () => {
    const lines = show(plain, [...beginning, progress(1, 150, 100, "over"), progress(10_000, 5, undefined, "unknown")])
    assert.include(lines[1], "over 100 %")
    assert.match(lines[1] ?? "", /unknown(,|$)/)
  })

  it("does not name a layer that waits for its turn", () => {
    const lines = show(plain, [...beginning, progress(1, 0, undefined, "waiting"), progress(10_000, 1, 2, "moving")])
    assert.strictEqual(lines[1], `${target}: 0 layers done, moving 50 %`)
  })

  it("names three layers and counts the others", () => {
    const layers = ["a", "b", "c", "d", "e"].map((layer) => progress(1, 1, 2, layer))
    const lines = show(plain, [...beginning, ...layers, progress(10_000, 1, 2, "a")])
    assert.match(lines[1] ?? "", /, 2 more$/)
  })

  it("tells two pushes apart", () => {
    const lines = show(plain, [...beginning, Samples.queued("p2", "other.io/b:2"), Samples.started("p2")])
    assert.deepStrictEqual(lines, [`${target}: started`, "other.io/b:2: started"])
  })

  it("says that a registry asked for a pause", () => {
    const paused: PushEvent = {
      _tag: "RegistryPaused",
      at: Samples.at(0),
      registry: "reg.example.com",
      delay: Duration.seconds(30),
      source: "retry-after"
    }
    assert.deepStrictEqual(show(plain, [paused]), ["reg.example.com: asked for a pause, going on in 30 s"])
  })

  it("sums up a run of several pushes, and not one of one", () => {
    assert.deepStrictEqual(plain.end(Samples.report), [
      "4 pushes: 1 pushed, 1 unchanged, 1 failed, 1 cancelled in 1 min 5 s"
    ])
    assert.deepStrictEqual(plain.end({ ...Samples.report, total: 1 }), [])
  })

  it("says why a dry run foresees a failure, without progress too", () => {
    const why = `reg.example.com/d:1: would fail: ${Samples.unauthorized.message}`
    assert.deepStrictEqual(plain.end(Samples.dryRun), [
      why,
      "4 pushes: 1 unchanged, 1 would-push, 1 would-overwrite, 1 would-fail in 500 ms"
    ])
    assert.deepStrictEqual(none.end(Samples.dryRun), [why])
  })

  it("writes one line without control characters for any text of a registry", () => {
    FastCheck.assert(
      FastCheck.property(FastCheck.string({ unit: "binary" }), (text) => {
        const lines = show(plain, [...beginning, failed(`\u001b[2J\r\n${text}`)])
        assert.strictEqual(lines.length, 2)
        assert.notMatch(lines.join(""), /[\p{Cc}\u2028\u2029\u202a-\u202e\u2066-\u2069]/u)
      })
    )
  })
})

describe("no progress", () => {
  it("still says why a push failed, and nothing else", () => {
    const events = [...beginning, progress(20_000, 1, 2), failed("because.")]
    assert.deepStrictEqual(show(none, events), [`${target}: failed: because.`])
    assert.deepStrictEqual(none.end(Samples.report), [])
  })
})

describe("json progress", () => {
  it("has one line of JSON for each event", () => {
    const events = [...beginning, progress(20_000, 1), failed("two\nlines")]
    const lines = show(json, events)
    assert.deepStrictEqual(
      lines.map((line) => JSON.parse(line)._tag),
      ["PushQueued", "PushStarted", "LayerProgress", "PushFailed"]
    )
    assert.notInclude(lines.join(""), "\n")
    assert.include(lines[1], '"at":"2026-01-02T03:04:05.000Z"')
  })
})
