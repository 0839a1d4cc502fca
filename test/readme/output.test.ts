import { assert, describe, it } from "@effect/vitest"
import { isAsShown, mask } from "../../scripts/lib/readme/output.ts"

const a = "a".repeat(64)
const b = "b".repeat(64)

describe("shown output", () => {
  it("is what is printed, whatever digests, times and instants are", () => {
    assert.isTrue(
      isAsShown(
        `app:1: pushed sha256:${a} in 894 ms\nat 2026-01-02T03:04:05.000Z\n`,
        `app:1: pushed sha256:${b} in 1.2 s\nat 2026-11-27T15:00:00Z\n`
      )
    )
  })

  it("is not what is printed when a word, a line or the order differs", () => {
    assert.isFalse(isAsShown("app:1: pushed\n", "app:1: unchanged\n"))
    assert.isFalse(isAsShown("one\n", "one\ntwo\n"))
    assert.isFalse(isAsShown("one\ntwo\n", "one\n"))
    assert.isFalse(isAsShown("one\ntwo\n", "two\none\n"))
    assert.isFalse(isAsShown("", "something\n"))
  })

  it("has equal digests where the printed ones are equal, and different ones where they differ", () => {
    assert.isTrue(isAsShown(`${a}\n${b}\n${a}\n`, `${b}\n${a}\n${b}\n`))
    assert.isFalse(isAsShown(`${a}\n${a}\n`, `${a}\n${b}\n`))
    assert.isFalse(isAsShown(`${a}\n${b}\n`, `${a}\n${a}\n`))
  })

  it("leaves out lines with …, and text within a line", () => {
    assert.isTrue(isAsShown("…\nlast\n", "first\nsecond\nlast\n"))
    assert.isTrue(isAsShown("first\n…\n", "first\n"))
    assert.isTrue(isAsShown('{"_tag":"PushQueued",…}\n', '{"_tag":"PushQueued","x":1}\n'))
    assert.isFalse(isAsShown("first\n…\n", "second\nfirst\n"))
  })

  it("is text, not a pattern", () => {
    assert.isFalse(isAsShown("a.c (1)\n", "abc (1)\n"))
    assert.isTrue(isAsShown("a.c (1) [x]*\n", "a.c (1) [x]*\n"))
  })

  it("masks the ports that a machine chooses, and not those that pages name", () => {
    assert.strictEqual(
      mask("127.0.0.1:49152 localhost:5300 localhost:8080"),
      "127.0.0.1:PORT localhost:5300 localhost:PORT"
    )
  })
})
