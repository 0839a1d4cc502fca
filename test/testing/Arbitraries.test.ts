import { assert, describe, it } from "@effect/vitest"
import * as DateTime from "effect/DateTime"
import * as Equal from "effect/Equal"
import * as FastCheck from "effect/FastCheck"
import * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import { CredentialExpiry, PushError, PushEvent, PushedImage } from "gantry"
import { Arbitraries } from "gantry/testing"

/** What is written as JSON and read again. */
const throughJson = <A, I>(schema: Schema.Schema<A, I>, value: A): A =>
  Schema.decodeUnknownSync(schema)(JSON.parse(JSON.stringify(Schema.encodeSync(schema)(value))))

describe("Arbitraries", () => {
  it.prop("images are named by their own digest, and cross a wire", [Arbitraries.pushedImage], ([image]) => {
    assert.strictEqual(image.repoDigest, `${image.reference.name}@${image.digest}`)
    assert.isTrue(Schema.equivalence(PushedImage.PushedImage)(throughJson(PushedImage.PushedImage, image), image))
  })

  it.prop("errors say what to do, and cross a wire", [Arbitraries.errorReport], ([report]) => {
    assert.isTrue(report.message.endsWith(report.advice))
    assert.deepStrictEqual(throughJson(PushError.ErrorReport, report), report)
  })

  it.prop("events are events", [Arbitraries.pushEvent], ([event]) => {
    assert.isTrue(Schema.is(PushEvent.PushEvent)(event))
  })

  it.prop("credentials hold a secret, and end no sooner than they begin", [Arbitraries.credential], ([credential]) => {
    const { expiry, kind } = credential
    assert.isTrue(Redacted.isRedacted(kind._tag === "UsernamePassword" ? kind.password : kind.token))
    assert.isTrue(Equal.equals(credential, credential))
    if (expiry._tag === "At") {
      assert.isTrue(DateTime.lessThanOrEqualTo(expiry.issuedAt, expiry.at))
      assert.isTrue(CredentialExpiry.isExpired(expiry, DateTime.add(expiry.at, { millis: 1 })))
    }
  })

  it("gives every kind of credential, expiry, status and event", () => {
    const seen = (values: ReadonlyArray<string>) => [...new Set(values)].sort()
    const credentials = FastCheck.sample(Arbitraries.credential, 500)
    assert.lengthOf(seen(credentials.map(({ kind }) => kind._tag)), 3)
    assert.lengthOf(seen(credentials.map(({ expiry }) => expiry._tag)), 3)
    const images = FastCheck.sample(Arbitraries.pushedImage, 500)
    assert.deepStrictEqual(seen(images.map(({ status }) => status)), ["pushed", "skipped", "unchanged"])
    const events = FastCheck.sample(Arbitraries.pushEvent, 2000)
    assert.lengthOf(seen(events.map(({ _tag }) => _tag)), Object.keys(Arbitraries.pushEvents).length)
  })
})
