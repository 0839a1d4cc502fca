import { assert, describe, it } from "@effect/vitest"
import * as Either from "effect/Either"
import { choose } from "../../scripts/lib/choose.ts"

const names = ["lease-a", "lease-b", "registry-a"]

describe("choose", () => {
  it("gives all when nothing is said", () => {
    assert.deepStrictEqual(choose(names, []), Either.right(new Set(names)))
  })

  it("gives those that contain one of the parts", () => {
    assert.deepStrictEqual(choose(names, ["lease-b", "registry"]), Either.right(new Set(["lease-b", "registry-a"])))
  })

  it("refuses a part that no name contains, though others do", () => {
    assert.deepStrictEqual(choose(names, ["lease", "tpyo"]), Either.left(["tpyo"]))
  })
})
