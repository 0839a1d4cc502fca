import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import * as ConnectorCatalog from "../../src/connector/ConnectorCatalog.ts"
import * as DockerConnector from "../../src/connector/DockerConnector.ts"

describe("ConnectorCatalog", () => {
  it.effect("gives the connector of a name, and for another name says which there are", () =>
    Effect.gen(function* () {
      const hub = yield* DockerConnector.make({ username: "bot", password: Redacted.make("x") })
      const catalog = ConnectorCatalog.make(new Map([["hub", hub]]))
      assert.strictEqual(yield* catalog.get("hub"), hub)
      const error = yield* Effect.flip(catalog.get("hup"))
      assert.deepInclude(error, { connector: "hup", reason: "misconfigured", isRetryable: false })
      assert.include(error.message, "hub")
      assert.include((yield* Effect.flip(ConnectorCatalog.make(new Map()).get("x"))).message, "none at all")
    })
  )
})
