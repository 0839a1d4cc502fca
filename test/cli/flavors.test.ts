import { assert, describe, it } from "@effect/vitest"
import { hostExamples } from "../../src/cli/flavors.ts"
import * as RegistryFlavor from "../../src/flavor/RegistryFlavor.ts"
import * as RegistryUri from "../../src/reference/RegistryUri.ts"

describe("gantry flavors", () => {
  it("has for each flavor but the default one the hosts that are of it", () => {
    const named = RegistryFlavor.builtin.map(({ name }) => name).filter((name) => name !== "default")
    assert.sameMembers(Object.keys(hostExamples), named)
    for (const [name, hosts] of Object.entries(hostExamples)) {
      for (const host of hosts) {
        assert.strictEqual(RegistryFlavor.forUri(RegistryUri.unsafeParse(host)).name, name, host)
      }
    }
  })
})
