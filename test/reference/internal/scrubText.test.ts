import { assert, describe, it } from "@effect/vitest"
import * as FastCheck from "effect/FastCheck"
import { scrubCredentials, scrubText } from "../../../src/reference/internal/scrubText.ts"

describe("scrubText", () => {
  const table: ReadonlyArray<readonly [what: string, text: string, expected: string]> = [
    ["a query", "GET https://x.test/a/b?sig=abc&x=1: no", "GET https://x.test/a/b?<redacted> no"],
    [
      "a query of a path",
      "PUT /v2/app/blobs/uploads/1?_state=abc failed",
      "PUT /v2/app/blobs/uploads/1?<redacted> failed"
    ],
    ["a user and a password", "at https://dev:pw@x.test:5000/v2/", "at https://x.test:5000/v2/"],
    ["a password with an @", "at https://dev:p@w@x.test/", "at https://x.test/"],
    ["a fragment", "https://x.test/a#token=abc", "https://x.test/a?<redacted>"],
    ["quotes around a URL", `Get "https://x.test/v2/?n=1": EOF`, `Get "https://x.test/v2/?<redacted>": EOF`],
    ["a header", "Authorization: Basic ZGV2OmRldi1wYXNzd29yZA== sent", "Authorization: Basic <redacted> sent"],
    ["a JWT", "got eyJhbGciOiJub25lIn0.eyJzdWIiOiJhIn0.c2ln !", "got <redacted> !"],
    ["control characters", "a\u001b[31mred\u0000\r\n\tb", "a [31mred b"]
  ]
  for (const [what, text, expected] of table) {
    it(`leaves out ${what}`, () => assert.strictEqual(scrubText(text), expected))
  }

  it("leaves other words as they are", () => {
    for (const text of ["Bearer token expired", "basic auth", "is it there? yes", "denied: 50% of 10 = 5", "ünï→"]) {
      assert.strictEqual(scrubText(text), text)
    }
  })

  it("leaves out the secrets it is told, except ones too short to be any", () => {
    assert.strictEqual(scrubText("hunter2 and a", ["hunter2", "a"]), "<redacted> and a")
  })

  it("gives at most 2,000 characters on one line, for any text", () => {
    FastCheck.assert(
      FastCheck.property(FastCheck.string({ unit: "binary", size: "large" }), (text) => {
        const scrubbed = scrubText(text)
        assert.isAtMost(scrubbed.length, 2000)
        assert.notMatch(scrubbed, /\p{Cc}/u)
      })
    )
  })

  it("says of a text that was scrubbed before what it says of the text itself", () => {
    const piece = FastCheck.constantFrom(
      ...'?#@/:= \n\u0000"',
      "https://",
      "dev:pw@",
      "?a=b",
      "basic ",
      "Bearer\u0000",
      "eyJhbGciOiJub25lIn0.e.",
      "abcdefghijklmnop",
      "hunter2"
    )
    const texts = FastCheck.array(piece, { maxLength: 12 }).map((pieces) => pieces.join(""))
    FastCheck.assert(
      FastCheck.property(texts, (text) => {
        const credentials = scrubCredentials(text, ["hunter2"])
        assert.strictEqual(scrubCredentials(credentials), credentials)
        assert.strictEqual(scrubText(credentials), scrubText(text, ["hunter2"]))
        assert.strictEqual(scrubText(scrubText(text)), scrubText(text))
      }),
      { numRuns: 2000 }
    )
  })

  it("comes to an end with hostile texts of a megabyte", () => {
    for (const pattern of ["a.", "a://", "?a=", "<", "basic ", "eyJaaaaaaaa.", "a:", "//@", "?"]) {
      assert.isAtMost(scrubText(pattern.repeat(1_000_000 / pattern.length)).length, 2000)
    }
  })
})
