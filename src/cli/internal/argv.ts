import { parseArgs } from "node:util"
import * as Arr from "effect/Array"
import * as Either from "effect/Either"
import { type OptionTable, optionName } from "../OptionTable.ts"

/** A command as its arguments are checked: its options, and whether it takes words beside them. */
export interface CommandShape {
  readonly options: OptionTable
  readonly words: string | undefined
}

type Problem = string

const builtIn: ReadonlyArray<string> = ["help", "h", "version"]

const noPassword =
  "there is no --password: every process can read it among the arguments. Use --username NAME --password-stdin and pipe the password in."

/**
 * Checks the arguments as a whole and gives them in the one form that @effect/cli 0.77 reads as they were meant.
 *
 * Left to itself it takes an unknown option for a SOURCE, does not see `--to=TARGET` of a repeated option, and leaves out
 * a `--to` whose value is missing or empty, which would push to another place than was asked for.
 */
export const normalizeArguments = (
  args: ReadonlyArray<string>,
  commands: { readonly [name: string]: CommandShape }
): Either.Either<ReadonlyArray<string>, ReadonlyArray<Problem>> => {
  const [name] = args
  if (name === undefined) return Either.right(["--help"])
  const command = Object.hasOwn(commands, name) ? commands[name] : undefined
  const { positionals, options } = tokenize(command === undefined ? args : args.slice(1), command?.options ?? {})
  const asked = options.find((option) => builtIn.includes(option.name))
  const path = command === undefined ? [] : [name]
  if (asked !== undefined) return Either.right(asked.name === "version" ? ["--version"] : [...path, "--help"])
  if (command === undefined && !name.startsWith("-")) {
    return Either.left([`there is no command ${name}; the commands are ${Object.keys(commands).join(", ")}`])
  }

  const problems = [...optionProblems(options, command), ...wordProblems(positionals, name, command)]
  return problems.length > 0
    ? Either.left(problems)
    : Either.right([
        ...path,
        ...options.flatMap((option) => [option.rawName, ...(option.value === undefined ? [] : [option.value])]),
        ...(positionals.length > 0 ? ["--", ...positionals] : [])
      ])
}

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
    positionals: tokens.flatMap((token) => (token.kind === "positional" ? [token.value] : [])),
    // `-abc` is three tokens at one index: one problem.
    options: Arr.dedupeAdjacentWith(
      tokens.flatMap((token): ReadonlyArray<GivenOption> => (token.kind === "option" ? [token] : [])),
      (left, right) => left.index === right.index
    )
  }
}

const optionProblems = (
  options: ReadonlyArray<GivenOption>,
  command: CommandShape | undefined
): ReadonlyArray<Problem> => {
  const shapes = new Map(
    Object.entries(command?.options ?? {}).map(([name, { shape }]) => [optionName(name), shape] as const)
  )
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

const wordProblems = (
  words: ReadonlyArray<string>,
  name: string,
  command: CommandShape | undefined
): ReadonlyArray<Problem> => {
  if (command === undefined) return []
  if (command.words === undefined) return words.map((word) => `${name} takes no arguments, and there is ${word}`)
  return words.length === 0 ? [`${name} needs at least one ${command.words}`] : []
}
