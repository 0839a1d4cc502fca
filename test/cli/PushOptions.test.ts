import { assert, describe, it } from "@effect/vitest"
import * as ConfigProvider from "effect/ConfigProvider"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as FastCheck from "effect/FastCheck"
import * as Option from "effect/Option"
import { decode, type Given } from "../../src/cli/OptionTable.ts"
import { duration, pushOptions } from "../../src/cli/PushOptions.ts"

const settings = (given: Given, environment: ReadonlyArray<readonly [string, string]> = []) =>
  decode(pushOptions, given).pipe(Effect.withConfigProvider(ConfigProvider.fromMap(new Map(environment))))

const problems = (given: Given, environment?: ReadonlyArray<readonly [string, string]>) =>
  Effect.map(Effect.flip(settings(given, environment)), (error) => error.problems)

describe("push options", () => {
  it.effect("have the defaults that the command line documents", () =>
    Effect.gen(function* () {
      const { stallTimeout, ...rest } = yield* settings({})
      assert.strictEqual(Duration.toMillis(stallTimeout), 300_000)
      assert.deepStrictEqual(rest, {
        to: [],
        only: [],
        onExisting: "overwrite",
        output: "text",
        progress: "auto",
        ci: "auto",
        report: Option.none(),
        events: Option.none(),
        record: Option.none(),
        dryRun: false,
        context: Option.none(),
        host: Option.none(),
        username: Option.none(),
        passwordStdin: false,
        platform: Option.none(),
        plainHttp: [],
        tlsSkipVerify: [],
        config: Option.none(),
        set: [],
        concurrency: Option.none(),
        maxInFlight: 16,
        retries: 2,
        timeout: Option.none(),
        failFast: false,
        verbose: false
      })
    })
  )

  it.effect("come from their environment variables, whose lists are separated by commas", () =>
    Effect.gen(function* () {
      const found = yield* settings({}, [
        ["GANTRY_TO", "reg.io/x, localhost:5000/y:2"],
        ["GANTRY_DRY_RUN", "true"],
        ["GANTRY_FAIL_FAST", "no"],
        ["GANTRY_STALL_TIMEOUT", "90s"],
        ["GANTRY_MAX_IN_FLIGHT", "3"],
        ["GANTRY_REPORT", ""]
      ])
      assert.deepStrictEqual(found.to.map(String), ["reg.io/x", "localhost:5000/y:2"])
      assert.isTrue(found.dryRun)
      assert.isFalse(found.failFast)
      assert.strictEqual(Duration.toMillis(found.stallTimeout), 90_000)
      assert.strictEqual(found.maxInFlight, 3)
      assert.deepStrictEqual(found.report, Option.none())
    })
  )

  it.effect("given as arguments come before their variables, whole lists too", () =>
    Effect.gen(function* () {
      const found = yield* settings({ to: ["a.io/x"], output: ["json"] }, [
        ["GANTRY_TO", "b.io/x"],
        ["GANTRY_OUTPUT", "nonsense"]
      ])
      assert.deepStrictEqual(found.to.map(String), ["a.io/x"])
      assert.strictEqual(found.output, "json")
    })
  )

  it.effect("that are wrong are told all at once, each by the name it was given under", () =>
    Effect.gen(function* () {
      const found = yield* problems(
        {
          to: ["reg.io/UPPER", `reg.io/x@sha256:${"a".repeat(64)}`],
          progress: ["fancy"],
          report: ["a.txt"],
          concurrency: ["0"],
          retries: ["1.5"],
          timeout: ["5"],
          platform: ["linux"]
        },
        [
          ["GANTRY_FAIL_FAST", "maybe"],
          ["GANTRY_PLAIN_HTTP", "reg.io/path"]
        ]
      )
      assert.deepStrictEqual(
        found.map((problem) => problem.slice(0, problem.indexOf(":"))),
        [
          "--to",
          "--progress",
          "--report",
          "--platform",
          "GANTRY_PLAIN_HTTP",
          "--concurrency",
          "--retries",
          "--timeout",
          "GANTRY_FAIL_FAST"
        ]
      )
    })
  )

  it.effect("do not repeat a password that was put into an address", () =>
    Effect.gen(function* () {
      const address = "https://user:hunter2@reg.io/x?sig=hunter2"
      const found = yield* problems({ to: [address], plainHttp: [address], tlsSkipVerify: [address] })
      assert.strictEqual(found.length, 3)
      assert.notInclude(found.join(), "hunter2")
    })
  )

  it("read lengths of time", () => {
    const millis = (text: string) =>
      Option.getOrUndefined(Option.map(Either.getRight(duration(text)), Duration.toMillis))
    assert.strictEqual(millis("250ms"), 250)
    assert.strictEqual(millis("90s"), 90_000)
    assert.strictEqual(millis("1h30m"), 5_400_000)
    for (const text of ["", "5", "0s", "s", "5 m", "-5m", "5m!", "5d", "1.5h"]) assert.isUndefined(millis(text), text)
  })

  it("read any length of time that is written in whole units", () => {
    const units = { h: 3_600_000, m: 60_000, s: 1000, ms: 1 }
    const parts = FastCheck.record({
      h: FastCheck.nat(99),
      m: FastCheck.nat(99),
      s: FastCheck.nat(99),
      ms: FastCheck.integer({ min: 1, max: 999 })
    })
    FastCheck.assert(
      FastCheck.property(parts, ({ h, m, ms, s }) => {
        const read = duration(`${h}h${m}m${s}s${ms}ms`)
        const expected = h * units.h + m * units.m + s * units.s + ms
        assert.deepStrictEqual(Either.map(read, Duration.toMillis), Either.right(expected))
      })
    )
  })
})
