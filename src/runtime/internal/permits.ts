/**
 * The cap on pushes in flight, shared fairly between registries.
 *
 * A registry holds at most the cap less one permit for every other registry with waiting pushes, and free permits go
 * round the registries one at a time, so a registry that hangs starves no other. A permit is not taken back.
 */
import type { LazyArg } from "effect/Function"

export interface Permits {
  /** `grant` is called once for each permit given; it must not call back into the permits. */
  readonly join: (limit: number, grant: LazyArg<void>) => Share
}

/** One registry's part. */
export interface Share {
  /** A push was queued: from this moment the other registries leave a permit for this one. */
  readonly queued: LazyArg<void>
  /** A push left the queue. */
  readonly unqueued: LazyArg<void>
  /** Says how many of the queued pushes could start now if they had a permit. */
  readonly want: (pushes: number) => void
  readonly release: LazyArg<void>
  /** Leaves for good; nothing may be queued or held. */
  readonly leave: LazyArg<void>
}

interface Account {
  readonly limit: number
  readonly grant: LazyArg<void>
  held: number
  queued: number
  wanted: number
}

export const make = (cap: number): Permits => {
  // A Set keeps the order of turns: who was served goes to its end.
  const accounts = new Set<Account>()
  let held = 0
  let registriesWithQueue = 0

  const mayHold = (account: Account): number => {
    const others = registriesWithQueue - (account.queued > 0 ? 1 : 0)
    return Math.min(account.limit, Math.max(1, cap - others))
  }

  const next = (): Account | undefined => {
    for (const account of accounts) {
      if (account.wanted > 0 && account.held < mayHold(account)) {
        return account
      }
    }
    return undefined
  }

  const dispatch = () => {
    while (held < cap) {
      const account = next()
      if (account === undefined) {
        return
      }
      held++
      account.held++
      account.wanted--
      accounts.delete(account)
      accounts.add(account)
      account.grant()
    }
  }

  return {
    join: (limit, grant) => {
      const account: Account = { limit, grant, held: 0, queued: 0, wanted: 0 }
      accounts.add(account)
      return {
        queued: () => {
          account.queued++
          if (account.queued === 1) {
            registriesWithQueue++
          }
        },
        unqueued: () => {
          account.queued--
          if (account.queued === 0) {
            // The others may hold one permit more now.
            registriesWithQueue--
            dispatch()
          }
        },
        want: (pushes) => {
          account.wanted = pushes
          dispatch()
        },
        release: () => {
          held--
          account.held--
          dispatch()
        },
        leave: () => {
          accounts.delete(account)
        }
      }
    }
  }
}
