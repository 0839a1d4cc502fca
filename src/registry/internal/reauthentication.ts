import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Option from "effect/Option"
import type { ResolvedCredential } from "../../credential/Credential.ts"
import type { AttemptEvent } from "../../push/PushEvent.ts"
import type { AuthenticationError } from "../Authentication.ts"
import { type Borrowed, type CredentialLease, type Held, isSame } from "./credentialLease.ts"

/** How many refusals in a row are answered with another login while no other layer gets through. */
const patience = 5

/** A denial cures itself by a new login only where the login was issued before: an expired ECR token is a 403. */
const isOlder = ({ credential: { expiry } }: ResolvedCredential, than: DateTime.Utc): boolean =>
  expiry._tag !== "Never" && DateTime.lessThan(expiry.issuedAt, than)

/** Whether another credential may change a registry's mind: ARCHITECTURE, "Refresh in a push". */
const mayPassWithAnother = (error: { readonly _tag: string }, held: Held, startedAt: DateTime.Utc): boolean =>
  Option.exists(
    held,
    (used) => error._tag === "RegistryUnauthorized" || (error._tag === "RegistryDenied" && isOlder(used, startedAt))
  )

const isOther = (held: Held, than: Held): boolean =>
  Option.exists(held, (found) => !Option.exists(than, (refused) => isSame(refused, found)))

/** One use's refusals, weighed by what the registry took in between. */
const makeRefusals = () => {
  const through = new Set<string>()
  let fruitless = 0
  let untaken = 0
  return {
    through: (layer: string): void => {
      if (!through.has(layer)) fruitless = 0
      through.add(layer)
    },
    /** Whether another login is worth it after the refusal of one that the registry had taken, or never took. */
    allow: (wasTaken: boolean): boolean => {
      fruitless++
      untaken = wasTaken ? 0 : untaken + 1
      return untaken <= 1 && fruitless <= patience
    }
  }
}

/** A credential in use, and where to tell what the registry did with it. */
export interface Trial {
  readonly held: Held
  readonly see: (event: AttemptEvent) => void
}

interface Refused<out E> {
  readonly borrowed: Borrowed
  readonly error: E
}

/** `onBorrow` learns of each credential before it is used. */
export type Reauthenticate = <A, E extends { readonly _tag: string }, R>(
  use: (trial: Trial) => Effect.Effect<A, E, R>,
  onBorrow?: (borrowed: Borrowed) => void
) => Effect.Effect<A, E | AuthenticationError, R>

/**
 * Uses a credential, and another one when the registry refuses it and another one can be had.
 *
 * One that the registry had taken has ended meanwhile: it is replaced whenever that happens, since a push may outlive
 * several. Where the registry never took it, the refusal of the next one is final.
 */
export const make = (lease: CredentialLease): Reauthenticate => {
  /** The newest generation of which the registry took something. */
  let taken = 0

  return <A, E extends { readonly _tag: string }, R>(
    use: (trial: Trial) => Effect.Effect<A, E, R>,
    onBorrow: (borrowed: Borrowed) => void = () => {}
  ): Effect.Effect<A, E | AuthenticationError, R> =>
    Effect.flatMap(DateTime.now, (startedAt) => {
      const refusals = makeRefusals()

      const take = ({ generation }: Borrowed) => {
        taken = Math.max(taken, generation)
      }

      const see = (borrowed: Borrowed) => (event: AttemptEvent) => {
        // What is there already is found with the right to pull.
        const isThrough = event._tag === "LayerPushed" && event.outcome !== "existing"
        if (isThrough) refusals.through(event.layer)
        if (isThrough || (event._tag === "LayerProgress" && event.current > 0)) take(borrowed)
      }

      const attempt = (last: Option.Option<Refused<E>>) =>
        Effect.gen(function* () {
          const borrowed = yield* lease.borrow
          if (Option.isSome(last) && !isOther(borrowed.value, last.value.borrowed.value)) {
            return yield* Effect.fail(last.value.error)
          }
          onBorrow(borrowed)
          return yield* use({ held: borrowed.value, see: see(borrowed) }).pipe(
            Effect.map((value) => {
              take(borrowed)
              return Either.right(value)
            }),
            Effect.catchIf(
              (error) =>
                mayPassWithAnother(error, borrowed.value, startedAt) && refusals.allow(taken >= borrowed.generation),
              (error) => Effect.succeed(Either.left({ borrowed, error }))
            )
          )
        }).pipe(Effect.scoped)

      const from = (last: Option.Option<Refused<E>>): Effect.Effect<A, E | AuthenticationError, R> =>
        Effect.flatMap(attempt(last), (outcome) =>
          Either.isRight(outcome)
            ? Effect.succeed(outcome.right)
            : Effect.zipRight(lease.expire(outcome.left.borrowed.generation), from(Option.some(outcome.left)))
        )

      return from(Option.none())
    })
}
