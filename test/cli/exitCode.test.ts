import { assert, describe, it } from "@effect/vitest"
import * as FastCheck from "effect/FastCheck"
import { type End, exitCode, type Outcome } from "../../src/cli/exitCode.ts"
import { defect, type Result } from "../../src/cli/Report.ts"
import * as Samples from "./support/samples.ts"

const row = (status: Result["status"], tag?: string, transient = false): Result => ({
  source: "docker://a:1",
  target: "reg.example.com/a:1",
  status,
  attempts: 1,
  durationMs: 1,
  ...(tag === undefined ? {} : { error: { _tag: tag, message: "why", advice: "do", transient } })
})

const pushed = row("pushed")
const unchanged = row("unchanged")
const cancelled = row("cancelled")
const noEngine = row("failed", "EngineUnavailable", true)
const engineGone = row("failed", "EngineDisconnected", true)
const refused = row("failed", "RegistryUnauthorized")
const busy = row("failed", "RegistryRateLimited", true)
const rejected = row("failed", "RegistryRejected")
const crashed: Result = { ...row("failed"), error: defect("TypeError: boom") }

const verified: Outcome = { status: "verified" }
const unavailable = row("failed", "RegistryUnavailable", true)

const finished: End = { _tag: "Finished" }

const table: ReadonlyArray<readonly [what: string, end: End, results: ReadonlyArray<Outcome>, code: number]> = [
  ["everything was pushed", finished, [pushed, pushed], 0],
  ["everything was unchanged or skipped", finished, [unchanged, row("skipped")], 0],
  ["nothing was planned", finished, [], 0],
  ["a dry run foresees no failure", finished, [row("would-push"), row("would-overwrite"), unchanged], 0],
  ["gantry has a fault", { _tag: "Crashed" }, [pushed], 70],
  ["one push met a defect", finished, [pushed, crashed], 70],
  ["a defect comes before a signal", { _tag: "Interrupted", signal: "SIGINT" }, [crashed], 70],
  ["SIGINT came", { _tag: "Interrupted", signal: "SIGINT" }, [pushed, cancelled], 130],
  ["SIGTERM came", { _tag: "Interrupted", signal: "SIGTERM" }, [pushed, noEngine], 143],
  ["a signal came after the last push", { _tag: "Interrupted", signal: "SIGINT" }, [pushed], 130],
  ["the arguments are wrong", { _tag: "Misused" }, [], 2],
  ["every failure is the engine", finished, [noEngine, engineGone], 4],
  ["every failure is the engine, and others went well", finished, [pushed, engineGone], 4],
  ["the engine failed and --fail-fast cancelled the rest", finished, [noEngine, cancelled], 4],
  ["nothing was pushed and every failure is authentication", finished, [refused, row("failed", "RegistryDenied")], 3],
  ["a secret is missing", finished, [row("failed", "SecretNotFound")], 3],
  ["a credential helper failed, which may pass", finished, [row("failed", "CredentialHelperError", true)], 3],
  ["a dry run foresees an authentication failure", finished, [row("would-fail", "RegistryUnauthorized")], 3],
  ["authentication failed for some and others were pushed", finished, [pushed, refused], 1],
  ["every failure may pass", finished, [busy, row("failed", "RegistryUnavailable", true)], 5],
  ["the engine and a registry failed, and both may pass", finished, [noEngine, busy], 5],
  ["a failure will not pass", finished, [busy, rejected], 1],
  ["the engine and authentication failed", finished, [noEngine, refused], 1],
  ["the time was over", finished, [pushed, cancelled], 1],
  ["every registry is verified", finished, [verified, verified], 0],
  ["a registry is verified and another refuses the credential", finished, [verified, refused], 3],
  ["a registry refuses the credential and another is not available", finished, [refused, unavailable], 1],
  ["no registry is available", finished, [verified, unavailable], 5],
  ["a tag has a digest", finished, [{ status: "found" }], 0],
  ["there is no such tag", finished, [row("failed", "TagNotFound")], 1],
  ["a report could not be written", { _tag: "Unwritten" }, [pushed], 1],
  ["a report could not be written and the engine failed", { _tag: "Unwritten" }, [noEngine], 4]
]

describe("exitCode", () => {
  for (const [what, end, results, code] of table) {
    it(`is ${code} when ${what}`, () => {
      assert.strictEqual(exitCode(end, results), code)
    })
  }

  it("does not depend on the order of the results", () => {
    FastCheck.assert(
      FastCheck.property(FastCheck.array(Samples.results), (results) => {
        assert.strictEqual(exitCode(finished, results), exitCode(finished, [...results].reverse()))
      })
    )
  })

  it("is 0 exactly when no result failed or was cancelled", () => {
    FastCheck.assert(
      FastCheck.property(FastCheck.array(Samples.results), (results) => {
        const isGood = results.every(({ status }) => !["failed", "would-fail", "cancelled"].includes(status))
        assert.strictEqual(exitCode(finished, results) === 0, isGood)
      })
    )
  })
})
