/**
 * Which mutations go first where there is not the time for all: those of the files that the last commits changed, then a
 * round through the rest that every commit begins at another place.
 */
import { catcherKey, type Mutation } from "./Mutation.ts"

const goldenRatio = (Math.sqrt(5) - 1) / 2

/** Neighbours share their tests, and so the run that proves them green. */
const byCatcher = (left: Mutation, right: Mutation): number => {
  const [first, second] = [left, right].map(({ catchers, name }) => [...catchers.map(catcherKey), name].join("\n"))
  return (first ?? "") < (second ?? "") ? -1 : 1
}

/**
 * Steps of the golden ratio fall evenly on a circle, however many there will be: with a budget for a quarter of all
 * mutations, any seven turns in a row have run each of them.
 */
const begunAt = (turn: number, mutations: ReadonlyArray<Mutation>): ReadonlyArray<Mutation> => {
  const start = Math.floor(((turn * goldenRatio) % 1) * mutations.length)
  return [...mutations.slice(start), ...mutations.slice(0, start)]
}

/** `turn` is another number for every commit; `changed` are files by their path in the repository. */
export const order = (
  mutations: ReadonlyArray<Mutation>,
  { changed, turn }: { readonly changed: ReadonlySet<string>; readonly turn: number }
): ReadonlyArray<Mutation> => {
  const sorted = [...mutations].sort(byCatcher)
  const isRecent = ({ catchers, changes, name }: Mutation) =>
    changed.has(`test/mutations/${name}.patch`) ||
    changes.some((file) => changed.has(file)) ||
    catchers.some(({ file }) => changed.has(file))
  return [
    ...begunAt(
      turn,
      sorted.filter((mutation) => isRecent(mutation))
    ),
    ...begunAt(
      turn,
      sorted.filter((mutation) => !isRecent(mutation))
    )
  ]
}
