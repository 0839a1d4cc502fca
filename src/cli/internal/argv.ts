import { parseArgs } from "node:util"
import * as Arr from "effect/Array"
import * as Either from "effect/Either"
import * as Option from "effect/Option"
import { type OptionTable, optionName } from "../OptionTable.ts"

/** What stands beside a command's options: how the usage shows it, what one is called, and how many there may be. */
export interface Words {
  readonly usage: string
  readonly name: string
  readonly least: number
  readonly most: number
}

export const noWords: Words = { usage: "", name: "", least: 0, most: 0 }

export const oneWord = (name: string): Words => ({ usage: name, name, least: 1, most: 1 })

export const optionalWord = (name: string): Words => ({ usage: `[${name}]`, name, least: 0, most: 1 })

export const anyWords = (name: string): Words => ({ usage: `[${name}]...`, name, least: 0, most: Infinity })

export const someWords = (name: string): Words => ({ usage: `${name}...`, name, least: 1, most: Infinity })

/** A command as people see it: its words beside the options, what it does, what may follow its help. */
export interface CommandShape {
  readonly options: OptionTable
  readonly words: Words
  readonly about: string
  readonly notes: ReadonlyArray<string>
}

/** By name, of which `config check` is one. */
export type CommandShapes = { readonly [name: string]: CommandShape }

/** What the arguments ask for. `args` are in the one form that @effect/cli 0.77 reads as they were meant. */
export type Invocation =
  | { readonly _tag: "Command"; readonly args: ReadonlyArray<string> }
  | { readonly _tag: "Help"; readonly command: Option.Option<string> }
  | { readonly _tag: "Version" }

type Problem = string

const helpNames: ReadonlyArray<string> = ["help", "h"]

const noPassword =
  "there is no --password: every process can read it among the arguments. Use --username NAME --password-stdin and pipe the password in."

/**
 * Checks the arguments as a whole.
 *
 * Left to itself @effect/cli 0.77 takes an unknown option for a SOURCE, does not see `--to=TARGET` of an option that
 * repeats, and leaves out a `--to` whose value is missing or empty, which would push to another place than was asked for.
 */
export const readArguments = (
  args: ReadonlyArray<string>,
  commands: CommandShapes
): Either.Either<Invocation, ReadonlyArray<Problem>> => {
  const [first] = args
  if (first === undefined) return Either.right({ _tag: "Help", command: Option.none() })
  const name = [args.slice(0, 2).join(" "), first].find((name) => Object.hasOwn(commands, name)) ?? first
  const command = Object.hasOwn(commands, name) ? commands[name] : undefined
  const path = name.split(" ")
  const { options, words } = tokenize(command === undefined ? args : args.slice(path.length), command?.options ?? {})
  if (options.some((option) => option.name === "version")) return Either.right({ _tag: "Version" })
  if (options.some((option) => helpNames.includes(option.name))) {
    return Either.right({ _tag: "Help", command: command === undefined ? Option.none() : Option.some(name) })
  }
  if (command === undefined) return Either.left([noCommand(name, Object.keys(commands))])

  const problems = Arr.dedupe([...optionProblems(options, command), ...wordProblems(words, name, command)])
  return problems.length > 0
    ? Either.left(problems)
    : Either.right({
        _tag: "Command",
        args: [
          ...path,
          ...options.flatMap(({ rawName, value }) => [rawName, ...Arr.fromNullable(value)]),
          "--",
          ...words
        ]
      })
}

const noCommand = (name: string, names: ReadonlyArray<string>): Problem =>
  name.startsWith("-")
    ? `there is no option ${name} before a command; the commands are ${names.join(", ")}`
    : `there is no command ${name}; the commands are ${names.join(", ")}`

interface GivenOption {
  readonly index: number
  readonly name: string
  readonly rawName: string
  readonly value: string | undefined
}

const tokenize = (args: ReadonlyArray<string>, table: OptionTable) => {
  const options = Object.fromEntries(
    Object.entries(table).map(([name, { shape }]) => [
      optionName(name).slice(2),
      { type: shape === "flag" ? ("boolean" as const) : ("string" as const), multiple: true }
    ])
  )
  const { tokens } = parseArgs({ args: [...args], options, strict: false, allowPositionals: true, tokens: true })
  return {
    words: tokens.flatMap((token) => (token.kind === "positional" ? [token.value] : [])),
    // `-abc` is three tokens at one index: one problem.
    options: Arr.dedupeAdjacentWith(
      tokens.flatMap((token): ReadonlyArray<GivenOption> => (token.kind === "option" ? [token] : [])),
      (left, right) => left.index === right.index
    )
  }
}

const optionProblems = (options: ReadonlyArray<GivenOption>, command: CommandShape): ReadonlyArray<Problem> => {
  const shapes = new Map(Object.entries(command.options).map(([name, { shape }]) => [optionName(name), shape]))
  const timesGiven = Arr.groupBy(options, ({ rawName }) => rawName)
  const repeated = Object.entries(timesGiven).flatMap(([rawName, given]) =>
    given.length > 1 && shapes.get(rawName) === "value" ? [`${rawName} is given more than once: once is enough`] : []
  )
  return [...options.flatMap((option) => optionProblem(option, shapes.get(option.rawName))), ...repeated]
}

const optionProblem = (
  { name, rawName, value }: GivenOption,
  shape: "flag" | "value" | "list" | undefined
): ReadonlyArray<Problem> => {
  if (name === "password" || name === "p") return [noPassword]
  if (shape === undefined) return [`there is no option ${rawName}`]
  if (shape === "flag") return value === undefined ? [] : [`${rawName} takes no value`]
  if (value === undefined || value === "") return [`${rawName} needs a value, and there is none`]
  if (value.startsWith("-")) return [`${rawName} needs a value, and ${value} looks like an option`]
  return value === value.trim() ? [] : [`${rawName} "${value}" has spaces around it: leave them out`]
}

const wordProblems = (words: ReadonlyArray<string>, name: string, command: CommandShape): ReadonlyArray<Problem> => {
  const { least, most, name: word } = command.words
  if (words.length < least) return [most === 1 ? `${name} needs ${word}` : `${name} needs at least one ${word}`]
  const takes = most === 0 ? "no arguments" : `one ${word}`
  return words.slice(most).map((extra) => `${name} takes ${takes}, and there is ${extra}`)
}
