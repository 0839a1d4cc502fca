import { assert, describe, it } from "@effect/vitest"
import * as Duration from "effect/Duration"
import * as FastCheck from "effect/FastCheck"
import * as PushLedger from "../../src/cli/PushLedger.ts"
import type { PushEvent } from "../../src/push/PushEvent.ts"
import * as Samples from "./support/samples.ts"

const one = "reg.example.com/one:1"
const two = "reg.example.com/two:1"
const plan = [Samples.request(one), Samples.request(two)]

const fold = (...events: ReadonlyArray<PushEvent>) =>
  PushLedger.results(events.reduce(PushLedger.record, PushLedger.open(plan)), Samples.at(9000))

const of = (pushId: string, millis: number) => ({ pushId: Samples.id(pushId), at: Samples.at(millis) })

const retrying: PushEvent = {
  _tag: "PushRetrying",
  ...of("p2", 2000),
  attempt: 2,
  delay: Duration.seconds(1),
  error: Samples.unauthorized
}

describe("PushLedger", () => {
  it("has a cancelled row for each planned push before anything has happened", () => {
    assert.deepStrictEqual(fold(), [
      { source: `docker://${one}`, target: one, status: "cancelled", attempts: 0, durationMs: 0 },
      { source: `docker://${two}`, target: two, status: "cancelled", attempts: 0, durationMs: 0 }
    ])
  })

  it("keeps the plan's order whichever push ends first", () => {
    const rows = fold(
      Samples.queued("p1", one),
      Samples.queued("p2", two),
      { _tag: "PushCompleted", ...of("p2", 100), image: Samples.image(two) },
      { _tag: "PushCompleted", ...of("p1", 200), image: Samples.image(one, { status: "unchanged" }) }
    )
    assert.deepStrictEqual(
      rows.map(({ status, target }) => [target, status]),
      [
        [one, "unchanged"],
        [two, "pushed"]
      ]
    )
  })

  it("takes everything from the image of a push that went well, and leaves out what is unknown", () => {
    const [row] = fold(Samples.queued("p1", one), {
      _tag: "PushCompleted",
      ...of("p1", 100),
      image: Samples.image(one, { attempts: 2, bytesMounted: 0 })
    })
    assert.deepStrictEqual(row, {
      source: `docker://${one}`,
      target: one,
      status: "pushed",
      digest: Samples.digest,
      repoDigest: `reg.example.com/one@${Samples.digest}`,
      bytesUploaded: 4096,
      bytesMounted: 0,
      attempts: 2,
      durationMs: 3100
    })
  })

  it("says of a push that still runs how many attempts and how much time it took so far", () => {
    const rows = fold(Samples.queued("p2", two), Samples.started("p2", 1000), retrying)
    assert.deepInclude(rows[1], { status: "cancelled", attempts: 2, durationMs: 8000 })
  })

  it("carries the error of a push that failed, and the defect of one that crashed", () => {
    const rows = fold(
      Samples.queued("p1", one),
      Samples.queued("p2", two),
      { _tag: "PushFailed", ...of("p1", 1), attempts: 3, duration: Duration.millis(5), error: Samples.unauthorized },
      { _tag: "PushCrashed", ...of("p2", 1), attempts: 1, duration: Duration.millis(5), defect: "TypeError: boom" }
    )
    assert.deepInclude(rows[0], { status: "failed", attempts: 3, durationMs: 5, error: Samples.unauthorized })
    assert.strictEqual(rows[1]?.error?._tag, "Defect")
    assert.include(rows[1]?.error?.message, "TypeError: boom")
  })

  it("tells a push of another platform apart", () => {
    const other: PushEvent = { ...Samples.queued("p1", one), platform: "linux/arm64" } as PushEvent
    const [row] = fold(other, { _tag: "PushCompleted", ...of("p1", 100), image: Samples.image(one) })
    assert.strictEqual(row?.status, "cancelled")
  })

  it("has one row for each planned push after any events in any order", () => {
    const ended = { attempts: 1, duration: Duration.millis(1) }
    const events = FastCheck.constantFrom("p1", "p2", "p3").chain((name) =>
      FastCheck.constantFrom<PushEvent>(
        Samples.queued(name, name === "p1" ? one : two),
        Samples.started(name),
        { _tag: "LayerProgress", ...of(name, 5), layer: "a", current: 1 },
        { _tag: "PushCompleted", ...of(name, 6), image: Samples.image(one) },
        { _tag: "PushFailed", ...of(name, 6), ...ended, error: Samples.unauthorized },
        { _tag: "PushCancelled", ...of(name, 6), ...ended, reason: "shutdown" },
        { _tag: "RuntimeDrained", at: Samples.at(7) }
      )
    )
    FastCheck.assert(
      FastCheck.property(FastCheck.array(events), (sequence) => {
        assert.deepStrictEqual(
          fold(...sequence).map(({ target }) => target),
          [one, two]
        )
      })
    )
  })

  it("keeps the first end of a push", () => {
    const rows = fold(
      Samples.queued("p1", one),
      { _tag: "PushCompleted", ...of("p1", 1), image: Samples.image(one) },
      { _tag: "PushCancelled", ...of("p1", 2), attempts: 1, duration: Duration.millis(5), reason: "shutdown" }
    )
    assert.strictEqual(rows[0]?.status, "pushed")
  })
})
