/**
 * Runs test files of the folder it is started in, one after the other, as its parent asks. One vitest for all of them: what a
 * patch did not change is transformed once.
 */
import { resolve } from "node:path"
import { escape } from "effect/RegExp"
import type { RunnerTask } from "vitest"
import { createVitest, type TestCase, type TestModule, type Vitest } from "vitest/node"
import type { Outcome, TestRun } from "./Outcome.ts"

type Failure = NonNullable<NonNullable<RunnerTask["result"]>["errors"]>[number]

const firstLine = (text: string): string => text.split("\n")[0] ?? ""

/** A name that stands nowhere makes every test fail: that proves nothing about any of them. */
const isUnresolved = ({ message, name, stack }: Failure): boolean =>
  name === "ReferenceError" || /ReferenceError: \S+ is not defined/.test(`${message}\n${stack ?? ""}`)

/** What is thrown where no test awaits it may be anything. */
const messageOf = (thrown: unknown): string =>
  typeof thrown === "object" && thrown !== null && "message" in thrown ? String(thrown.message) : "an unhandled error"

const isTimeout = ({ message }: Failure): boolean => /^(Test|Hook) timed out in \d+ms/.test(message)

const failuresOf = (test: TestCase): ReadonlyArray<Failure> => test.result().errors ?? []

const failedHooks = (module: TestModule): ReadonlyArray<Failure> =>
  [...module.children.allSuites()].flatMap((suite) => suite.errors())

const ofTests = (tests: ReadonlyArray<TestCase>): Outcome | undefined => {
  const failed = tests.filter((test) => test.result().state === "failed")
  const [first] = failed.filter((test) => !failuresOf(test).every(isUnresolved))
  if (first !== undefined) {
    return { _tag: "Red", test: first.fullName, how: failuresOf(first).some(isTimeout) ? "timed out" : "failed" }
  }
  const [unresolved] = failed.flatMap((test) => failuresOf(test))
  return unresolved === undefined ? undefined : { _tag: "Broken", message: firstLine(unresolved.message) }
}

const judge = (module: TestModule | undefined, unhandled: ReadonlyArray<unknown>): Outcome => {
  if (module === undefined) {
    return unhandled.length === 0
      ? { _tag: "Broken", message: "vitest did not run the file" }
      : { _tag: "Red", test: firstLine(messageOf(unhandled[0])), how: "failed" }
  }
  const tests = [...module.children.allTests()]
  const [notLoaded] = module.errors()
  if (notLoaded !== undefined && tests.length === 0) return { _tag: "Broken", message: firstLine(notLoaded.message) }
  const judged = ofTests(tests)
  if (judged !== undefined) return judged
  const [hook] = failedHooks(module)
  if (hook !== undefined) {
    return { _tag: "Red", test: firstLine(hook.message), how: isTimeout(hook) ? "timed out" : "failed" }
  }
  if (unhandled.length > 0 || notLoaded !== undefined) {
    return { _tag: "Red", test: firstLine(messageOf(unhandled[0] ?? notLoaded)), how: "failed" }
  }
  const passed = tests.filter((test) => test.result().state === "passed")
  if (passed.length === 0) return { _tag: "Broken", message: "no test of the file was run" }
  return { _tag: "Green", slowest: Math.max(...passed.map((test) => test.diagnostic()?.duration ?? 0)) }
}

const run = async (vitest: Vitest, { changed, file, names, testTimeout }: TestRun): Promise<Outcome> => {
  for (const path of changed) vitest.invalidateFile(resolve(path))
  // `bail` counts every failure that vitest remembers, those of the mutation before included.
  vitest.state.filesMap.clear()
  vitest.state.idMap.clear()
  const [specification] = await vitest.globTestSpecifications([resolve(file)])
  if (specification === undefined) return { _tag: "Broken", message: `there is no ${file}` }
  if (specification.project.name === "unit") specification.project.config.testTimeout = testTimeout
  vitest.setGlobalTestNamePattern(names.length === 0 ? "" : names.map(escape).join("|"))
  const { testModules, unhandledErrors } = await vitest.runTestSpecifications([specification])
  return judge(
    testModules.find(({ moduleId }) => moduleId === specification.moduleId),
    unhandledErrors
  )
}

const vitest = await createVitest(
  "test",
  { watch: false, bail: 1, maxWorkers: 1, minWorkers: 1, reporters: [{}] },
  { cacheDir: resolve(".vite"), logLevel: "silent" }
)

process.on("message", (testRun: TestRun) => {
  void run(vitest, testRun)
    .catch((error): Outcome => ({ _tag: "Broken", message: firstLine(String(error)) }))
    .then((outcome) => process.send?.(outcome))
})
process.on("disconnect", () => process.exit())
process.send?.("ready")
