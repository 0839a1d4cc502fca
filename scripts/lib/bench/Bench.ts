/**
 * What all benches share: contenders that take turns, medians, a table for people on stderr, a JSON document on stdout,
 * and a failure when a target is missed.
 */
import * as os from "node:os"
import * as Console from "effect/Console"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"

export const rounds = 5

/** One measured thing, in the order of its rounds. */
export interface Series {
  readonly name: string
  readonly unit: string
  readonly samples: ReadonlyArray<number>
}

/** Something to be measured once a round. */
export interface Contender<E, R> extends Omit<Series, "samples"> {
  readonly measure: Effect.Effect<number, E, R>
}

/** A number that must not exceed its limit. */
export interface Target {
  readonly name: string
  readonly value: number
  readonly limit: number
}

export class BenchError extends Data.TaggedError("BenchError")<{ readonly message: string }> {}

export const median = (samples: ReadonlyArray<number>): number =>
  samples.toSorted((left, right) => left - right)[Math.floor(samples.length / 2)] ?? Number.NaN

/**
 * Measures all contenders in each of the rounds, one after the other, so that what else the machine does falls on all of
 * them; each round begins with another one.
 */
export const takeTurns = <E, R>(
  contenders: ReadonlyArray<Contender<E, R>>
): Effect.Effect<ReadonlyArray<Series>, E, R> =>
  Effect.gen(function* () {
    const series = contenders.map(({ name, unit }) => ({ name, unit, samples: new Array<number>() }))
    for (let round = 0; round < rounds; round++) {
      for (let turn = 0; turn < contenders.length; turn++) {
        const index = (round + turn) % contenders.length
        const sample = yield* contenders[index]?.measure ?? Effect.never
        series[index]?.samples.push(sample)
      }
    }
    return series
  })

/** The median of the series with this name. */
export const medianOf = (series: ReadonlyArray<Series>, name: string): number =>
  median(series.find((one) => one.name === name)?.samples ?? [])

const figure = (value: number) => value.toLocaleString("en", { maximumSignificantDigits: 4 })

const table = (rows: ReadonlyArray<ReadonlyArray<string>>): string => {
  const widths = rows[0]?.map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0))) ?? []
  return rows
    .map((row) =>
      row.map((cell, column) => (column === 0 ? cell.padEnd(widths[0] ?? 0) : cell.padStart(widths[column] ?? 0)))
    )
    .map((row) => row.join("  "))
    .join("\n")
}

/** Prints what was measured, and fails when a target is missed or could not be measured. */
export const conclude = (
  bench: string,
  series: ReadonlyArray<Series>,
  targets: ReadonlyArray<Target>
): Effect.Effect<void, BenchError> =>
  Effect.gen(function* () {
    const judged = targets.map((target) => ({ ...target, met: target.value <= target.limit }))
    const measured = series.map((one) => ({ ...one, median: median(one.samples) }))
    yield* Console.error(
      [
        table([
          [bench, "median", "min", "max", "unit"],
          ...measured.map(({ median, name, samples, unit }) => [
            name,
            ...[median, Math.min(...samples), Math.max(...samples)].map(figure),
            unit
          ])
        ]),
        "",
        table([
          ["target", "value", "at most", ""],
          ...judged.map(({ limit, met, name, value }) => [name, figure(value), figure(limit), met ? "met" : "MISSED"])
        ])
      ].join("\n")
    )
    const machine = { node: process.version, cpu: os.cpus()[0]?.model, cpus: os.cpus().length, load: os.loadavg() }
    yield* Console.log(JSON.stringify({ bench, machine, measured, targets: judged }, null, 2))
    const missed = judged.filter(({ met }) => !met)
    if (missed.length > 0) {
      return yield* new BenchError({ message: `missed: ${missed.map(({ name }) => name).join(", ")}` })
    }
  })
