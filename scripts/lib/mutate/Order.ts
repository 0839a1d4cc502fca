/**
 * Which mutations go first where there is not the time for all: those of the files that the last commits changed, then a
 * round through the rest that every commit begins at another place.
 */
import * as Array from "effect/Array"
import * as EffectOrder from "effect/Order"
import type { Mutation } from "./Mutation.ts"

const goldenRatio = (Math.sqrt(5) - 1) / 2

/** Neighbours share their tests, and so the run that proves them green. */
const byCatcher = EffectOrder.mapInput(EffectOrder.string, ({ catchers, name }: Mutation) =>
  [...catchers.map(({ file }) => file), name].join("\n")
)

/**
 * Steps of the golden ratio fall evenly on a circle, however many there will be: with a budget for a quarter of all
 * mutations, any five turns in a row have tried each of them.
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
  const sorted = Array.sort(mutations, byCatcher)
  const isRecent = ({ catchers, changes, name }: Mutation) =>
    changed.has(`test/mutations/${name}.patch`) ||
    changes.some((file) => changed.has(file)) ||
    catchers.some(({ file }) => changed.has(file))
  const [others, recent] = Array.partition(sorted, isRecent)
  return [...begunAt(turn, recent), ...begunAt(turn, others)]
}
