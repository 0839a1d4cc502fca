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
  /** Says how many pushes could start now if they had a permit. */
  readonly want: (waiting: number) => void
  readonly release: () => void
  /** Leaves for good; every permit must have been released. */
  readonly leave: () => void
}

interface Account {
  readonly limit: number
  readonly grant: LazyArg<void>
  held: number
  waiting: number
}

export const make = (cap: number): Permits => {
  // A Set keeps the order of turns: who was served goes to its end.
  const accounts = new Set<Account>()
  let held = 0
  let registriesWaiting = 0

  const setWaiting = (account: Account, waiting: number) => {
    registriesWaiting += Number(waiting > 0) - Number(account.waiting > 0)
    account.waiting = waiting
  }

  const mayHold = (account: Account): number => {
    const othersWaiting = registriesWaiting - Number(account.waiting > 0)
    return Math.min(account.limit, Math.max(1, cap - othersWaiting))
  }

  const next = (): Account | undefined => {
    for (const account of accounts) {
      if (account.waiting > 0 && account.held < mayHold(account)) {
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
      setWaiting(account, account.waiting - 1)
      accounts.delete(account)
      accounts.add(account)
      account.grant()
    }
  }

  return {
    join: (limit, grant) => {
      const account: Account = { limit, grant, held: 0, waiting: 0 }
      accounts.add(account)
      return {
        want: (waiting) => {
          setWaiting(account, waiting)
          dispatch()
        },
        release: () => {
          held--
          account.held--
          dispatch()
        },
        leave: () => {
          setWaiting(account, 0)
          accounts.delete(account)
        }
      }
    }
  }
}
