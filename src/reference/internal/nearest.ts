import * as Arr from "effect/Array"
import * as Option from "effect/Option"
import * as Order from "effect/Order"

/** Longer words are names of nothing here, and comparing them costs the product of their lengths. */
const MAXIMUM_LENGTH = 64

/** How many letters must be changed, left out, put in or swapped with their neighbour to make one word the other. */
const distance = (left: string, right: string): number => {
  let beforeLast: ReadonlyArray<number> = []
  let last: ReadonlyArray<number> = Arr.makeBy(right.length + 1, (column) => column)
  for (let row = 1; row <= left.length; row++) {
    const current = [row]
    for (let column = 1; column <= right.length; column++) {
      const isSame = left[row - 1] === right[column - 1]
      const isSwapped = left[row - 1] === right[column - 2] && left[row - 2] === right[column - 1]
      current.push(
        Math.min(
          (last[column] ?? 0) + 1,
          (current[column - 1] ?? 0) + 1,
          (last[column - 1] ?? 0) + (isSame ? 0 : 1),
          isSwapped ? (beforeLast[column - 2] ?? 0) + 1 : Number.POSITIVE_INFINITY
        )
      )
    }
    beforeLast = last
    last = current
  }
  return last[right.length] ?? 0
}

/** The candidate that a misspelt word was most likely meant to be: at most a third of the letters differ. */
export const nearest = (word: string, candidates: ReadonlyArray<string>): Option.Option<string> => {
  if (word.length > MAXIMUM_LENGTH) return Option.none()
  const close = candidates
    .map((candidate) => ({ candidate, changes: distance(word, candidate) }))
    .filter(({ candidate, changes }) => changes <= Math.floor(Math.max(word.length, candidate.length) / 3))
  return Arr.isNonEmptyArray(close)
    ? Option.some(
        Arr.min(
          close,
          Order.mapInput(Order.number, ({ changes }) => changes)
        ).candidate
      )
    : Option.none()
}

/** ` (did you mean x?)`, with the mark that names here are written with, or nothing when no candidate is close. */
export const didYouMean = (word: string, candidates: ReadonlyArray<string>, mark = ""): string =>
  Option.match(nearest(word, candidates), {
    onNone: () => "",
    onSome: (candidate) => ` (did you mean ${mark}${candidate}?)`
  })
