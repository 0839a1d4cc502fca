/**
 * What may stand where on the command line, as shells complete it: from the same tables as the help.
 */
import * as Arr from "effect/Array"
import type { CommandShapes } from "../Command.ts"
import { type OptionSpec, optionName } from "../OptionTable.ts"

/** What a value or a word may be. `Any` is what only its author knows. */
export type Value =
  | { readonly _tag: "Choice"; readonly choices: ReadonlyArray<string> }
  | { readonly _tag: "File" }
  | { readonly _tag: "Any" }

/** An option; a flag has no value. */
export interface CompletedOption {
  readonly name: string
  readonly about: string
  readonly isRepeated: boolean
  readonly value: Value | undefined
}

/** A command by its path, of which `config check` has two. */
export interface CompletedCommand {
  readonly path: ReadonlyArray<string>
  readonly about: string
  readonly options: ReadonlyArray<CompletedOption>
  readonly word: Value | undefined
}

/** A first or a second word of commands. */
export interface Step {
  readonly name: string
  readonly about: string
}

export interface Grammar {
  readonly commands: ReadonlyArray<CompletedCommand>
  /** What a command line begins with, options included. */
  readonly first: ReadonlyArray<Step>
  /** What follows the first word of commands of two. */
  readonly second: ReadonlyArray<readonly [first: string, steps: ReadonlyArray<Step>]>
}

/** In the help lower-case words between bars are to be typed as they are; upper-case ones stand for something. */
export const valueOf = (placeholder: string): Value => {
  if (/^[a-z]+(\|[a-z]+)+$/.test(placeholder)) return { _tag: "Choice", choices: placeholder.split("|") }
  return placeholder === "FILE" ? { _tag: "File" } : { _tag: "Any" }
}

const firstSentence = (about: string): string => about.replace(/[.:] .*$/s, "").replace(/\.$/, "")

const optionOf = (name: string, { about, placeholder, shape }: OptionSpec<unknown>): CompletedOption => ({
  name: optionName(name),
  about: firstSentence(about),
  isRepeated: shape === "list",
  value: shape === "flag" ? undefined : valueOf(placeholder)
})

const helpOption: CompletedOption = { name: "--help", about: "Show help", isRepeated: false, value: undefined }

const rootOptions: ReadonlyArray<Step> = [
  { name: "--help", about: "Show help" },
  { name: "--version", about: "Show the version" },
  { name: "--completions", about: "Print a shell's completion" }
]

export const make = (shapes: CommandShapes): Grammar => {
  const commands = Object.entries(shapes).map(([name, { about, options, words }]) => ({
    path: name.split(" "),
    about: firstSentence(about),
    options: [...Object.entries(options).map(([name, spec]) => optionOf(name, spec)), helpOption],
    word: words.most === 0 ? undefined : valueOf(words.name)
  }))
  const groups = Object.entries(Arr.groupBy(commands, ({ path: [first = ""] }) => first))
  return {
    commands,
    first: [...groups.map(([name, [{ about }]]) => ({ name, about })), ...rootOptions],
    second: groups.flatMap(([first, members]) => {
      const steps = members.flatMap(({ about, path: [, second] }) => (second ? [{ name: second, about }] : []))
      return steps.length > 0 ? [[first, steps] as const] : []
    })
  }
}
