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

/**
 * One lease over a registry's authentication. What may have changed behind gantry's back is read again for each borrower;
 * an equal credential keeps its generation. That there is none is never remembered.
 */
export const make = <R>(
  authentication: Authentication<R>,
  uri: RegistryUri
): Effect.Effect<CredentialLease, never, R | Scope.Scope> =>
  Lease.make({
    acquire: authentication.resolve(uri),
    check: (held, now) => {
      if (Option.exists(held, ({ credential }) => CredentialExpiry.isExpired(credential.expiry, now))) {
        return Effect.succeed("stale" as const)
      }
      return Option.exists(held, ({ revalidate }) => !revalidate)
        ? Effect.succeed("reuse" as const)
        : Effect.map(authentication.resolve(uri), (found) =>
            Equal.equals(credentialOf(found), credentialOf(held)) ? ("reuse" as const) : ("stale" as const)
          )
    },
    renewal: (held) =>
      Option.flatMap(held, ({ credential, revalidate }) =>
        revalidate ? Option.none() : CredentialExpiry.renewalWindow(credential.expiry)
      )
  })

/** A denial cures itself by a new login only where the login was issued before: an expired ECR token is a 403. */
const isOlder = (held: Held, than: DateTime.Utc): boolean =>
  Option.exists(
    held,
    ({ credential: { expiry } }) => expiry._tag !== "Never" && DateTime.lessThan(expiry.issuedAt, than)
  )

/** Whether another credential may change a registry's mind: ARCHITECTURE, "Refresh in a push". */
const mayPassWithAnother = (error: { readonly _tag: string }, held: Held, startedAt: DateTime.Utc): boolean =>
  Option.isSome(held) &&
  (error._tag === "RegistryUnauthorized" || (error._tag === "RegistryDenied" && isOlder(held, startedAt)))

/**
 * Uses the credential, and once more with another one when the registry refuses it and another one can be had. The second
 * answer is final.
 */
export const withReauthentication = <A, E extends { readonly _tag: string }, R>(
  lease: CredentialLease,
  use: (held: Held) => Effect.Effect<A, E, R>,
  onReauthenticated: (held: ResolvedCredential) => Effect.Effect<void>
): Effect.Effect<A, E | AuthenticationError, R> =>
  Effect.scoped(
    Effect.gen(function* () {
      const startedAt = yield* DateTime.now
      const first = yield* lease.borrow
      return yield* use(first.value).pipe(
        Effect.catchIf(
          (error) => mayPassWithAnother(error, first.value, startedAt),
          (error) =>
            Effect.gen(function* () {
              yield* lease.expire(first.generation)
              const next = yield* lease.borrow
              if (Option.isNone(next.value) || Equal.equals(credentialOf(next.value), credentialOf(first.value))) {
                return yield* Effect.fail(error)
              }
              yield* onReauthenticated(next.value.value)
              return yield* use(next.value)
            })
        )
      )
    })
  )
