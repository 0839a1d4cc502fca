/** The reference of the command line, from the tables that the commands themselves are made of. */
import * as Arr from "effect/Array"
import * as Duration from "effect/Duration"
import * as Either from "effect/Either"
import * as Option from "effect/Option"
import * as Predicate from "effect/Predicate"
import * as Record from "effect/Record"
import type { CommandShape, CommandShapes } from "../../../src/cli/Command.ts"
import { help, usage } from "../../../src/cli/internal/help.ts"
import { type OptionSpec, optionName, variableName } from "../../../src/cli/OptionTable.ts"
import { cell, code, plain, table } from "./Markdown.ts"

/** Where the words of an option say what it is when nobody gives it. */
const defaultWords = / ?Default: (.+?)\.(?= [A-Z]|$)/

const printed = (value: unknown): Option.Option<string> => {
  if (Predicate.isString(value) || Predicate.isNumber(value)) return Option.some(code(String(value)))
  if (Predicate.isBoolean(value)) return Option.some("off")
  return Duration.isDuration(value) ? Option.some(code(Duration.format(value).replaceAll(" ", ""))) : Option.none()
}

/** What an option is when nobody gives it: its value, else what its words say of it, else nothing. */
export const defaultOf = ({ about, decode }: OptionSpec<unknown>): string =>
  Either.getRight(decode([])).pipe(
    Option.flatMap(printed),
    Option.orElse(() => Option.map(Option.fromNullable(defaultWords.exec(about)?.[1]), cell)),
    Option.getOrElse(() => "")
  )

const optionRow = ([name, spec]: readonly [string, OptionSpec<unknown>]): ReadonlyArray<string> => [
  code([optionName(name), spec.placeholder].filter((part) => part !== "").join(" ")) +
    (spec.shape === "list" ? ", repeatable" : ""),
  code(variableName(name)),
  defaultOf(spec),
  cell(spec.about.replace(defaultWords, ""))
]

const options = ({ options }: CommandShape): ReadonlyArray<string> =>
  Record.isEmptyReadonlyRecord(options)
    ? []
    : [table(["option", "variable", "default", "what it does"], Object.entries(options).map(optionRow))]

const note = (text: string): string => plain(text).replace(/Example: (.*)$/, "Example: `$1`")

const section = (name: string, command: CommandShape): ReadonlyArray<string> => [
  `## gantry ${name}`,
  plain(command.about),
  `\`${usage(name, command)}\``,
  ...options(command),
  ...command.notes.map(note)
]

const contents = (commands: CommandShapes): string =>
  Object.keys(commands)
    .map((name) => `[${name}](#gantry-${name.replaceAll(" ", "-")})`)
    .join(" · ")

const exitCodes: ReadonlyArray<readonly [code: string, when: string]> = [
  ["70", "a defect of gantry; the report is still written"],
  [
    "130, 143",
    "SIGINT, SIGTERM: nothing new was started, the engine's requests were aborted, the report is written; a second signal exits at once"
  ],
  ["2", "the usage, the file or the plan is wrong; nothing was sent"],
  ["0", "everything is pushed, unchanged or skipped"],
  ["4", "every failure is the engine"],
  ["3", "nothing was pushed and every failure is authentication"],
  ["5", "every failure may pass by itself: the same command may succeed later"],
  ["1", "anything else"]
]

/** The page. */
export const cliPage = (commands: CommandShapes): string =>
  Arr.join(
    [
      "<!-- Written by `npm run pages` from the commands' own tables: change those. -->",
      "# The command line",
      "stdout has results only; progress, warnings and failures go to stderr. `gantry COMMAND --help` says in a terminal what is said here.",
      contents(commands),
      `\`\`\`console\n$ gantry --help\n${help(commands, Option.none())}\`\`\``,
      "## Options and variables",
      "Each option has an environment variable. The option comes first, then its variable, then the [file](file.md). Several values in a variable are separated by commas; a flag's says `true` or `false`. A length of time is `90s`, `5m` or `1h30m`. There is no `--password`: every process can read it among the arguments.",
      "The credential of a target is the first that there is: the `secret` or `connector` of its registry in the file, `--username` with `--password-stdin`, what the machine knows (`docker login`, `podman login`, credential helpers), none. One that fails fails the push; the next is not tried.",
      "## Exit codes",
      `The first that applies. [Errors](errors.md) says which failure has which.\n\n${table(["code", "when"], exitCodes)}`,
      ...Object.entries(commands).flatMap(([name, command]) => section(name, command))
    ],
    "\n\n"
  ).concat("\n")
