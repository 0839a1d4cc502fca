/**
 * When a credential that expires is no longer used.
 *
 * @since 0.1.0
 */
import * as DateTime from "effect/DateTime"
import * as Duration from "effect/Duration"
import { dual } from "effect/Function"
import * as Option from "effect/Option"
import { Expiry } from "./Credential.ts"
import type { Window } from "./Lease.ts"

type ExpiryAt = Extract<Expiry, { readonly _tag: "At" }>

const LONGEST_SKEW = Duration.toMillis("5 minutes")
const REUSE_OF_UNKNOWN = Duration.toMillis("5 minutes")

/**
 * How long before its end a credential counts as expired, zero included. When left out: the smaller of 5 minutes and a
 * tenth of its lifetime.
 *
 * @since 0.1.0
 * @category models
 */
export interface Options {
  readonly skew?: Duration.DurationInput | undefined
}

/** A tenth of a short life: with five minutes of a four-minute token, each use would issue another one. */
const skewOf = ({ at, issuedAt }: ExpiryAt, options: Options | undefined): number =>
  options?.skew === undefined
    ? Math.min(LONGEST_SKEW, Math.max(0, DateTime.distance(issuedAt, at) / 10))
    : Duration.toMillis(options.skew)

/**
 * Whether a credential is too close to its end to be used: `now > at - skew`.
 *
 * `Never` does not expire, and one whose end is `Unknown` is used for 5 minutes from its issue.
 *
 * @since 0.1.0
 * @category predicates
 */
export const isExpired = (expiry: Expiry, now: DateTime.Utc, options?: Options): boolean =>
  Expiry.$match(expiry, {
    Never: () => false,
    Unknown: ({ issuedAt }) => now.epochMillis > issuedAt.epochMillis + REUSE_OF_UNKNOWN,
    At: (expiry) => now.epochMillis > expiry.at.epochMillis - skewOf(expiry, options)
  })

/**
 * When to renew a credential that is in use, so that nobody has to wait for the next: the last `skew` before it counts as
 * expired. None when its end is not known.
 *
 * @since 0.1.0
 * @category getters
 */
export const renewalWindow = (expiry: Expiry, options?: Options): Option.Option<Window> => {
  if (expiry._tag !== "At") return Option.none()
  const skew = skewOf(expiry, options)
  const until = expiry.at.epochMillis - skew
  return Option.all({ from: DateTime.make(until - skew), until: DateTime.make(until) })
}

/** The last instant at which an expiry without skew is used. */
const lastUse = (expiry: Expiry): number =>
  Expiry.$match(expiry, {
    Never: () => Number.POSITIVE_INFINITY,
    Unknown: ({ issuedAt }) => issuedAt.epochMillis + REUSE_OF_UNKNOWN,
    At: ({ at }) => at.epochMillis
  })

/**
 * The one of two that ends first, as for a token and the session behind it. One whose end is `Unknown` counts as ending
 * when it is no longer reused.
 *
 * @since 0.1.0
 * @category combinators
 */
export const earliest: {
  (that: Expiry): (self: Expiry) => Expiry
  (self: Expiry, that: Expiry): Expiry
} = dual(2, (self: Expiry, that: Expiry): Expiry => (lastUse(self) <= lastUse(that) ? self : that))
