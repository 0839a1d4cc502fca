import { stripVTControlCharacters } from "node:util"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import { Stdio } from "../Stdio.ts"

const words = (args: ReadonlyArray<unknown>): string => `${args.map(String).join(" ").trimEnd()}\n`

/** The console on which @effect/cli prints: colours go to terminals only. */
export const plainConsole: Effect.Effect<Console.Console, never, Stdio> = Effect.gen(function* () {
  const { isTerminal, stderr, stdout } = yield* Stdio
  const base = yield* Console.consoleWith(Effect.succeed)
  return {
    ...base,
    log: (...args) => stdout(isTerminal.stdout ? words(args) : stripVTControlCharacters(words(args))),
    error: (...args) => stderr(isTerminal.stderr ? words(args) : stripVTControlCharacters(words(args)))
  }
})
