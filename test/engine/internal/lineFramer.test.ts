import { assert, describe, it } from "@effect/vitest"
import { makeLineFramer } from "../../../src/engine/internal/lineFramer.ts"
import { recordings } from "../../support/engineRecordings.ts"

const MAXIMUM = 1024 * 1024

const linesOf = (...parts: ReadonlyArray<Uint8Array>): ReadonlyArray<string> => {
  const framer = makeLineFramer(MAXIMUM)
  const lines: Array<string> = []
  for (const part of parts) assert.isTrue(framer.feed(part, lines))
  return [...lines, framer.rest()]
}

describe("lineFramer", () => {
  it("gives the same lines of every recording split at every byte", { timeout: 60_000 }, () => {
    for (const { body, name } of recordings) {
      const whole = linesOf(body).join("\n")
      assert.strictEqual(whole, new TextDecoder().decode(body))
      for (let at = 1; at < body.length; at++) {
        const split = linesOf(body.subarray(0, at), body.subarray(at)).join("\n")
        if (split !== whole) assert.fail(`${name} split at ${at}`)
      }
    }
  })

  it("copies each byte of a long line a few times at most, however small its pieces", () => {
    const line = new Uint8Array(200_000).fill(0x78)
    const set = Uint8Array.prototype.set
    let copied = 0
    Uint8Array.prototype.set = function (from, offset) {
      copied += from.length
      return set.call(this, from, offset)
    }
    try {
      const framer = makeLineFramer(MAXIMUM)
      const lines: Array<string> = []
      for (let at = 0; at < line.length; at += 7) framer.feed(line.subarray(at, at + 7), lines)
      assert.strictEqual(framer.rest().length, line.length)
    } finally {
      Uint8Array.prototype.set = set
    }
    assert.isAtLeast(copied, line.length)
    assert.isBelow(copied, line.length * 4)
  })

  it("refuses a line longer than its maximum at the same length, whole or in pieces", () => {
    const fits = new Uint8Array(MAXIMUM).fill(0x78)
    const newline = Uint8Array.of(10)
    assert.isTrue(makeLineFramer(MAXIMUM).feed(fits, []))
    const whole = new Uint8Array([...fits, 0x78, 10])
    assert.isFalse(makeLineFramer(MAXIMUM).feed(whole, []))
    const framer = makeLineFramer(MAXIMUM)
    const lines: Array<string> = []
    assert.isTrue(framer.feed(fits, lines))
    assert.isTrue(framer.feed(newline, lines))
    assert.strictEqual(lines.length, 1)
    assert.isTrue(framer.feed(fits, lines))
    assert.isFalse(framer.feed(Uint8Array.of(0x78), lines))
  })
})
