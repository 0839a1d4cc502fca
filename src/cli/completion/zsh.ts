import type { CompletedOption, Grammar, Step, Value } from "./Grammar.ts"
import { shells } from "./Shell.ts"

const quote = (text: string): string => `'${text.replaceAll("'", "'\\''")}'`

/** What _arguments and _describe would take for their own. */
const escape = (text: string): string => text.replace(/[\\:[\]]/g, "\\$&")

const action = (value: Value): string => {
  switch (value._tag) {
    case "Choice":
      return `:value:(${value.choices.join(" ")})`
    case "File":
      return ":file:_files"
    // Not the message that a blank would be: zsh would list an option instead of completing it.
    case "Any":
      return ":value:()"
  }
}

const option = ({ about, isRepeated, name, value }: CompletedOption): string =>
  quote(
    `${isRepeated ? "*" : ""}${name}${value === undefined ? "" : "="}[${escape(about)}]${value === undefined ? "" : action(value)}`
  )

const describe = (steps: ReadonlyArray<Step>): string =>
  `steps=(${steps.map(({ about, name }) => quote(`${escape(name)}:${escape(about)}`)).join(" ")}); _describe command steps`

/** The completion for zsh: sourced, or as the file _gantry in a folder of fpath. */
export const zsh = ({ commands, first, second }: Grammar): string =>
  [
    "#compdef gantry",
    "# Completion of gantry for zsh: source <(gantry --completions zsh)",
    "_gantry() {",
    "  local -a steps",
    `  if ((CURRENT == 2)); then ${describe(first)}; return; fi`,
    `  if [[ $words[2] == --completions ]]; then compadd ${shells.join(" ")}; return; fi`,
    ...second.map(
      ([name, steps]) => `  if [[ $words[2] == ${name} ]] && ((CURRENT == 3)); then ${describe(steps)}; return; fi`
    ),
    '  case "$words[2] $words[3] " in',
    ...commands.flatMap(({ options, path, word }) => [
      `    ${quote(`${path.join(" ")} `)}*)`,
      `      shift ${path.length} words; ((CURRENT -= ${path.length}))`,
      `      _arguments -S ${[...options.map(option), ...(word === undefined ? [] : [quote(`*${action(word)}`)])].join(" ")} ;;`
    ]),
    "  esac",
    "}",
    'if [[ $funcstack[1] == _gantry ]]; then _gantry "$@"; else compdef _gantry gantry; fi',
    ""
  ].join("\n")
