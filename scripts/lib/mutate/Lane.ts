/** One worktree in which mutations are tried, one after the other. */
import { existsSync, readFileSync } from "node:fs"
import { join } from "node:path"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import type * as Scope from "effect/Scope"
import { transform } from "esbuild"
import * as ProcessGroup from "../ProcessGroup.ts"
import * as Git from "./Git.ts"
import type { MutateError } from "./MutateError.ts"
import type { Catcher, Mutation } from "./Mutation.ts"
import type { Outcome } from "./Outcome.ts"
import * as TestProcess from "./TestProcess.ts"

/** What a catcher's run without a patch tells about its runs with one. */
export interface Proof {
  readonly outcome: Outcome
  readonly duration: Duration.Duration
}

export interface Lane {
  /** The catcher without a patch. */
  readonly prove: (catcher: Catcher) => Effect.Effect<Proof, MutateError>
  /** The catchers with the patch, until one notices. */
  readonly attempt: (
    mutation: Mutation,
    proofs: ReadonlyArray<readonly [Catcher, Proof]>
  ) => Effect.Effect<Outcome, MutateError>
}

/** The unit project's own; a test that was fast without a patch gets less, since a hang would take all of it. */
const testTimeout = 60_000

const timeoutOf = ({ outcome }: Proof): number =>
  outcome._tag === "Green" ? Math.min(testTimeout, 10_000 + 5 * outcome.slowest) : testTimeout

/** For a loop that never comes back to the test runner, whose own timeouts then never fire. */
const limitOf = ({ duration }: Proof): Duration.Duration => Duration.sum(Duration.times(duration, 3), "1 minute")

const broken = (message: string): Outcome => ({ _tag: "Broken", message })

/** The last line that a command complains with; none when it succeeds. */
const complaint = (folder: string, parameters: ReadonlyArray<string>): Effect.Effect<Option.Option<string>> =>
  ProcessGroup.run({ program: process.execPath, arguments: parameters, folder, environment: process.env }).pipe(
    Effect.orDie,
    Effect.map(({ code, stderr }) =>
      code === 0 ? Option.none() : Option.some(stderr.trimEnd().split("\n").at(-1) ?? "")
    )
  )

const program = (
  folder: string,
  file: string,
  limit: Duration.Duration,
  parameters: ReadonlyArray<string>
): Effect.Effect<Outcome> =>
  complaint(folder, parameters).pipe(
    Effect.map(
      Option.match({
        onNone: (): Outcome => ({ _tag: "Green", slowest: 0 }),
        onSome: (said): Outcome => ({ _tag: "Red", test: `${file}: ${said}`, how: "failed" })
      })
    ),
    Effect.timeoutTo({
      duration: limit,
      onSuccess: (outcome) => outcome,
      onTimeout: (): Outcome => ({ _tag: "Red", test: file, how: "timed out" })
    })
  )

/** A file that is no TypeScript any more would turn every test red. */
const parses = (folder: string, files: ReadonlyArray<string>): Effect.Effect<Outcome | undefined> =>
  Effect.promise(async () => {
    for (const file of files.filter((file) => file.endsWith(".ts") && existsSync(join(folder, file)))) {
      try {
        await transform(readFileSync(join(folder, file), "utf8"), { loader: "ts", logLevel: "silent" })
      } catch (error) {
        return broken(`${file} does not parse: ${error instanceof Error ? error.message.split("\n")[1] : error}`)
      }
    }
    return undefined
  })

export const make = (commit: string): Effect.Effect<Lane, MutateError, Scope.Scope> =>
  Effect.gen(function* () {
    const folder = yield* Git.worktree(commit)
    const tests = yield* TestProcess.make(folder)

    /** Files that are not what vitest read. */
    const stale = new Set<string>()

    const test = ({ file, names }: Catcher, timeout: number, limit: Duration.Duration) =>
      Effect.suspend(() => {
        const changed = [...stale]
        stale.clear()
        return tests.run({ file, names, changed, testTimeout: timeout }, limit)
      })

    /** Live tests start the built command, so that is what has to be broken. */
    const build = complaint(folder, ["--import", "tsx", "scripts/lib/build.ts"])

    const run = (catcher: Catcher, timeout: number, limit: Duration.Duration): Effect.Effect<Outcome, MutateError> => {
      switch (catcher.kind) {
        case "program":
          return program(folder, catcher.file, limit, ["--import", "tsx", catcher.file])
        case "types":
          return program(folder, catcher.file, limit, ["node_modules/tstyche/build/bin.js", catcher.file])
        case "live":
          return Effect.flatMap(
            build,
            Option.match({
              onNone: () => test(catcher, timeout, limit),
              onSome: (said) => Effect.succeed(broken(`the program does not build: ${said}`))
            })
          )
        case "unit":
          return test(catcher, timeout, limit)
      }
    }

    const untilNoticed = (proofs: ReadonlyArray<readonly [Catcher, Proof]>): Effect.Effect<Outcome, MutateError> =>
      Effect.gen(function* () {
        let outcome = broken("names no test (# caught by: test/…)")
        for (const [catcher, proof] of proofs) {
          outcome = yield* run(catcher, timeoutOf(proof), limitOf(proof))
          if (outcome._tag !== "Green") return outcome
        }
        return outcome
      })

    const changes = ({ changes }: Mutation) =>
      Effect.sync(() => {
        for (const file of changes) stale.add(file)
      })

    const mutated = (mutation: Mutation, proofs: ReadonlyArray<readonly [Catcher, Proof]>) =>
      changes(mutation).pipe(
        Effect.zipRight(parses(folder, mutation.changes)),
        Effect.flatMap((problem) => (problem === undefined ? untilNoticed(proofs) : Effect.succeed(problem))),
        Effect.ensuring(Effect.zipRight(changes(mutation), Effect.orDie(Git.unapply(folder, mutation.patch))))
      )

    return {
      prove: (catcher) =>
        Effect.map(Effect.timed(run(catcher, testTimeout, Duration.minutes(10))), ([duration, outcome]) => ({
          duration,
          outcome
        })),
      attempt: (mutation, proofs) =>
        Git.apply(folder, mutation.patch).pipe(
          Effect.matchEffect({
            onFailure: () => Effect.succeed(broken("the patch does not apply")),
            onSuccess: () => mutated(mutation, proofs)
          })
        )
    }
  })
