/**
 * The commands of a workflow of GitHub Actions, run as its runner would: each step in its shell, with files of its own for
 * a summary and for outputs, until one fails.
 */
import { spawn } from "node:child_process"
import { mkdir, readFile, writeFile } from "node:fs/promises"
import { join } from "node:path"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { parse } from "yaml"
import { commandsIn, outputsIn, type WorkflowCommand } from "../../cli/support/actionsRunner.ts"

const Variables = Schema.optionalWith(Schema.Record({ key: Schema.String, value: Schema.String }), {
  default: () => ({})
})

/** A step that `uses` an action has no commands of its own. */
const Step = Schema.Struct({
  name: Schema.optional(Schema.String),
  id: Schema.optional(Schema.String),
  run: Schema.optional(Schema.String),
  env: Variables
})

const Workflow = Schema.Struct({
  permissions: Variables,
  jobs: Schema.Struct({ release: Schema.Struct({ env: Variables, steps: Schema.Array(Step) }) })
})

export const readWorkflow = (file: string) =>
  Effect.promise(() => readFile(file, "utf8")).pipe(
    Effect.flatMap((text) => Schema.decodeUnknown(Workflow)(parse(text))),
    Effect.orDie
  )

export interface EndedStep {
  readonly name: string
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
  readonly commands: ReadonlyArray<WorkflowCommand>
  readonly outputs: Readonly<Record<string, string>>
  readonly summary: string
}

/** Each `${{ a.b }}` of the text by its path in the contexts; `fromJSON(…).c[0]` goes on in the value. */
const evaluate = (text: string, contexts: Record<string, unknown>): string =>
  text.replace(/\$\{\{ (?:fromJSON\((.+?)\)\.)?(.+?) \}\}/g, (_, json: string | undefined, path: string) => {
    const at = (value: unknown, path: string) =>
      path
        .replace(/\[(\d+)\]/g, ".$1")
        .split(".")
        .reduce<unknown>((before, key) => (before as Record<string, unknown> | undefined)?.[key], value)
    return String(at(json === undefined ? contexts : JSON.parse(String(at(contexts, json))), path) ?? "")
  })

const runShell = (folder: string, script: string, env: Readonly<Record<string, string | undefined>>) =>
  Effect.promise(
    () =>
      new Promise<Pick<EndedStep, "code" | "stdout" | "stderr">>((resolve) => {
        const output = { stdout: "", stderr: "" }
        const child = spawn("bash", ["-e", "-c", script], { cwd: folder, env, stdio: ["ignore", "pipe", "pipe"] })
        child.stdout.on("data", (chunk) => {
          output.stdout += chunk
        })
        child.stderr.on("data", (chunk) => {
          output.stderr += chunk
        })
        child.on("close", (code) => resolve({ code, ...output }))
      })
  )

/** Runs the job `release` in a folder; steps after a failed one are not run. */
export const runWorkflow = Effect.fnUntraced(function* (
  file: string,
  options: {
    readonly folder: string
    readonly variables: Readonly<Record<string, string | undefined>>
    /** Contexts of expressions: `github`, `secrets`. */
    readonly contexts: Readonly<Record<string, unknown>>
  }
) {
  const { env, steps } = (yield* readWorkflow(file)).jobs.release
  const outputs: Record<string, { readonly outputs: EndedStep["outputs"] }> = {}
  const ended: Array<EndedStep> = []
  for (const [number, step] of steps.entries()) {
    if (step.run === undefined) continue
    if (ended.at(-1)?.code) break
    const commandFiles = join(options.folder, "_runner_file_commands", String(number))
    const [summary, output] = [join(commandFiles, "step_summary"), join(commandFiles, "set_output")]
    yield* Effect.promise(async () => {
      await mkdir(commandFiles, { recursive: true })
      for (const file of [summary, output]) await writeFile(file, "")
    })
    const contexts = { ...options.contexts, steps: outputs }
    const own = Object.entries({ ...env, ...step.env }).map(([name, text]) => [name, evaluate(text, contexts)])
    const { code, stderr, stdout } = yield* runShell(options.folder, step.run, {
      ...options.variables,
      ...Object.fromEntries(own),
      CI: "true",
      GITHUB_ACTIONS: "true",
      GITHUB_STEP_SUMMARY: summary,
      GITHUB_OUTPUT: output
    })
    const written = outputsIn(yield* Effect.promise(() => readFile(output, "utf8")))
    if (step.id !== undefined) outputs[step.id] = { outputs: written }
    ended.push({
      name: step.name ?? step.run,
      code,
      stdout,
      stderr,
      commands: commandsIn(`${stdout}${stderr}`),
      outputs: written,
      summary: yield* Effect.promise(() => readFile(summary, "utf8"))
    })
  }
  return ended
})
