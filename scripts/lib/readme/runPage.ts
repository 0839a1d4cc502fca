/** Does what a page says, as a reader who follows it from top to bottom. */
import * as Effect from "effect/Effect"
import type { NotStarted } from "../ProcessGroup.ts"
import { type Block, blocks, type Exchange } from "./blocks.ts"
import { isAsShown } from "./output.ts"
import type { Running, Sandbox } from "./Sandbox.ts"

/** What became of a page: what is wrong with it, and why blocks of it were only read. */
export interface PageOutcome {
  readonly done: number
  readonly skipped: ReadonlyArray<string>
  readonly problems: ReadonlyArray<string>
}

const indent = (text: string): string => text.replace(/^(?=.)/gm, "    ")

type Problems = Effect.Effect<ReadonlyArray<string>, NotStarted>

const none: Problems = Effect.succeed([])

const unless = (running: Running, what: string): Problems =>
  Effect.map(running, ({ isGood, output }) => (isGood ? [] : [`${what}:\n${indent(output)}`]))

/** Variables that a file asks for with a message have to be set; what they are does not matter to a check. */
const assignments = (code: string): string =>
  [...new Set([...code.matchAll(/\$\{(\w+):\?/g)].map(([, name = ""]) => `--set ${name}=1`))].join(" ")

const exchange = (sandbox: Sandbox, folder: string, { command, expected }: Exchange): Problems =>
  Effect.map(sandbox.bash(folder, command), ({ isGood, output: printed }) => {
    // Pages are read in other folders than this one.
    const output = printed.replaceAll(`${folder}/`, "")
    if (expected === "" && !isGood) return [`$ ${command}  ends badly:\n${indent(output)}`]
    return isAsShown(expected, output)
      ? []
      : [`$ ${command}  prints\n${indent(output)}  where the page shows\n${indent(expected)}`]
  })

const problemsOf = (sandbox: Sandbox, folder: string, { action }: Block): Problems => {
  switch (action._tag) {
    case "Skip":
      return none
    case "Refuse":
      return Effect.succeed([action.problem])
    case "Shell":
      return unless(sandbox.bash(folder, action.code), "it ends badly")
    case "Console":
      return Effect.map(
        Effect.forEach(action.exchanges, (one) => exchange(sandbox, folder, one)),
        (problems) => problems.flat()
      )
    case "Program":
      sandbox.write(folder, action.path, action.code)
      return action.isRun ? unless(sandbox.run(folder, action.path), "the program ends badly") : none
    case "GantryFile":
      sandbox.write(folder, action.path, action.code)
      return unless(
        sandbox.bash(folder, `gantry config check ${action.path} ${assignments(action.code)}`),
        "gantry config check refuses the file"
      )
    case "File":
      sandbox.write(folder, action.path, action.code)
      return none
  }
}

const programsOf = (all: ReadonlyArray<Block>): ReadonlyArray<string> =>
  all.flatMap(({ action }) => (action._tag === "Program" ? [action.path] : []))

/** A page that makes a package of its own is to show all that its reader has to install. */
const installs = (all: ReadonlyArray<Block>): boolean =>
  all.some(({ action }) => action._tag === "Shell" && action.code.includes("npm init"))

export const runPage = Effect.fnUntraced(function* (
  sandbox: Sandbox,
  path: string,
  markdown: string
): Effect.fn.Return<PageOutcome, NotStarted> {
  const all = blocks(markdown)
  const folder = sandbox.folder(path.replace(/^.*\/|\.md$/g, ""), installs(all))
  const ran = yield* Effect.forEach(all, (block) =>
    Effect.map(
      Effect.suspend(() => problemsOf(sandbox, folder, block)),
      (problems) => problems.map((problem) => `${path}:${block.line}: ${problem}`)
    )
  )
  const programs = programsOf(all)
  const checked =
    programs.length === 0 ? [] : yield* unless(sandbox.check(folder, programs), `${path}: its programs do not compile`)
  return {
    done: all.filter(({ action }) => action._tag !== "Skip").length,
    skipped: all.flatMap(({ action, line }) => (action._tag === "Skip" ? [`${path}:${line}: ${action.reason}`] : [])),
    problems: [...ran.flat(), ...checked]
  }
})
