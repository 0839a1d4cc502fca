/**
 * The whole command line as one effect: arguments in, exit code out.
 */
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Option from "effect/Option"
import { batch } from "./batch.ts"
import type { Command } from "./Command.ts"
import { configCheck } from "./config.ts"
import { digest } from "./digest.ts"
import { doctor } from "./doctor.ts"
import { exec } from "./exec.ts"
import { exitCode } from "./exitCode.ts"
import { flavors } from "./flavors.ts"
import { readArguments } from "./internal/argv.ts"
import { help } from "./internal/help.ts"
import type { Machine } from "./Machine.ts"
import { problemLine } from "./output/problem.ts"
import { push } from "./push.ts"
import { Stdio } from "./Stdio.ts"
import { schema } from "./schema.ts"
import { observed } from "./Telemetry.ts"
import { UsageError } from "./UsageError.ts"
import { verify } from "./verify.ts"

/** Every command by its name. */
export const commands: { readonly [name: string]: Command } = {
  push,
  batch,
  verify,
  digest,
  doctor,
  exec,
  "config check": configCheck,
  schema,
  flavors
}

interface Options {
  readonly version: string
  readonly machine: Effect.Effect<Machine>
}

const completions = Effect.promise(() => import("./completion/Completion.ts"))

/** Runs the arguments (those after the program's name) to an exit code. What is wrong with them is told on stderr. */
export const run = Effect.fnUntraced(
  function* (args: ReadonlyArray<string>, { machine, version }: Options) {
    const { stdout } = yield* Stdio
    const invocation = yield* Either.mapLeft(readArguments(args, commands), (problems) => new UsageError({ problems }))
    switch (invocation._tag) {
      case "Help":
        yield* stdout(help(commands, invocation.command))
        return 0
      case "Version":
        yield* stdout(`${version}\n`)
        return 0
      case "Completion": {
        const { completion } = yield* completions
        yield* stdout(completion(commands, invocation.shell))
        return 0
      }
      case "Command":
        return yield* observed(invocation.command.run(invocation, machine), { name: invocation.name, version })
    }
  },
  Effect.catchTag("UsageError", (error) => tell(error)),
  Effect.flatMap((code) => unlessLost(code))
)

/** Whoever waits for a result has to learn that it did not arrive. */
const unlessLost = Effect.fnUntraced(function* (code: number) {
  const { lost, stderr } = yield* Stdio
  const reason = yield* lost
  if (Option.isNone(reason)) return code
  const message = `Standard output could not be written (${reason.value}). Make room for it, and run it again.`
  yield* stderr(`${problemLine("gantry", { message })}\n`)
  return code === 0 ? exitCode({ _tag: "Unwritten" }, []) : code
})

const misused = exitCode({ _tag: "Misused" }, [])

const tell = Effect.fnUntraced(function* ({ problems }: UsageError) {
  const { stderr } = yield* Stdio
  const lines = [
    ...problems.map((message) => problemLine("gantry", { message })),
    "Nothing was sent. See `gantry --help` and `gantry COMMAND --help`."
  ]
  yield* stderr(lines.map((line) => `${line}\n`).join(""))
  return misused
})
