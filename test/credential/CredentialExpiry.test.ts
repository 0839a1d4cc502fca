import { assert, describe, it } from "@effect/vitest"
import * as DateTime from "effect/DateTime"
import * as Duration from "effect/Duration"
import * as FastCheck from "effect/FastCheck"
import * as Option from "effect/Option"
import { Expiry } from "../../src/credential/Credential.ts"
import * as CredentialExpiry from "../../src/credential/CredentialExpiry.ts"

const at = (seconds: number) => DateTime.unsafeMake(seconds * 1000)
const issuedAt = at(1_000_000)

/** A credential of a lifetime in seconds, looked at when so many seconds of it are left. */
const isExpired = (lifetime: number, left: number, options?: CredentialExpiry.Options) =>
  CredentialExpiry.isExpired(
    Expiry.At({ issuedAt, at: at(1_000_000 + lifetime) }),
    at(1_000_000 + lifetime - left),
    options
  )

describe("CredentialExpiry", () => {
  describe("isExpired", () => {
    it("counts a one-hour token as expired from 300 seconds before its end", () => {
      assert.isFalse(isExpired(3600, 301))
      assert.isFalse(isExpired(3600, 300))
      assert.isTrue(isExpired(3600, 299))
    })

    it("takes no more than 300 seconds of a longer life", () => {
      assert.isFalse(isExpired(43_200, 301))
      assert.isTrue(isExpired(43_200, 299))
    })

    it("takes a tenth of a shorter life, so that a 4-minute token is used", () => {
      assert.isFalse(isExpired(240, 240))
      assert.isFalse(isExpired(240, 24))
      assert.isTrue(isExpired(240, 23))
    })

    it("takes an explicit skew, zero included", () => {
      assert.isFalse(isExpired(3600, 1, { skew: 0 }))
      assert.isFalse(isExpired(3600, 0, { skew: 0 }))
      assert.isTrue(isExpired(3600, -0.001, { skew: 0 }))
      assert.isTrue(isExpired(3600, 599, { skew: "10 minutes" }))
      assert.isFalse(isExpired(3600, 601, { skew: "10 minutes" }))
    })

    it("uses a credential of unknown end for 5 minutes, whatever the skew", () => {
      const expiry = Expiry.Unknown({ issuedAt })
      assert.isFalse(CredentialExpiry.isExpired(expiry, at(1_000_300)))
      assert.isFalse(CredentialExpiry.isExpired(expiry, at(1_000_300), { skew: "1 hour" }))
      assert.isTrue(CredentialExpiry.isExpired(expiry, at(1_000_300.001)))
      assert.isTrue(CredentialExpiry.isExpired(expiry, at(1_000_301), { skew: 0 }))
    })

    it("never expires what never ends", () => {
      assert.isFalse(CredentialExpiry.isExpired(Expiry.Never(), at(8_000_000_000_000), { skew: "365 days" }))
    })

    it("is never undone by waiting, and counts everything past its end as expired", () => {
      FastCheck.assert(
        FastCheck.property(
          FastCheck.integer({ min: -100_000, max: 100_000 }),
          FastCheck.integer({ min: -100_000, max: 200_000 }),
          FastCheck.nat(1000),
          (lifetime, left, later) =>
            (left >= 0 || isExpired(lifetime, left)) &&
            (!isExpired(lifetime, left) || isExpired(lifetime, left - later))
        )
      )
    })
  })

  describe("renewalWindow", () => {
    it("is the last skew before a credential counts as expired", () => {
      const expiry = Expiry.At({ issuedAt, at: at(1_003_600) })
      assert.deepStrictEqual(
        CredentialExpiry.renewalWindow(expiry),
        Option.some({ from: at(1_003_000), until: at(1_003_300) })
      )
      assert.deepStrictEqual(
        CredentialExpiry.renewalWindow(expiry, { skew: "10 seconds" }),
        Option.some({ from: at(1_003_580), until: at(1_003_590) })
      )
    })

    it("is none when the end is not known, or no moment", () => {
      assert.deepStrictEqual(CredentialExpiry.renewalWindow(Expiry.Never()), Option.none())
      assert.deepStrictEqual(CredentialExpiry.renewalWindow(Expiry.Unknown({ issuedAt })), Option.none())
      const expiry = Expiry.At({ issuedAt, at: at(1_003_600) })
      assert.deepStrictEqual(CredentialExpiry.renewalWindow(expiry, { skew: Duration.infinity }), Option.none())
    })
  })

  describe("earliest", () => {
    const never = Expiry.Never()
    const unknown = Expiry.Unknown({ issuedAt })
    const end = (seconds: number) => Expiry.At({ issuedAt, at: at(1_000_000 + seconds) })

    it("is the one that ends first, in whichever order they come", () => {
      const pairs = [
        [end(60), end(61)],
        [end(60), never],
        [unknown, never],
        [end(300), end(3600)],
        [unknown, end(301)],
        [end(299), unknown]
      ] as const
      for (const [first, later] of pairs) {
        assert.deepStrictEqual(CredentialExpiry.earliest(first, later), first)
        assert.deepStrictEqual(CredentialExpiry.earliest(later, first), first)
        assert.deepStrictEqual(CredentialExpiry.earliest(later)(first), first)
      }
      assert.deepStrictEqual(CredentialExpiry.earliest(never, never), never)
    })

    it("is expired as soon as one of the two is past its end", () => {
      const expiry = FastCheck.oneof(
        FastCheck.constantFrom<Expiry>(never, unknown),
        FastCheck.nat(1000).map((seconds): Expiry => end(seconds))
      )
      FastCheck.assert(
        FastCheck.property(expiry, expiry, FastCheck.nat(1000), (self, that, later) => {
          const isOver = (one: Expiry) => CredentialExpiry.isExpired(one, at(1_000_000 + later), { skew: 0 })
          return isOver(CredentialExpiry.earliest(self, that)) === (isOver(self) || isOver(that))
        })
      )
    })
  })
})
