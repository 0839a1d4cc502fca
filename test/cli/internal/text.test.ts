import { assert, describe, it } from "@effect/vitest"
import * as FastCheck from "effect/FastCheck"
import { clockTime, readableBytes } from "../../../src/cli/internal/text.ts"

describe("readableBytes", () => {
  it("has three digits and the unit that fits", () => {
    const examples = { 0: "0 B", 999: "999 B", 1000: "1.00 kB", 12345: "12.3 kB", 999499: "999 kB", 5e12: "5.00 TB" }
    for (const [bytes, text] of Object.entries(examples)) assert.strictEqual(readableBytes(Number(bytes)), text)
  })

  it("is never longer than a column of a bar's line, for any rate", () => {
    FastCheck.assert(
      FastCheck.property(FastCheck.double({ min: 0, max: 1e15, noNaN: true }), (bytes) => {
        assert.isAtMost(`${readableBytes(bytes)}/s`.length, "99.9 MB/s".length)
        assert.notMatch(readableBytes(bytes), /^1000 [^T]/)
      })
    )
  })
})

describe("clockTime", () => {
  it("has minutes and seconds, and hours when there are some", () => {
    const examples = { 0: "0:00", 8400: "0:08", 59600: "1:00", 754000: "12:34", 3723000: "1:02:03" }
    for (const [millis, text] of Object.entries(examples)) assert.strictEqual(clockTime(Number(millis)), text)
  })
})
