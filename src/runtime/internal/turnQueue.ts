/**
 * First in, first out, and anything in it can leave early. Every operation takes constant time.
 */
export interface TurnQueue<A> {
  readonly size: () => number
  readonly add: (value: A) => void
  /** Whether the value was there. */
  readonly remove: (value: A) => boolean
  readonly take: () => A | undefined
}

export const make = <A>(): TurnQueue<A> => {
  const values = new Set<A>()
  // The cursor stays: a Set that is read from its start each time walks over every entry deleted before.
  let cursor = values.values()

  return {
    size: () => values.size,
    add: (value) => values.add(value),
    remove: (value) => values.delete(value),
    take: () => {
      if (values.size === 0) {
        return undefined
      }
      let step = cursor.next()
      if (step.done) {
        cursor = values.values()
        step = cursor.next()
      }
      if (step.done) {
        return undefined
      }
      values.delete(step.value)
      return step.value
    }
  }
}
