import type { CompletedCommand, CompletedOption, Grammar, Step, Value } from "./Grammar.ts"
import { shells } from "./Shell.ts"

const quote = (text: string): string => `'${text.replace(/[\\']/g, "\\$&")}'`

const line = (...parts: ReadonlyArray<string>): string => ["complete -c gantry", ...parts].join(" ")

const values = (value: Value): string => {
  switch (value._tag) {
    case "Choice":
      return `-x -a ${quote(value.choices.join(" "))}`
    case "File":
      return "-r -F"
    case "Any":
      return "-x"
  }
}

const at = (path: ReadonlyArray<string>): string => `-n ${quote(`__gantry_at ${path.join(" ")}`)}`

const under = (path: ReadonlyArray<string>): string => `-n ${quote(`__gantry_under ${path.join(" ")}`)}`

const step =
  (path: ReadonlyArray<string>) =>
  ({ about, name }: Step): string =>
    line(at(path), name.startsWith("--") ? `-l ${name.slice(2)}` : `-a ${name}`, `-d ${quote(about)}`)

const option =
  (path: ReadonlyArray<string>) =>
  ({ about, name, value }: CompletedOption): string =>
    line(under(path), `-l ${name.slice(2)}`, ...(value === undefined ? [] : [values(value)]), `-d ${quote(about)}`)

const word = ({ path, word }: CompletedCommand): ReadonlyArray<string> => {
  switch (word?._tag) {
    case "Choice":
      return [line(under(path), `-a ${quote(word.choices.join(" "))}`)]
    case "File":
      return [line(under(path), "-F")]
    default:
      return []
  }
}

/** The completion for fish. */
export const fish = ({ commands, first, second }: Grammar): string =>
  [
    "# Completion of gantry for fish: gantry --completions fish | source",
    "function __gantry_words",
    "  set -l words (commandline -opc)",
    "  set -e words[1]",
    "  set -q words[1]; and printf '%s\\n' $words",
    "end",
    "function __gantry_under",
    "  set -l words (__gantry_words)",
    "  test (count $words) -ge (count $argv); or return 1",
    "  for index in (seq (count $argv))",
    '    test "$words[$index]" = "$argv[$index]"; or return 1',
    "  end",
    "end",
    "function __gantry_at",
    "  test (count (__gantry_words)) -eq (count $argv); and __gantry_under $argv",
    "end",
    line("-f"),
    ...first.map(step([])),
    line(at(["--completions"]), `-a ${quote(shells.join(" "))}`),
    ...second.flatMap(([name, steps]) => steps.map(step([name]))),
    ...commands.flatMap((command) => [...command.options.map(option(command.path)), ...word(command)]),
    ""
  ].join("\n")
