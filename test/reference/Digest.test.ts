import { assert, describe, it } from "@effect/vitest"
import * as Either from "effect/Either"
import * as Equal from "effect/Equal"
import * as FastCheck from "effect/FastCheck"
import * as Schema from "effect/Schema"
import * as Digest from "../../src/reference/Digest.ts"
import * as arbitraries from "../../src/testing/Arbitraries.ts"
import { countSteps, hostileTexts } from "../support/countSteps.ts"

const hex = "0123456789abcdef".repeat(4)

describe("Digest", () => {
  it("says where a text is no digest", () => {
    const vectors: ReadonlyArray<readonly [text: string, position: number, expected: RegExp]> = [
      ["", 0, /digest algorithm/],
      ["sha256", 0, /digest algorithm/],
      [`:${hex}`, 0, /digest algorithm/],
      [`SHA256:${hex}`, 0, /digest algorithm/],
      [`toString:${hex}`, 0, /digest algorithm/],
      ["sha256:", 7, /64 hexadecimal digits/],
      [`sha256:${hex.slice(1)}`, 70, /64 hexadecimal digits/],
      [`sha256:${hex}0`, 71, /64 hexadecimal digits/],
      [`sha256:${hex}\n`, 71, /64 hexadecimal digits/],
      [`sha256:g${hex.slice(1)}`, 7, /lower-case hexadecimal/],
      [`sha256:${hex.toUpperCase()}`, 17, /lower-case hexadecimal/],
      [`sha512:${hex}`, 71, /128 hexadecimal digits/]
    ]
    for (const [text, position, expected] of vectors) {
      const error = Either.getOrThrow(Either.flip(Digest.parse(text)))
      assert.deepStrictEqual([error._tag, error.position], ["InvalidDigest", position], text)
      assert.match(error.message, expected)
      assert.isFalse(error.isRetryable)
    }
  })

  it.prop("reads back what it prints, and is a string in files", [arbitraries.digestText], ([text]) => {
    const digest = Digest.unsafeParse(text)
    assert.strictEqual(digest.toString(), text)
    assert.strictEqual(`${digest.algorithm}:${digest.encoded}`, text)
    assert.isTrue(Equal.equals(Schema.decodeSync(Digest.FromString)(text), digest))
    assert.strictEqual(Schema.encodeSync(Digest.FromString)(digest), text)
    assert.isTrue(Digest.isDigest(digest))
    assert.isFalse(Digest.isDigest(text))
  })

  it.prop("never throws, whatever the text", [FastCheck.string({ unit: "binary" })], ([text]) => {
    assert.isTrue(Either.isLeft(Digest.parse(text)))
  })

  it("looks at each character a bounded number of times", () => {
    for (const [name, hostile] of Object.entries(hostileTexts)) {
      const steps = (length: number) => {
        const text = `sha256:${hostile(length)}`
        return countSteps(() => void Digest.parse(text))
      }
      assert.isAtMost(steps(7200), 2 * steps(3600), name)
    }
  })
})
