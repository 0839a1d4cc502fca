import { assert, describe, it } from "@effect/vitest"
import * as FastCheck from "effect/FastCheck"
import { isTagGlob, matchesGlob } from "../../../src/reference/internal/glob.ts"

const letters = (...more: ReadonlyArray<string>) =>
  FastCheck.array(FastCheck.constantFrom("a", "b", ".", "/", ...more), { maxLength: 12 }).map((all) => all.join(""))

/** The same by a regular expression, whose engine is not gantry's. */
const oracle = (pattern: string, text: string): boolean =>
  new RegExp(`^${pattern.replaceAll(".", "\\.").replaceAll("*", ".*").replaceAll("?", ".")}$`, "s").test(text)

describe("a glob", () => {
  it("matches whole texts: * any characters, slashes too, and ? exactly one", () => {
    FastCheck.assert(
      FastCheck.property(letters("*", "?"), letters("*", "?"), (pattern, text) => {
        assert.strictEqual(matchesGlob(pattern, text), oracle(pattern, text), `${pattern} on ${text}`)
      }),
      { numRuns: 2000 }
    )
  })

  it("matches every text that a * was put into", () => {
    FastCheck.assert(
      FastCheck.property(letters(), letters(), letters(), (before, between, after) => {
        assert.isTrue(matchesGlob(`${before}*${after}`, `${before}${between}${after}`))
      })
    )
  })

  it("takes a moment for a pattern of many stars that matches nothing", () => {
    assert.isFalse(matchesGlob(`${"*a".repeat(5000)}b`, "a".repeat(20_000)))
  })

  it("of tags has a tag's characters, and none that would make it match no tag", () => {
    for (const glob of ["*", "v*", "v?.*", "1.4.2", "_*"]) assert.isTrue(isTagGlob(glob), glob)
    for (const glob of ["", "v[0-9]", "app:v*", "team/*", "!v*", ".*", "v *", "v*,w*"])
      assert.isFalse(isTagGlob(glob), glob)
  })
})
