import { assert, describe, it } from "@effect/vitest"
import { anchors, fences, links } from "../../scripts/lib/pages/Markdown.ts"

describe("fences", () => {
  it("have their language, their code, their line and the comment above them", () => {
    const page = "# Title\n\n<!-- readme: skip because of that -->\n```sh\necho 1\n\necho 2\n```\n\n```\nplain\n```\n"
    assert.deepStrictEqual(fences(page), [
      { language: "sh", code: "echo 1\n\necho 2\n", line: 4, directive: "skip because of that" },
      { language: "", code: "plain\n", line: 10, directive: undefined }
    ])
  })

  it("go on over a shorter fence, and to the end when none closes them", () => {
    assert.deepStrictEqual(
      fences("````ts\n```\n````\n```sh\nlast").map(({ code }) => code),
      ["```\n", "last\n"]
    )
  })
})

describe("links", () => {
  it("are those of the prose, with their lines", () => {
    const page = "[a](b.md) and [c](d.md#e)\n```sh\n[no](x.md)\n```\n`[no](y.md)` [f](#g)\n"
    assert.deepStrictEqual(links(page), [
      { target: "b.md", line: 1 },
      { target: "d.md#e", line: 1 },
      { target: "#g", line: 5 }
    ])
  })
})

describe("anchors", () => {
  it("are as GitHub makes them of headings, and of no line of a fenced block", () => {
    const page = "# The *command* line\n## gantry config check\n## What? `a.b`, c\n```sh\n# no heading\n```\n## Ö-1\n"
    assert.deepStrictEqual([...anchors(page)], ["the-command-line", "gantry-config-check", "what-ab-c", "ö-1"])
  })

  it("differ for headings of the same words", () => {
    assert.deepStrictEqual([...anchors("# A\n## A\n## A\n")], ["a", "a-1", "a-2"])
  })
})
