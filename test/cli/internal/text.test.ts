import { assert, describe, it } from "@effect/vitest"
import * as FastCheck from "effect/FastCheck"
import { clockTime, oneLine, readableBytes } from "../../../src/cli/internal/text.ts"
import { commandsIn, hostileTexts } from "../support/actionsRunner.ts"

describe("oneLine", () => {
  it("is no command to a CI service, wherever in a line it stands, for any text", () => {
    FastCheck.assert(
      FastCheck.property(hostileTexts, FastCheck.constantFrom("", "    ", "reg.test/a: failed: "), (text, before) => {
        const line = `${before}${oneLine(text)}`
        assert.notMatch(line, /[\p{Cc}\u2028\u2029]/u)
        assert.deepStrictEqual(commandsIn(line), [])
        assert.notInclude(line, "##")
      })
    )
  })

  it("leaves alone what is none", () => {
    for (const text of ["[::1]:5000/a::b", "oci:./a#1", "it said: ::error::no"]) assert.strictEqual(oneLine(text), text)
    assert.strictEqual(oneLine("\n ::add-mask::a ##[error]b ##vso[c]"), ": :add-mask::a # #[error]b # #vso[c]")
  })
})

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
