/** Which rule a request falls under. */
import type { FaultRule } from "../Fault.ts"
import { matches } from "./recorder.ts"

export interface Rules {
  readonly add: (rule: FaultRule) => void
  readonly clear: () => void
  /** Counts the request for every rule that matches it; answers the first rule whose turn it is. */
  readonly next: (request: { readonly method: string; readonly path: string }) => FaultRule | undefined
}

const isDue = ({ every = 1, from = 1, nth }: FaultRule, count: number) =>
  nth !== undefined ? count === nth : count >= from && count % every === 0

export const make = (): Rules => {
  let rules: Array<{ readonly rule: FaultRule; count: number }> = []
  return {
    add: (rule) => {
      rules.push({ rule, count: 0 })
    },
    clear: () => {
      rules = []
    },
    next: (request) => {
      const matching = rules.filter(({ rule }) => matches(rule, request))
      for (const counted of matching) {
        counted.count++
      }
      return matching.find(({ count, rule }) => isDue(rule, count))?.rule
    }
  }
}
