import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as Equal from "effect/Equal"
import * as Option from "effect/Option"
import type * as Scope from "effect/Scope"
import type { Credential, ResolvedCredential } from "../../credential/Credential.ts"
import * as CredentialExpiry from "../../credential/CredentialExpiry.ts"
import * as Lease from "../../credential/Lease.ts"
import type { RegistryUri } from "../../reference/RegistryUri.ts"
import type { Authentication, AuthenticationError } from "../Authentication.ts"

type Held = Option.Option<ResolvedCredential>

/** A registry's credential, while it is good: what its pushes borrow. */
export type CredentialLease = Lease.Lease<Held, AuthenticationError>

export const credentialOf = (held: Held): Option.Option<Credential> => Option.map(held, ({ credential }) => credential)

/** Not the expiry: what a helper gives is of unknown age at each reading. */
const isSame = (held: ResolvedCredential, read: ResolvedCredential): boolean =>
  held.credential.host === read.credential.host && Equal.equals(held.credential.kind, read.credential.kind)

const isGood = ({ credential }: ResolvedCredential, now: DateTime.Utc): boolean =>
  !CredentialExpiry.isExpired(credential.expiry, now)

/** Whether what was read again, just now, is what is held. */
const isUnchanged = (held: Held, read: Held, now: DateTime.Utc): boolean =>
  Option.match(held, {
    onNone: () => Option.isNone(read),
    onSome: (value) => Option.exists(read, (found) => isSame(value, found) && isGood(found, now))
  })

/**
 * One lease over a registry's authentication. What may have changed behind gantry's back is read again for each borrower,
 * and keeps its generation when it is the same.
 */
export const make = <R>(
  authentication: Authentication<R>,
  uri: RegistryUri
): Effect.Effect<CredentialLease, never, R | Scope.Scope> => {
  const resolve = authentication.resolve(uri)
  return Lease.make({
    acquire: resolve,
    check: (held, now) =>
      Option.isSome(held) && !held.value.revalidate
        ? Effect.succeed(isGood(held.value, now) ? "reuse" : "stale")
        : Effect.map(resolve, (read) => (isUnchanged(held, read, now) ? "reuse" : "stale")),
    renewal: Option.flatMap(({ credential }) => CredentialExpiry.renewalWindow(credential.expiry))
  })
}

/** A denial cures itself by a new login only where the login was issued before: an expired ECR token is a 403. */
const isOlder = ({ credential: { expiry } }: ResolvedCredential, than: DateTime.Utc): boolean =>
  expiry._tag !== "Never" && DateTime.lessThan(expiry.issuedAt, than)

/** Whether another credential may change a registry's mind: ARCHITECTURE, "Refresh in a push". */
const mayPassWithAnother = (error: { readonly _tag: string }, held: Held, startedAt: DateTime.Utc): boolean =>
  Option.exists(
    held,
    (used) => error._tag === "RegistryUnauthorized" || (error._tag === "RegistryDenied" && isOlder(used, startedAt))
  )

type Borrowed = Lease.Borrowed<Held>

/**
 * Uses the credential, and once more with another one when the registry refuses it and another one can be had. The second
 * answer is final. `onBorrow` learns of each credential before it is used.
 */
export const withReauthentication = <A, E extends { readonly _tag: string }, R>(
  lease: CredentialLease,
  use: (held: Held) => Effect.Effect<A, E, R>,
  onBorrow: (borrowed: Borrowed) => void = () => {}
): Effect.Effect<A, E | AuthenticationError, R> => {
  const again = (first: Borrowed, refusal: E) =>
    Effect.gen(function* () {
      yield* lease.expire(first.generation)
      const next = yield* lease.borrow
      const isOther = Option.exists(next.value, (found) => !Option.exists(first.value, (held) => isSame(held, found)))
      if (!isOther) return yield* Effect.fail(refusal)
      onBorrow(next)
      return yield* use(next.value)
    })

  return Effect.gen(function* () {
    const startedAt = yield* DateTime.now
    const first = yield* lease.borrow
    onBorrow(first)
    return yield* use(first.value).pipe(
      Effect.catchIf(
        (error) => mayPassWithAnother(error, first.value, startedAt),
        (error) => again(first, error)
      )
    )
  }).pipe(Effect.scoped)
}

/** Tells of each generation after the first once, whoever of many borrowers comes first. */
export const makeAnnouncer = () => {
  let announced = 1
  return (tell: (held: ResolvedCredential) => void) =>
    ({ generation, value }: Borrowed): void => {
      if (generation <= announced || Option.isNone(value)) return
      announced = generation
      tell(value.value)
    }
}
