import { inspect } from "node:util"
import { assert, describe, it } from "@effect/vitest"
import * as Either from "effect/Either"
import * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import * as ConnectorError from "../../src/connector/ConnectorError.ts"

const canary = "canary-4f1d0c"

/** Everywhere an error may be printed. */
const printed = (error: ConnectorError.ConnectorError) =>
  [String(error), error.message, error.stack, inspect(error, { depth: 9 }), JSON.stringify(error)].join("\n")

describe("ConnectorError", () => {
  it("is worth another try when the service is unavailable, and for no other reason", () => {
    const retryable = ConnectorError.Reason.literals.filter(
      (reason) => new ConnectorError.ConnectorError({ connector: "aws", reason, detail: "it said no" }).isRetryable
    )
    assert.deepStrictEqual(retryable, ["unavailable"])
  })

  it("says which connector failed for what, why, and what to do", () => {
    const error = new ConnectorError.ConnectorError({
      connector: "aws",
      reason: "denied",
      resource: "reg.io",
      detail: "no role"
    })
    assert.strictEqual(
      error.message,
      "The aws connector failed for reg.io (denied): no role. Give the connector's identity access to the registry, or use another connector."
    )
  })

  it("crosses a wire", () => {
    const error = new ConnectorError.ConnectorError({ connector: "aws", reason: "expired", detail: "over" })
    const encoded = JSON.parse(JSON.stringify(Schema.encodeSync(ConnectorError.ConnectorError)(error)))
    assert.deepStrictEqual(Schema.decodeUnknownSync(ConnectorError.ConnectorError)(encoded), error)
  })

  describe("fromUnknown", () => {
    const from = (error: unknown) =>
      ConnectorError.fromUnknown(error, {
        connector: "company",
        reason: "unavailable",
        secrets: [Redacted.make(canary)]
      })

    it("keeps the name, the code and the message of an error", () => {
      const error = Object.assign(new TypeError("getaddrinfo failed"), { code: "ENOTFOUND" })
      assert.strictEqual(from(error).detail, "TypeError (ENOTFOUND) getaddrinfo failed")
      assert.strictEqual(from("no answer").detail, "no answer")
      assert.strictEqual(from(undefined).detail, "an error without a message")
      assert.strictEqual(from({ message: 7, code: {} }).detail, "7")
    })

    it("keeps nothing else of an error, and no secret that was sent, whatever repeats it", () => {
      const vendor = Object.assign(
        new Error(`${canary} is refused: 403 for https://u:${canary}@sts.example.com/?X-Signature=${canary}`),
        {
          headers: { authorization: `Bearer ${canary}` },
          cause: new Error(canary)
        }
      )
      const error = from(vendor)
      assert.include(error.detail, "sts.example.com")
      assert.notInclude(printed(error), canary)
    })

    it("says where an answer has another form, and not what it holds", () => {
      const Answer = Schema.Struct({ token: Schema.String, expires: Schema.Struct({ at: Schema.Number }) })
      const error = Either.flip(
        Schema.decodeUnknownEither(Answer, { errors: "all" })({ token: [canary], expires: { at: canary } })
      )
      const rebuilt = ConnectorError.fromUnknown(Either.getOrThrow(error), { connector: "company", reason: "denied" })
      assert.strictEqual(rebuilt.detail, "the answer has another form than expected at token, expires.at")
      assert.notInclude(printed(rebuilt), canary)
    })
  })
})
