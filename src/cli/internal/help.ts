import * as Option from "effect/Option"
import * as Record from "effect/Record"
import type { CommandShape, CommandShapes } from "../Command.ts"
import { shells } from "../completion/Shell.ts"
import { type OptionSpec, optionName, variableName } from "../OptionTable.ts"

const width = 100

const wrap = (text: string, columns: number): ReadonlyArray<string> =>
  Array.from(text.matchAll(new RegExp(`(.{1,${columns}})(?: |$)`, "g")), ([, line = ""]) => line)

/** Two columns: names, and what they do. */
const list = (entries: ReadonlyArray<readonly [name: string, about: string]>): ReadonlyArray<string> => {
  const column = Math.max(...entries.map(([name]) => name.length)) + 4
  return entries.flatMap(([name, about]) =>
    wrap(about, width - column).map((line, index) => `${(index === 0 ? `  ${name}` : "").padEnd(column)}${line}`)
  )
}

const optionLine = ([name, spec]: readonly [string, OptionSpec<unknown>]) =>
  [
    [optionName(name), spec.placeholder, spec.shape === "list" ? "..." : ""].filter((part) => part !== "").join(" "),
    spec.about
  ] as const

/** How a command is typed. */
export const usage = (name: string, { options, otherProgram, words }: CommandShape): string =>
  [
    "gantry",
    name,
    words.usage,
    Record.isEmptyReadonlyRecord(options) ? "" : "[OPTION]...",
    otherProgram === undefined ? "" : `-- ${otherProgram} [ARGUMENT]...`
  ]
    .filter((part) => part !== "")
    .join(" ")

const root = (commands: CommandShapes): ReadonlyArray<string> => [
  "Push images to container registries.",
  "",
  "Usage: gantry COMMAND [OPTION]...",
  "",
  "Commands:",
  ...list(Object.entries(commands).map(([name, { about }]) => [name, about])),
  "",
  "Options:",
  ...list([
    ["--help", "Show this, or a command's own help: gantry COMMAND --help."],
    ["--version", "Show the version."],
    [`--completions ${shells.join("|")}`, "Print a shell's completion, as for source <(gantry --completions bash)."]
  ])
]

const ofCommand = (name: string, command: CommandShape): ReadonlyArray<string> => [
  command.about,
  "",
  `Usage: ${usage(name, command)}`,
  "",
  ...options(command),
  ...[...command.notes, ...variables(command)].flatMap((note) => [...wrap(note, width), ""]).slice(0, -1)
]

const options = ({ options }: CommandShape): ReadonlyArray<string> =>
  Record.isEmptyReadonlyRecord(options) ? [] : ["Options:", ...list(Object.entries(options).map(optionLine)), ""]

const variables = ({ options }: CommandShape): ReadonlyArray<string> => {
  const names = Object.keys(options)
  const example = names.includes("stallTimeout") ? "stallTimeout" : names[0]
  if (example === undefined) return []
  return [
    `Environment: each option has a variable, as ${variableName(example)} for ${optionName(example)}; several values are separated by commas. The option comes first.`
  ]
}

/** The help of a command, or of gantry as a whole. */
export const help = (commands: CommandShapes, name: Option.Option<string>): string => {
  const lines = Option.match(
    Option.flatMap(name, (known) =>
      Option.map(Option.fromNullable(commands[known]), (shape) => [known, shape] as const)
    ),
    { onNone: () => root(commands), onSome: ([known, shape]) => ofCommand(known, shape) }
  )
  return `${lines.join("\n")}\n`
}
