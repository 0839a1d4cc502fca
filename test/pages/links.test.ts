import { assert, describe, it } from "@effect/vitest"
import { brokenLinks } from "../../scripts/lib/pages/links.ts"
import { exists, pages } from "../../scripts/lib/pages/repository.ts"

const check = (text: string) =>
  brokenLinks(
    new Map([
      ["README.md", text],
      ["docs/a.md", "# Title\n[up](../README.md)\n[beside](b.md#there)"],
      ["docs/b.md", "## There\n"]
    ]),
    (path) => ["README.md", "docs/a.md", "docs/b.md", "docs", "LICENSE"].includes(path)
  )

describe("brokenLinks", () => {
  it("are none where files and headings are as links say", () => {
    assert.deepStrictEqual(
      check("# Top\n[a](docs/a.md) [b](docs/b.md#there) [d](docs) [l](LICENSE) [t](#top) [e](https://example.com/x)"),
      []
    )
  })

  it("name the page, the line and the link of a file that is not there", () => {
    assert.deepStrictEqual(check("\n[a](docs/c.md)"), ["README.md:2: docs/c.md leads nowhere: there is no such file"])
  })

  it("name a heading that is not there, in another page and in the page itself", () => {
    assert.deepStrictEqual(check("[b](docs/b.md#here) [x](#x)"), [
      "README.md:1: docs/b.md#here names a heading that docs/b.md does not have",
      "README.md:1: #x names a heading that README.md does not have"
    ])
  })

  it("are read from the folder of their page", () => {
    assert.deepStrictEqual(
      brokenLinks(new Map([["docs/a.md", "[r](README.md)"]]), (path) => path === "README.md"),
      ["docs/a.md:1: README.md leads nowhere: there is no such file"]
    )
  })

  it("are those to a heading of what is no page, and those outside that are not https", () => {
    assert.deepStrictEqual(check("[l](LICENSE#mit) [h](http://example.com)"), [
      "README.md:1: LICENSE#mit names a heading of what is no page",
      "README.md:1: http://example.com is not the https URL that a link outside has to be"
    ])
  })
})

describe("the pages of this repository", () => {
  it("have no broken link", () => {
    const all = pages()
    assert.isAbove(all.size, 8)
    assert.deepStrictEqual(brokenLinks(all, exists), [])
  })

  it("are all linked from the README", () => {
    const readme = pages().get("README.md") ?? ""
    assert.deepStrictEqual(
      [...pages().keys()].filter((path) => path !== "README.md" && !readme.includes(`](${path})`)),
      []
    )
  })
})
