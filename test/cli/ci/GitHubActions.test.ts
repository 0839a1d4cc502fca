import * as FileSystem from "@effect/platform/FileSystem"
import { assert, describe, it } from "@effect/vitest"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Logger from "effect/Logger"
import { RegistryRateLimited, RegistryRejected } from "../../../src/distribution/RegistryError.ts"
import * as Digest from "../../../src/reference/Digest.ts"
import * as TestTransport from "../../../src/testing/TestTransport.ts"
import { commandsIn, outputsIn } from "../support/actionsRunner.ts"
import * as TestConsole from "../support/console.ts"
import { at, gantry } from "../support/registries.ts"
import * as Samples from "../support/samples.ts"

const digest = Digest.unsafeParse(Samples.digest)
type Script = Required<TestTransport.TestTransportScript>

const pushed = Effect.succeed(TestTransport.result({ digest }))

const rejected = (text: string) => Effect.fail(new RegistryRejected({ registry: "bad.test", repository: "a", text }))

/** Registries that take everything but what goes to `bad.test`. */
const push: Script["push"] = ({ target }) =>
  target.registry === "bad.test" ? rejected("no, never\n::add-mask::a") : pushed

/** A job's step: the files that the runner makes for it, and a way to run gantry there. */
const job = Effect.gen(function* () {
  const fileSystem = yield* FileSystem.FileSystem
  const folder = yield* fileSystem.makeTempDirectoryScoped()
  const [summary, output] = [`${folder}/step_summary`, `${folder}/set_output`]
  yield* Effect.forEach([summary, output], (file) => fileSystem.writeFileString(file, ""))
  const variables = { GITHUB_ACTIONS: "true", GITHUB_STEP_SUMMARY: summary, GITHUB_OUTPUT: output }
  return {
    folder,
    summary,
    output,
    variables,
    read: Effect.all({ summary: fileSystem.readFileString(summary), output: fileSystem.readFileString(output) }),
    write: (file: string, text: string) => fileSystem.writeFileString(file, text),
    run: (args: ReadonlyArray<string>, more: Readonly<Record<string, string>> = {}, script = push) =>
      gantry(args, { push: script }).pipe(at({ variables: { ...variables, ...more } }))
  }
})

type Job = Effect.Effect.Success<typeof job>

/** Two pushes, of which one fails. */
const half = ["push", "app:1", "--to", "reg.test/a", "--to", "bad.test/a"]

const untold = Effect.fnUntraced(function* ({ read, run }: Job, ...parameters: Parameters<Job["run"]>) {
  const { stderr, stdout } = yield* run(...parameters)
  assert.deepStrictEqual(commandsIn(stdout + stderr), [])
  assert.deepStrictEqual(yield* read, { summary: "", output: "" })
})

const told = Effect.fnUntraced(function* ({ read, run }: Job, ...parameters: Parameters<Job["run"]>) {
  const { stderr } = yield* run(...parameters)
  assert.lengthOf(commandsIn(stderr), 1)
  assert.include((yield* read).summary, "### gantry: 2 pushes: 1 pushed, 1 failed")
})

describe("gantry in GitHub Actions", () => {
  it.scoped("annotates each failed push on stderr, and adds the report's table to the step's summary", () =>
    Effect.gen(function* () {
      const { read, run } = yield* job
      const { code, stderr, stdout } = yield* run(half)
      assert.strictEqual(code, 1)
      assert.strictEqual(stdout, `reg.test/a@${digest}\n`)
      assert.deepStrictEqual(commandsIn(stderr), [
        {
          name: "error",
          properties: { title: "Push of bad.test/a:1 failed" },
          data: 'bad.test/a refused. It said: "no, never ::add-mask::a". Look these words up at the registry\'s operator: gantry does not know them.'
        }
      ])
      const { output, summary } = yield* read
      assert.match(
        summary,
        /^### gantry: 2 pushes: 1 pushed, 1 failed \(.*\)\n\n\| Status .*\n.*\n\| pushed .*\n\| failed .*\n\n- `bad.test\/a:1`: .*\n$/
      )
      assert.strictEqual(output, "")
    }).pipe(at())
  )

  it.scoped(
    "gives digest, repo-digest and the report on one line as the outputs of a single push, even a failed one",
    () =>
      Effect.gen(function* () {
        const single = yield* job
        const { stdout } = yield* single.run(["push", "app:1", "--to", "reg.test/a", "--output", "json"])
        const { report, ...rest } = outputsIn((yield* single.read).output)
        assert.deepStrictEqual(rest, { digest: String(digest), "repo-digest": `reg.test/a@${digest}` })
        assert.notInclude(report ?? "", "\n")
        assert.deepStrictEqual(JSON.parse(report ?? ""), JSON.parse(stdout))

        const failing = yield* job
        yield* failing.run(["push", "app:1", "--to", "bad.test/a"])
        const outputs = outputsIn((yield* failing.read).output)
        assert.deepStrictEqual(Object.keys(outputs), ["report"])
        assert.deepInclude(JSON.parse(outputs["report"] ?? ""), { failed: 1 })
      }).pipe(at())
  )

  it.scoped("adds to what other commands of the step have written, ended or not", () =>
    Effect.gen(function* () {
      const { output, read, run, summary, write } = yield* job
      yield* write(summary, "<details>mine</details>")
      yield* write(output, "mine=1")
      yield* run(["push", "app:1", "--to", "reg.test/a"])
      yield* run(["push", "app:1", "--to", "reg.test/b"])
      const after = yield* read
      assert.match(after.summary, /^<details>mine<\/details>\n\n### gantry: [^#]*\n\n### gantry: /)
      const { mine, "repo-digest": last } = outputsIn(after.output)
      assert.deepStrictEqual([mine, last], ["1", `reg.test/b@${digest}`])
    }).pipe(at())
  )

  it.scoped("is what auto means where GITHUB_ACTIONS is true and nowhere else, and none is none", () =>
    Effect.gen(function* () {
      yield* told(yield* job, half)
      yield* told(yield* job, [...half, "--ci", "auto"])
      for (const text of ["", "false", "TRUE", "1"])
        yield* untold(yield* job, half, { GITHUB_ACTIONS: text, CI: "true" })
      yield* told(yield* job, [...half, "--ci", "github"], { GITHUB_ACTIONS: "" })
      yield* told(yield* job, half, { GITHUB_ACTIONS: "", GANTRY_CI: "github" })
      yield* untold(yield* job, [...half, "--ci", "none"])
      yield* untold(yield* job, half, { GANTRY_CI: "none" })
      yield* untold(yield* job, ["push", "app:1", "--to", "reg.test/a", "--ci", "none"])
    }).pipe(at())
  )

  it.scoped("goes without the files that the runner does not name", () =>
    Effect.gen(function* () {
      const { read, run } = yield* job
      const { code } = yield* run(["push", "app:1"], { GITHUB_STEP_SUMMARY: "", GITHUB_OUTPUT: "" })
      assert.deepStrictEqual([code, yield* read], [0, { summary: "", output: "" }])
    }).pipe(at())
  )

  it.scoped("annotates what a dry run foresees to fail", () =>
    Effect.gen(function* () {
      const { variables } = yield* job
      const { stderr } = yield* gantry(["push", "app:1", "--to", "bad.test/a", "--dry-run"], {
        push,
        compare: () => rejected("no")
      }).pipe(at({ variables }))
      assert.strictEqual(commandsIn(stderr)[0]?.properties["title"], "Push of bad.test/a:1 would fail")
    }).pipe(at())
  )

  it.scoped("puts no annotation between events as JSON", () =>
    Effect.gen(function* () {
      const { read, run } = yield* job
      const { stderr } = yield* run([...half, "--progress", "json"])
      for (const line of stderr.trimEnd().split("\n")) assert.property(JSON.parse(line), "_tag")
      assert.include((yield* read).summary, "1 failed")
    }).pipe(at())
  )

  it.scoped("gives no command but its errors to the runner, whatever a registry or a defect says", () =>
    Effect.gen(function* () {
      const said = "x\r\n::add-mask::a\n  ::stop-commands::b\n##[set-output name=digest;]c\n::set-output name=digest::d"
      const { run } = yield* job
      const scripts = [() => rejected(said), () => Effect.die(new Error(said))]
      for (const script of scripts) {
        for (const options of [["--verbose"], ["--output", "json"], ["--progress", "json"], ["--progress", "none"]]) {
          const { code, stderr, stdout } = yield* run([...half, ...options], {}, script)
          assert.notStrictEqual(code, 0)
          assert.include(stdout + stderr, "stop-commands")
          const names = commandsIn(stdout + stderr).map(({ name }) => name)
          assert.deepStrictEqual(names, options[1] === "json" && options[0] === "--progress" ? [] : ["error", "error"])
        }
      }
    }).pipe(at())
  )

  it.scoped("leaves summary and outputs after a signal, too", () =>
    Effect.gen(function* () {
      const { read, variables } = yield* job
      const running = yield* Deferred.make<void>()
      const code = yield* Effect.gen(function* () {
        const fiber = yield* Effect.fork(
          gantry(["push", "app:1"], { push: () => Effect.zipRight(Deferred.succeed(running, undefined), Effect.never) })
        )
        yield* Deferred.await(running)
        yield* Effect.flatMap(TestConsole.TestConsole, (console) => console.signal("SIGTERM"))
        return (yield* Fiber.join(fiber)).code
      }).pipe(at({ variables }))
      const { output, summary } = yield* read
      assert.strictEqual(code, 143)
      assert.include(summary, "1 push: 1 cancelled")
      assert.include(outputsIn(output)["report"] ?? "", '"cancelled":1')
    }).pipe(at())
  )

  it.scoped("exits 1 and says what to do when the outputs can not be written, and keeps another exit code", () =>
    Effect.gen(function* () {
      const { folder, run } = yield* job
      const { code, stderr, stdout } = yield* run(["push", "app:1", "--to", "reg.test/a"], { GITHUB_OUTPUT: folder })
      assert.deepStrictEqual([code, stdout], [1, `reg.test/a@${digest}\n`])
      assert.match(stderr, /\ngantry push: The step's outputs could not be written to .* \(.+\)\. .*--ci none.*\n$/)
      const busy = () => Effect.fail(new RegistryRateLimited({ registry: "reg.test", text: "busy" }))
      const failed = yield* run(["push", "app:1", "--retries", "0"], { GITHUB_OUTPUT: folder }, busy)
      assert.strictEqual(failed.code, 5)
    }).pipe(at())
  )

  it.scoped("warns when the summary can not be written or has no room, and exits as the pushes went", () =>
    Effect.gen(function* () {
      const warnings: Array<string> = []
      const logger = Logger.replace(
        Logger.defaultLogger,
        Logger.make(({ message }) => void warnings.push(String(message)))
      )
      const { folder, output, read, run, summary, write } = yield* job
      const full = "x".repeat(1024 * 1024 - 100)
      yield* write(summary, full)
      for (const file of [folder, summary]) {
        const { code } = yield* Effect.provide(run(["push", "app:1"], { GITHUB_STEP_SUMMARY: file }), logger)
        assert.strictEqual(code, 0)
      }
      assert.match(warnings[0] ?? "", /could not be added to the step's summary, .* \(.+\): .*--ci none/)
      assert.match(warnings[1] ?? "", /summary has no room .* 1 MiB: run this in a step of its own/)
      const after = yield* read
      assert.strictEqual(after.summary, full)
      assert.property(outputsIn(after.output), "digest", output)
    }).pipe(at())
  )

  it.scoped("fills a summary to 1 MiB and no further", () =>
    Effect.gen(function* () {
      const size = 1024 * 1024
      const alone = yield* job
      yield* alone.run(half)
      const whole = `\n\n${(yield* alone.read).summary}`
      for (const room of [whole.length, whole.length - 1]) {
        const { read, run, summary, write } = yield* job
        yield* write(summary, "x".repeat(size - room))
        yield* run(half)
        const after = (yield* read).summary
        const added = after.slice(size - room)
        assert.isAtMost(Buffer.byteLength(after), size)
        if (room === whole.length) assert.strictEqual(added, whole)
        else
          assert.match(
            added,
            /\n\| failed .*\n\n- .*\n\n1 more push is left out here: `--report FILE` has them all\.\n$/
          )
      }
    }).pipe(at())
  )
})
