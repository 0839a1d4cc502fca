/** The program behind `scripts/mutate`. */
import { availableParallelism } from "node:os"
import { resolve } from "node:path"
import { parseArgs } from "node:util"
import * as Clock from "effect/Clock"
import * as Console from "effect/Console"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Option from "effect/Option"
import type * as Scope from "effect/Scope"
import { choose } from "../choose.ts"
import { runMain } from "../runMain.ts"
import * as Prerequisites from "../stack/Prerequisites.ts"
import * as Git from "./Git.ts"
import * as Lane from "./Lane.ts"
import { MutateError } from "./MutateError.ts"
import * as Mutation from "./Mutation.ts"
import { order } from "./Order.ts"
import type { Outcome } from "./Outcome.ts"

const folder = resolve("test/mutations")

const usage = `usage: scripts/mutate [NAME...] [options]

  NAME              a part of the names of the mutations to try (default: all)
  --budget MINUTES  starts no mutation after that; those of recent changes go first, the others take turns by commit
  --lanes NUMBER    worktrees that work side by side (default: one for each core)`

interface Options {
  readonly names: ReadonlyArray<string>
  readonly budget: Option.Option<Duration.Duration>
  readonly lanes: number
}

const positive = (text: string): number => {
  const value = Number(text)
  if (!(value > 0)) throw new Error(`${text} is no number greater than 0`)
  return value
}

const options: Effect.Effect<Options, MutateError> = Effect.try({
  try: () => {
    const { positionals, values } = parseArgs({
      allowPositionals: true,
      options: { budget: { type: "string" }, lanes: { type: "string", default: String(availableParallelism()) } }
    })
    return {
      names: positionals,
      budget: Option.map(Option.fromNullable(values.budget), (minutes) => Duration.minutes(positive(minutes))),
      lanes: Math.ceil(positive(values.lanes))
    }
  },
  catch: (error) => new MutateError({ message: `${error instanceof Error ? error.message : error}\n\n${usage}` })
})

/** A lane for each worker; they take from one list, and share what is proven. */
const work = (
  mutations: ReadonlyArray<Mutation.Mutation>,
  { commit, lanes, until }: { readonly commit: string; readonly lanes: number; readonly until: number }
): Effect.Effect<ReadonlyArray<Outcome>, MutateError, Scope.Scope> =>
  Effect.gen(function* () {
    const proofs = new Map<string, Effect.Effect<Lane.Proof, MutateError>>()
    // One engine and its registries serve every live test.
    const oneAtATime = yield* Effect.makeSemaphore(1)

    const prove = (lane: Lane.Lane, catcher: Mutation.Catcher) =>
      Effect.gen(function* () {
        const known = proofs.get(catcher.file)
        if (known !== undefined) return yield* known
        const proof = yield* Effect.cached(lane.prove({ ...catcher, names: [] }))
        proofs.set(catcher.file, proof)
        return yield* proof
      })

    const judge = (lane: Lane.Lane, mutation: Mutation.Mutation): Effect.Effect<Outcome, MutateError> =>
      Effect.gen(function* () {
        const proven = yield* Effect.forEach(mutation.catchers, (catcher) =>
          Effect.map(prove(lane, catcher), (proof) => [catcher, proof] as const)
        )
        for (const [{ file }, { outcome }] of proven) {
          if (outcome._tag === "Red") {
            return { _tag: "Broken", message: `${file} is red without the patch: ${outcome.test}` }
          }
          if (outcome._tag === "Broken")
            return { _tag: "Broken", message: `${file} without the patch: ${outcome.message}` }
        }
        return yield* lane.attempt(mutation, proven)
      })

    const outcomes: Array<Outcome> = []
    const queue = mutations[Symbol.iterator]()

    const next = (lane: Lane.Lane): Effect.Effect<void, MutateError> =>
      Effect.gen(function* () {
        if ((yield* Clock.currentTimeMillis) > until) return
        const { done, value } = queue.next()
        if (done === true) return
        const judged = judge(lane, value)
        const [took, outcome] = yield* Effect.timed(isLive(value) ? oneAtATime.withPermits(1)(judged) : judged)
        outcomes.push(outcome)
        yield* Console.log(line(value, outcome, took))
        return yield* next(lane)
      })

    yield* Effect.forEach(
      Array.from({ length: Math.min(lanes, mutations.length) }),
      () => Effect.flatMap(Lane.make(commit), next),
      { concurrency: "unbounded", discard: true }
    )
    return outcomes
  })

const line = (mutation: Mutation.Mutation, outcome: Outcome, took: Duration.Duration): string => {
  const name = `${mutation.name} (${(Duration.toMillis(took) / 1000).toFixed(1)} s)`
  switch (outcome._tag) {
    case "Green":
      return `SURVIVES  ${name}`
    case "Broken":
      return `BROKEN    ${name}: ${outcome.message}`
    case "Red":
      return `red       ${name}: ${outcome.how === "failed" ? "" : "by time-out: "}${outcome.test}`
  }
}

const isLive = ({ catchers }: Mutation.Mutation): boolean => catchers.some(({ kind }) => kind === "live")

/** Why no live test is to run here: each takes minutes, and starts daemons. */
const againstLive = ({ budget }: Options): string | undefined =>
  Option.isSome(budget)
    ? "They take longer than a budget allows: npm run mutate tries them."
    : Option.getOrUndefined(Prerequisites.unsafeMissingForTests())?.message

/** Those that are asked for, without the ones whose tests are not to run here. */
const chosen = (options: Options) =>
  Effect.gen(function* () {
    const all = Mutation.readAll(folder)
    const names = yield* Either.mapLeft(
      choose(
        all.map(({ name }) => name),
        options.names
      ),
      (unknown) => new MutateError({ message: `no mutation is called ${unknown.join(" or ")}` })
    )
    const wanted = all.filter(({ name }) => names.has(name))
    const reason = againstLive(options)
    if (reason === undefined || !wanted.some(isLive)) return wanted
    yield* Console.error(`${wanted.filter(isLive).length} mutations of live tests are left out. ${reason}`)
    return wanted.filter((mutation) => !isLive(mutation))
  })

const count = (outcomes: ReadonlyArray<Outcome>, tag: Outcome["_tag"]) =>
  outcomes.filter(({ _tag }) => _tag === tag).length

const main = Effect.gen(function* () {
  const given = yield* options
  const { budget, lanes } = given
  const mutations = order(yield* chosen(given), { changed: yield* Git.recentlyChanged, turn: yield* Git.turn })
  const uncommitted = yield* Git.uncommitted
  if (uncommitted.length > 0) {
    yield* Console.error(`Breaks the working tree as it stands, with ${uncommitted.length} uncommitted files.`)
  }
  const now = yield* Clock.currentTimeMillis
  const until = Option.match(budget, {
    onNone: () => Number.POSITIVE_INFINITY,
    onSome: (budget) => now + Duration.toMillis(budget)
  })
  const outcomes = yield* work(mutations, { commit: yield* Git.snapshot, lanes, until })
  const timedOut = outcomes.filter((outcome) => outcome._tag === "Red" && outcome.how === "timed out").length
  const [red, survivors, broken] = [count(outcomes, "Red"), count(outcomes, "Green"), count(outcomes, "Broken")]
  yield* Console.log(
    `of ${mutations.length} mutations ${outcomes.length} were tried: ${red} turned their test red (${timedOut} by time-out), ` +
      `${survivors} survived, ${broken} are broken`
  )
  if (outcomes.length === 0) return yield* new MutateError({ message: "nothing was tried, so nothing is shown" })
  if (survivors + broken > 0) return yield* new MutateError({ message: "every mutation has to turn its test red" })
}).pipe(Effect.scoped)

runMain(main)
