import { assert, describe, it } from "@effect/vitest"
import type { Mutation } from "../../scripts/lib/mutate/Mutation.ts"
import { order } from "../../scripts/lib/mutate/Order.ts"

const make = (index: number): Mutation => ({
  name: `m${index}`,
  patch: `m${index}.patch`,
  catchers: [{ kind: "unit", file: `test/${index % 50}.test.ts`, names: [] }],
  changes: [`src/${index % 100}.ts`]
})

const mutations = Array.from({ length: 600 }, (_, index) => make(index))

const names = (ordered: ReadonlyArray<Mutation>) => ordered.map(({ name }) => name)

describe("order", () => {
  it("keeps every mutation, once", () => {
    const ordered = order(mutations, { changed: new Set(["src/7.ts"]), turn: 41 })
    assert.deepStrictEqual(names(ordered).toSorted(), names(mutations).toSorted())
  })

  it("begins with those that recent commits touched: in their source, their test or their patch", () => {
    const changed = new Set(["src/7.ts", "test/3.test.ts", "test/mutations/m11.patch"])
    const isTouched = ({ catchers, changes, name }: Mutation) =>
      changes.includes("src/7.ts") || catchers.some(({ file }) => file === "test/3.test.ts") || name === "m11"
    const ordered = order(mutations, { changed, turn: 3 }).map(isTouched)
    assert.strictEqual(ordered.lastIndexOf(true), mutations.filter(isTouched).length - 1)
  })

  it("tries each of them in any five turns in a row that have the time for a quarter", () => {
    for (let turn = 0; turn < 20; turn++) {
      const tried = new Set(
        Array.from({ length: 5 }, (_, index) => order(mutations, { changed: new Set(), turn: turn + index })).flatMap(
          (ordered) => names(ordered.slice(0, mutations.length / 4))
        )
      )
      assert.strictEqual(tried.size, mutations.length, `from turn ${turn}`)
    }
  })

  it("keeps those of one test together, so that it is proven green once", () => {
    const files = order(mutations, { changed: new Set(), turn: 0 }).map(({ catchers }) => catchers[0]?.file)
    assert.strictEqual(files.filter((file, index) => file !== files[index - 1]).length, 50)
  })
})
