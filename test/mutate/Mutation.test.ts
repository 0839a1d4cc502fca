import { existsSync } from "node:fs"
import { fileURLToPath } from "node:url"
import { assert, describe, it } from "@effect/vitest"
import * as Mutation from "../../scripts/lib/mutate/Mutation.ts"
import { rules } from "./rules.ts"

const root = fileURLToPath(new URL("../..", import.meta.url))
const mutations = Mutation.readAll(`${root}/test/mutations`)

const patch = (header: string): string =>
  `${header}\n--- a/src/reference/Digest.ts\n+++ b/src/reference/Digest.ts\n@@ -1,1 +1,1 @@\n-a\n+b\n`

describe("Mutation", () => {
  it("reads what has to notice a patch, how that is run, and which of its tests", () => {
    const header =
      "# caught by: test/a.test.ts (hostile names, d20), test/live/b.test.ts test/types/c.tst.ts scripts/lib/d.ts"
    assert.deepStrictEqual(Mutation.parse("name", "name.patch", patch(header)), {
      name: "name",
      patch: "name.patch",
      catchers: [
        { kind: "unit", file: "test/a.test.ts", names: ["hostile names", "d20"] },
        { kind: "live", file: "test/live/b.test.ts", names: [] },
        { kind: "types", file: "test/types/c.tst.ts", names: [] },
        { kind: "program", file: "scripts/lib/d.ts", names: [] }
      ],
      changes: ["src/reference/Digest.ts"]
    })
  })

  it("has no catchers for a patch that names none", () => {
    assert.deepStrictEqual(Mutation.parse("name", "name.patch", patch("# broken on purpose")).catchers, [])
  })
})

describe("the patches of test/mutations", () => {
  it("name catchers that are there", () => {
    const wrong = mutations.filter(
      ({ catchers }) => catchers.length === 0 || catchers.some(({ file }) => !existsSync(`${root}/${file}`))
    )
    assert.deepStrictEqual(
      wrong.map(({ name }) => name),
      []
    )
  })

  it("break each rule that is easy to get wrong", () => {
    const names = new Set(mutations.map(({ name }) => name))
    const unbroken = Object.entries(rules).filter(
      ([, patches]) => patches.length === 0 || patches.some((patch) => !names.has(patch))
    )
    assert.deepStrictEqual(unbroken, [])
  })
})
