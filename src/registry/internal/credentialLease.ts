import type * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as Equal from "effect/Equal"
import * as Option from "effect/Option"
import type * as Scope from "effect/Scope"
import type { Credential, ResolvedCredential } from "../../credential/Credential.ts"
import * as CredentialExpiry from "../../credential/CredentialExpiry.ts"
import * as Lease from "../../credential/Lease.ts"
import type { RegistryUri } from "../../reference/RegistryUri.ts"
import type { Authentication, AuthenticationError } from "../Authentication.ts"

export type Held = Option.Option<ResolvedCredential>

/** A registry's credential, while it is good: what its pushes borrow. */
export type CredentialLease = Lease.Lease<Held, AuthenticationError>

export const credentialOf = (held: Held): Option.Option<Credential> => Option.map(held, ({ credential }) => credential)

/** Not the expiry: what a helper gives is of unknown age at each reading. */
export const isSame = (held: ResolvedCredential, read: ResolvedCredential): boolean =>
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

export type Borrowed = Lease.Borrowed<Held>

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
