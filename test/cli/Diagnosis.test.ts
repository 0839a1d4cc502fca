import { assert, describe, it } from "@effect/vitest"
import * as Duration from "effect/Duration"
import * as Diagnosis from "../../src/cli/Diagnosis.ts"
import * as Report from "../../src/cli/Report.ts"
import type { PushEvent } from "../../src/push/PushEvent.ts"
import * as Samples from "./support/samples.ts"

const of = (millis: number) => ({ pushId: Samples.id("p1"), at: Samples.at(millis) })

const busy = {
  _tag: "RegistryUnavailable",
  message: "reg.io answers with a fault of its own (busy). Try again later.",
  advice: "Try again later.",
  transient: true,
  registry: "reg.io",
  status: 503,
  text: "busy\nvery"
}

const retrying = (attempt: number, millis: number): PushEvent => ({
  _tag: "PushRetrying",
  ...of(millis),
  attempt,
  delay: Duration.seconds(1),
  error: busy
})

const events: ReadonlyArray<PushEvent> = [
  Samples.queued("p1", "reg.io/a:1"),
  Samples.queued("p2", "reg.io/b:1"),
  Samples.started("p1", 1000),
  retrying(2, 3500),
  { _tag: "Reauthenticated", ...of(4000), registry: "reg.io", origin: "secret ghcr" },
  retrying(3, 6000),
  { _tag: "PushFailed", ...of(8000), attempts: 3, duration: Duration.seconds(7), error: busy }
]

const row = (target: string, status: Report.Status, attempts: number): Report.Result => ({
  source: `docker://${target}`,
  target,
  status,
  attempts,
  durationMs: 7000,
  ...(status === "failed" || status === "would-fail" ? { error: busy } : {})
})

const report = (...results: ReadonlyArray<Report.Result>) =>
  Report.make({ mode: "push", startedAt: Samples.at(0), endedAt: Samples.at(9000), results })

const diagnosis = events.reduce(Diagnosis.note, Diagnosis.empty)

describe("what --verbose adds", () => {
  it("is the history of a failed push's attempts and the cause of the last one", () => {
    assert.deepStrictEqual(Diagnosis.lines(diagnosis, report(row("reg.io/a:1", "failed", 3))), [
      "reg.io/a:1: why it failed",
      "  attempt 1, after 2.5 s: RegistryUnavailable: reg.io answers with a fault of its own (busy).",
      "  after 3 s: logged in again with secret ghcr",
      "  attempt 2, after 5 s: RegistryUnavailable: reg.io answers with a fault of its own (busy).",
      "  attempt 3, the last one:",
      "  error: RegistryUnavailable (the same command may succeed later)",
      "  registry: reg.io",
      "  status: 503",
      "  text: busy very"
    ])
  })

  it("has no history where there was one attempt, or a dry run's none", () => {
    for (const status of ["failed", "would-fail"] as const) {
      assert.deepStrictEqual(Diagnosis.lines(diagnosis, report(row("reg.io/b:1", status, 1))).slice(0, 2), [
        "reg.io/b:1: why it failed",
        "  error: RegistryUnavailable (the same command may succeed later)"
      ])
    }
  })

  it("says nothing of what went well", () => {
    assert.deepStrictEqual(
      Diagnosis.lines(diagnosis, report(row("reg.io/a:1", "pushed", 2), row("reg.io/b:1", "cancelled", 0))),
      []
    )
  })
})
