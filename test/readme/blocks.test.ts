import { assert, describe, it } from "@effect/vitest"
import { pages } from "../../scripts/lib/pages/repository.ts"
import { blocks } from "../../scripts/lib/readme/blocks.ts"

const only = (text: string) => blocks(text).map(({ action }) => action)

const block = (language: string, code: string, directive?: string) =>
  `${directive === undefined ? "" : `<!-- readme: ${directive} -->\n`}\`\`\`${language}\n${code}\`\`\`\n`

describe("a block of a page", () => {
  it("is run when nothing is said", () => {
    assert.deepStrictEqual(only(block("sh", "npm test\n")), [{ _tag: "Shell", code: "npm test\n" }])
    assert.deepStrictEqual(only(block("ts", "export {}\n")), [
      { _tag: "Program", path: "block-1.ts", code: "export {}\n", isRun: true }
    ])
  })

  it("of a console has commands, over several lines too, and what each prints", () => {
    assert.deepStrictEqual(only(block("console", "$ one \\\n  --two\nout\n\nmore\n$ three\n")), [
      {
        _tag: "Console",
        exchanges: [
          { command: "one \\\n  --two\n", expected: "out\n\nmore\n" },
          { command: "three\n", expected: "" }
        ]
      }
    ])
  })

  it("is a gantry.yaml when it has one of its keys, and gets the version that a part lacks", () => {
    assert.deepStrictEqual(only(block("yaml", "registries: {}\n")), [
      { _tag: "GantryFile", path: "block-1.yaml", code: "version: 1\nregistries: {}\n" }
    ])
    assert.deepStrictEqual(only(block("yaml", "version: 1\n", "file gantry.yaml")), [
      { _tag: "GantryFile", path: "gantry.yaml", code: "version: 1\n" }
    ])
  })

  it("is a file when it is named, and a program is then not run", () => {
    assert.deepStrictEqual(only(block("ts", "export {}\n", "file src/a.ts")), [
      { _tag: "Program", path: "src/a.ts", code: "export {}\n", isRun: false }
    ])
    assert.deepStrictEqual(only(block("sh", "exit 1\n", "file a.sh")), [
      { _tag: "File", path: "a.sh", code: "exit 1\n" }
    ])
  })

  it("is not run only for a reason", () => {
    assert.deepStrictEqual(only(block("sh", "docker run registry\n", "skip because it needs a network")), [
      { _tag: "Skip", reason: "it needs a network" }
    ])
    assert.deepStrictEqual(only(block("ts", "export {}\n", "check because it asks AWS")), [
      { _tag: "Program", path: "block-2.ts", code: "export {}\n", isRun: false }
    ])
    for (const directive of ["skip", "skip because ", "check", "skipped because x", "file ../../x"]) {
      const [action] = only(block("sh", "true\n", directive))
      assert.strictEqual(action?._tag, "Refuse", directive)
    }
  })

  it("is refused when nobody knows what to do with it", () => {
    for (const text of [block("", "x\n"), block("text", "x\n"), block("yaml", "- 1\n"), block("console", "out\n")]) {
      assert.strictEqual(only(text)[0]?._tag, "Refuse", text)
    }
  })
})

describe("the pages of this repository", () => {
  it("have no block that nobody knows what to do with", () => {
    const refused = [...pages()].flatMap(([path, text]) =>
      blocks(text).flatMap(({ action, line }) =>
        action._tag === "Refuse" ? [`${path}:${line}: ${action.problem}`] : []
      )
    )
    assert.deepStrictEqual(refused, [])
  })
})
