/**
 * The retries that the pushes of one registry share, so that a dying registry does not get each of a thousand pushes as
 * often as `retries` allows one.
 *
 * The quota of the AWS SDKs' standard mode: https://docs.aws.amazon.com/sdkref/latest/guide/feature-retry-behavior.html
 */
export interface RetryBudget {
  /** Takes one retry out of it; false when none is left. */
  readonly take: () => boolean
  /** A push went through at its `attempts`th attempt. */
  readonly refund: (attempts: number) => void
}

/** A hundred retries, while nothing goes through. */
const CAPACITY = 500
const COST_OF_RETRY = 5
const REFUND_OF_FIRST_ATTEMPT = 1

export const make = (): RetryBudget => {
  let left = CAPACITY
  return {
    take: () => {
      if (left < COST_OF_RETRY) {
        return false
      }
      left -= COST_OF_RETRY
      return true
    },
    refund: (attempts) => {
      left = Math.min(CAPACITY, left + (attempts > 1 ? COST_OF_RETRY : REFUND_OF_FIRST_ATTEMPT))
    }
  }
}
