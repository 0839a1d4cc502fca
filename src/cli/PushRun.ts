/**
 * What `gantry push` and `gantry batch` do with a plan: push or preview, and report.
 */
import type { PlatformError } from "@effect/platform/Error"
import * as FileSystem from "@effect/platform/FileSystem"
import * as Path from "@effect/platform/Path"
import * as Arr from "effect/Array"
import * as Cause from "effect/Cause"
import type { ConfigError } from "effect/ConfigError"
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Ref from "effect/Ref"
import type { EngineContextInvalid } from "../engine/EngineError.ts"
import * as PushError from "../push/PushError.ts"
import type { PushEvent } from "../push/PushEvent.ts"
import type { BatchPlan } from "../runtime/Batch.ts"
import * as Ci from "./ci/Ci.ts"
import * as Diagnosis from "./Diagnosis.ts"
import { engineChoice, engineProblems } from "./EngineOptions.ts"
import * as EventFile from "./EventFile.ts"
import { type End, exitCode } from "./exitCode.ts"
import { connectionProblems } from "./internal/connectionProblems.ts"
import { hostsBeside, layerCatalog } from "./internal/layerCatalog.ts"
import type { LoadedFile } from "./internal/loadFile.ts"
import { preview } from "./internal/previewWork.ts"
import { limitsOf, type PushWork, push } from "./internal/pushWork.ts"
import { layerHints } from "./internal/sourceHints.ts"
import { systemWords } from "./internal/systemWords.ts"
import type { Machine } from "./Machine.ts"
import { json } from "./output/json.ts"
import { defectLines, problemLine } from "./output/problem.ts"
import { text } from "./output/text.ts"
import type { BatchSettings } from "./PushOptions.ts"
import * as Progress from "./progress/Progress.ts"
import * as RecordFile from "./RecordFile.ts"
import * as Report from "./Report.ts"
import { writeReport } from "./report/ReportFile.ts"
import { Signals } from "./Signals.ts"
import { Stdio } from "./Stdio.ts"
import { UsageError } from "./UsageError.ts"

type Problem = string

/** What is to be pushed, or what is wrong with it, and the file that has the registries. */
export interface Planned {
  readonly file: Option.Option<LoadedFile>
  readonly plan: Either.Either<BatchPlan, ReadonlyArray<Problem>>
}

/** What the command line asks for. */
export interface PushCommand<R> {
  readonly name: "push" | "batch"
  readonly settings: BatchSettings
  readonly planned: Effect.Effect<Planned, UsageError, R>
}

/**
 * Runs the command to its exit code. The report is written whatever happens once the plan is good; what is wrong before
 * that is a `UsageError`, and nothing was sent.
 */
export const run = Effect.fn("PushRun.run")(function* <R>(command: PushCommand<R>, machine: Machine) {
  const { name, settings } = command
  const stdio = yield* Stdio
  const { file, plan } = yield* check(command)
  const limits = limitsOf(settings, file)
  const events = yield* Option.match(settings.events, {
    onNone: () => Effect.succeed(EventFile.none),
    onSome: openEvents
  })
  const recording = yield* Option.match(settings.record, {
    onNone: () => Effect.succeed(RecordFile.none),
    onSome: (path) => openRecord(path, machine)
  })
  const progress = yield* Progress.make(settings.progress)
  const ci = yield* Ci.make(settings.ci)
  const diagnosis = yield* Ref.make(Diagnosis.empty)
  const note = explains(settings)
    ? (happened: ReadonlyArray<PushEvent>) => Ref.update(diagnosis, (before) => happened.reduce(Diagnosis.note, before))
    : () => Effect.void
  const work = settings.dryRun
    ? yield* preview(plan, limits)
    : yield* push(plan, limits, (happened) =>
        Effect.zipRight(note(happened), Effect.zipRight(events.write(happened), progress.show(happened)))
      )

  const startedAt = yield* DateTime.now
  const others = hostsBeside(
    file,
    plan.pushes.map(({ target }) => target)
  )
  const transport = machine.transport(engineChoice(settings), recording.engine)
  const registries = layerCatalog(settings, file, others).pipe(
    Layer.provide(Layer.merge(Layer.provide(layerHints, transport), machine.keychain)),
    Layer.provide(recording.network)
  )
  const ended = yield* untilStopped(Effect.provide(work.run, registries), settings)
  const { end, results } = yield* conclude(work, ended, name)
  const report = Report.make({
    mode: settings.dryRun ? "dry-run" : "push",
    startedAt,
    endedAt: yield* DateTime.now,
    results
  })

  const problems = Arr.getSomes([
    yield* writeFile(settings, report),
    yield* events.problem,
    yield* recording.problem,
    yield* ci.publish(report)
  ])
  yield* progress.end(report)
  yield* stdio.stderr(toText(explains(settings) ? Diagnosis.lines(yield* Ref.get(diagnosis), report) : []))
  yield* stdio.stderr(toText(isForPeople(settings) ? ci.annotations(report) : []))
  yield* stdio.stdout(settings.output === "json" ? json(report) : text(report))
  yield* stdio.stderr(toText(problems.map((message) => problemLine(`gantry ${name}`, { message }))))
  return exitCode(end._tag === "Finished" && problems.length > 0 ? { _tag: "Unwritten" } : end, results)
}, Effect.scoped)

/** Between events as JSON belongs nothing else. */
const isForPeople = ({ progress }: BatchSettings): boolean => progress !== "json"

/** Events have it all. */
const explains = (settings: BatchSettings): boolean => settings.verbose && isForPeople(settings)

const toText = (lines: ReadonlyArray<string>): string => lines.map((line) => `${line}\n`).join("")

/** Everything that can be known to be wrong before anything is sent. */
const check = Effect.fnUntraced(function* <R>({ planned, settings }: PushCommand<R>) {
  const { file, plan } = yield* planned
  const hosts = Either.match(plan, { onLeft: () => [], onRight: ({ hosts }) => hosts })
  const problems = [
    ...Either.match(plan, { onLeft: (problems) => problems, onRight: () => [] }),
    ...connectionProblems(settings, hosts, file),
    ...engineProblems(settings),
    ...(yield* folderProblems(settings))
  ]
  return Either.isLeft(plan) || problems.length > 0 ? yield* new UsageError({ problems }) : { file, plan: plan.right }
})

const folderProblems = Effect.fnUntraced(function* (settings: BatchSettings) {
  const fileSystem = yield* FileSystem.FileSystem
  const path = yield* Path.Path
  const files = [
    ...Option.toArray(settings.report).map((file) => ({ option: "--report", file })),
    ...Option.toArray(settings.events).map((file) => ({ option: "--events", file })),
    ...Option.toArray(settings.record).map((file) => ({ option: "--record", file }))
  ]
  const problems = yield* Effect.forEach(files, ({ file, option }) =>
    fileSystem.access(path.dirname(file), { writable: true }).pipe(
      Effect.as([]),
      Effect.orElseSucceed(() => [
        `${option} ${file}: its folder does not exist, or can not be written to: create it, or name another`
      ])
    )
  )
  const options = Arr.groupBy(files, ({ file }) => path.resolve(file))
  const shared = Object.values(options).filter(({ length }) => length > 1)
  return [
    ...problems.flat(),
    ...shared.map(
      (uses) =>
        `${uses.map(({ option }) => option).join(" and ")} name the same file, ${uses[0].file}: give each one of its own`
    )
  ]
})

const unopened = (option: string) => (error: PlatformError) =>
  new UsageError({ problems: [`${option} can not be written (${systemWords(error)}): name another file`] })

const openEvents = (path: string) => Effect.mapError(EventFile.open(path), unopened(`--events ${path}`))

const openRecord = (path: string, { version }: Machine) =>
  Effect.mapError(RecordFile.open(path, `gantry ${version}`), unopened(`--record ${path}`))

/** How long what was interrupted may take to end: the report has to be written within the 5 s of CLI.md too. */
const patience = "3 seconds"

type Ended<E> =
  | { readonly _tag: "Ran"; readonly exit: Exit.Exit<void, E> }
  | { readonly _tag: "Stopped"; readonly end: End }

/** Runs until the work has ended, a signal comes, or `--timeout` has passed. */
const untilStopped = Effect.fnUntraced(function* <E, R>(work: Effect.Effect<void, E, R>, settings: BatchSettings) {
  const signals = yield* Signals
  const fiber = yield* Effect.forkDaemon(work)
  const onSignal = Effect.map(signals.first, (signal): End => ({ _tag: "Interrupted", signal }))
  const onTimeout = Option.match(settings.timeout, {
    onNone: () => Effect.never,
    onSome: (timeout) =>
      Effect.logWarning("the time that --timeout allows is over").pipe(
        Effect.delay(timeout),
        Effect.as<End>({ _tag: "Finished" })
      )
  })
  const ended = yield* Effect.raceFirst(
    Effect.map(Fiber.await(fiber), (exit): Ended<E> => ({ _tag: "Ran", exit })),
    Effect.map(Effect.raceFirst(onSignal, onTimeout), (end): Ended<E> => ({ _tag: "Stopped", end }))
  )
  if (ended._tag === "Stopped") {
    yield* Fiber.interruptFork(fiber)
    yield* Effect.timeoutOption(Fiber.await(fiber), patience)
  }
  return ended
})

type WorkError = UsageError | EngineContextInvalid | ConfigError

/** How the command ended, and what became of each planned push. */
const conclude = Effect.fnUntraced(function* (work: PushWork, ended: Ended<WorkError>, name: string) {
  const stdio = yield* Stdio
  const results = yield* work.results
  if (ended._tag === "Stopped") return { end: ended.end, results }
  if (Exit.isSuccess(ended.exit)) return { end: { _tag: "Finished" } satisfies End, results }
  const failure = Cause.failureOption(ended.exit.cause)
  if (Option.isNone(failure)) {
    yield* stdio.stderr(toText(defectLines(ended.exit.cause)))
    return { end: { _tag: "Crashed" } satisfies End, results }
  }
  if (failure.value._tag === "UsageError") return yield* failure.value
  const error = refusal(failure.value)
  yield* stdio.stderr(toText([problemLine(`gantry ${name}`, error)]))
  return { end: { _tag: "Finished" } satisfies End, results: results.map((result) => refused(result, error)) }
})

/** Nothing could be tried: what stood in the way is every push's failure. */
const refused = (result: Report.Result, error: PushError.ErrorReport): Report.Result => ({
  ...result,
  status: "failed",
  error
})

const refusal = (error: EngineContextInvalid | ConfigError): PushError.ErrorReport =>
  error._tag === "EngineContextInvalid" ? PushError.report(error) : misconfigured(error)

const misconfigured = (error: ConfigError): PushError.ErrorReport => {
  const advice = "Correct this variable of the environment."
  return { _tag: "ConfigError", message: `${String(error).trim()}. ${advice}`, advice, transient: false }
}

/** Why the report could not be written, if so. */
const writeFile = (settings: BatchSettings, report: Report.Report) =>
  Option.match(settings.report, {
    onNone: () => Effect.succeedNone,
    onSome: (file) =>
      writeReport(file, report).pipe(
        Effect.as(Option.none<string>()),
        Effect.catchAll((error) =>
          Effect.succeedSome(
            `--report ${file} could not be written (${systemWords(error)}). Make room, or name a file elsewhere, and run it again: what is pushed is not sent twice.`
          )
        )
      )
  })
