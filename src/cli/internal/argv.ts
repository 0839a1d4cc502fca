import { parseArgs } from "node:util"
import * as Arr from "effect/Array"
import * as Either from "effect/Either"
import * as Option from "effect/Option"
import * as Record from "effect/Record"
import { didYouMean } from "../../reference/internal/nearest.ts"
import type { Arguments, CommandShape } from "../Command.ts"
import { type Shell, shells } from "../completion/Shell.ts"
import { expected, type Given, type OptionTable, optionName } from "../OptionTable.ts"

/** What the arguments ask for. */
export type Invocation<Shape> =
  | ({ readonly _tag: "Command"; readonly name: string; readonly command: Shape } & Arguments)
  | { readonly _tag: "Help"; readonly command: Option.Option<string> }
  | { readonly _tag: "Version" }
  | { readonly _tag: "Completion"; readonly shell: Shell }

type Problem = string

const helpNames: ReadonlyArray<string> = ["help", "h"]

const noPassword =
  "there is no --password: every process can read it among the arguments. Use --username NAME --password-stdin and pipe the password in."

/**
 * Reads the arguments as a whole, with all that is wrong with them.
 *
 * @effect/cli 0.77 is no help here: it takes an unknown option for a SOURCE, does not see `--to=TARGET` of an option that
 * repeats, and leaves out a `--to` whose value is missing or empty, which would push to another place than was asked for.
 */
export const readArguments = <Shape extends CommandShape>(
  args: ReadonlyArray<string>,
  commands: { readonly [name: string]: Shape }
): Either.Either<Invocation<Shape>, ReadonlyArray<Problem>> => {
  const [first] = args
  if (first === undefined) return Either.right({ _tag: "Help", command: Option.none() })
  const name = [args.slice(0, 2).join(" "), first].find((name) => Object.hasOwn(commands, name)) ?? first
  const command = Object.hasOwn(commands, name) ? commands[name] : undefined
  const path = name.split(" ")
  const [own, otherProgram] = command?.otherProgram === undefined ? [args, []] : splitAtTerminator(args)
  const { options, words } = tokenize(command === undefined ? own : own.slice(path.length), command?.options ?? {})
  if (options.some((option) => option.name === "version")) return Either.right({ _tag: "Version" })
  if (options.some((option) => helpNames.includes(option.name))) {
    return Either.right({ _tag: "Help", command: command === undefined ? Option.none() : Option.some(name) })
  }
  if (command === undefined) {
    const asked = options.find((option) => option.name === "completions")
    return asked === undefined
      ? Either.left([noCommand(name, Object.keys(commands))])
      : readShell(asked.value ?? words[0] ?? "")
  }

  const problems = Arr.dedupe([
    ...optionProblems(options, command),
    ...wordProblems(words, name, command),
    ...otherProgramProblems(otherProgram, name, command)
  ])
  return problems.length > 0
    ? Either.left(problems)
    : Either.right({ _tag: "Command", name, command, words, given: givenOf(options, command), otherProgram })
}

/** What follows the first `--` is not gantry's, whatever it looks like. */
const splitAtTerminator = (args: ReadonlyArray<string>): readonly [ReadonlyArray<string>, ReadonlyArray<string>] => {
  const at = args.indexOf("--")
  return at === -1 ? [args, []] : [args.slice(0, at), args.slice(at + 1)]
}

const readShell = (text: string): Either.Either<Invocation<never>, ReadonlyArray<Problem>> =>
  Option.match(
    Arr.findFirst(shells, (shell) => shell === text),
    {
      onNone: () => Either.left([`--completions: ${expected(shells.join(" or "), text)}`]),
      onSome: (shell) => Either.right({ _tag: "Completion", shell })
    }
  )

/** By the table's names; a flag's text is that it is on. */
const givenOf = (options: ReadonlyArray<GivenOption>, command: CommandShape): Given =>
  Record.map(command.options, (_, name) =>
    options.filter(({ rawName }) => rawName === optionName(name)).map(({ value = "true" }) => value)
  )

const noCommand = (name: string, names: ReadonlyArray<string>): Problem =>
  name.startsWith("-")
    ? `there is no option ${name} before a command; the commands are ${names.join(", ")}`
    : `there is no command ${name}${didYouMean(name, names)}; the commands are ${names.join(", ")}`

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
  const known = Array.from(shapes.keys())
  const timesGiven = Arr.groupBy(options, ({ rawName }) => rawName)
  const repeated = Object.entries(timesGiven).flatMap(([rawName, given]) =>
    given.length > 1 && shapes.get(rawName) === "value" ? [`${rawName} is given more than once: once is enough`] : []
  )
  return [...options.flatMap((option) => optionProblem(option, shapes.get(option.rawName), known)), ...repeated]
}

const optionProblem = (
  { name, rawName, value }: GivenOption,
  shape: "flag" | "value" | "list" | undefined,
  known: ReadonlyArray<string>
): ReadonlyArray<Problem> => {
  if (name === "password" || name === "p") return [noPassword]
  if (shape === undefined) return [`there is no option ${rawName}${didYouMean(rawName, known)}`]
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

const otherProgramProblems = (
  otherProgram: ReadonlyArray<string>,
  name: string,
  { otherProgram: word }: CommandShape
): ReadonlyArray<Problem> =>
  word !== undefined && (otherProgram[0] ?? "") === ""
    ? [`${name} needs -- and a ${word} behind it, as in \`gantry ${name} -- docker push app:1\``]
    : []
