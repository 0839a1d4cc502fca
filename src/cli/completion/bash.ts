import type { Grammar, Value } from "./Grammar.ts"
import { shells } from "./Shell.ts"

const words = (names: ReadonlyArray<string>): string => `_gantry_words "${names.join(" ")}"`

const offer = (value: Value): string => {
  switch (value._tag) {
    case "Choice":
      return words(value.choices)
    case "File":
      return "_gantry_files"
    case "Any":
      return ":"
  }
}

const names = (named: ReadonlyArray<{ readonly name: string }>): ReadonlyArray<string> => named.map(({ name }) => name)

/** The completion for bash, of 3.2 too, which macOS has. */
export const bash = ({ commands, first, second }: Grammar): string => {
  const values = commands.flatMap(({ options, path }) =>
    options.flatMap(({ name, value }) =>
      value === undefined ? [] : [`    "${path.join(" ")} ${name}") ${offer(value)}; return ;;`]
    )
  )
  const rest = commands.map(
    ({ options, path, word }) =>
      `    "${path.join(" ")}") if [[ $current == -* ]]; then ${words(names(options))}; else ${offer(word ?? { _tag: "Any" })}; fi ;;`
  )
  return [
    "# Completion of gantry for bash: source <(gantry --completions bash)",
    `_gantry_words() { local IFS=$' \\t\\n'; COMPREPLY=($(compgen -W "$1" -- "$current")); }`,
    "_gantry_files() {",
    "  local IFS=$'\\n'",
    '  COMPREPLY=($(compgen -f -- "$current"))',
    "  type compopt >/dev/null 2>&1 && compopt -o filenames 2>/dev/null",
    "}",
    "_gantry() {",
    `  local current="\${COMP_WORDS[COMP_CWORD]}" previous="\${COMP_WORDS[COMP_CWORD-1]}" command="\${COMP_WORDS[1]}"`,
    "  COMPREPLY=()",
    "  # --option=value comes as three words.",
    '  if [[ $current == "=" ]]; then current=""',
    `  elif [[ $previous == "=" ]]; then previous="\${COMP_WORDS[COMP_CWORD-2]}"; fi`,
    `  if ((COMP_CWORD == 1)); then ${words(names(first))}; return; fi`,
    `  if [[ $command == --completions ]]; then ${words(shells)}; return; fi`,
    ...second.map(
      ([name, steps]) =>
        `  if [[ $command == ${name} ]]; then if ((COMP_CWORD == 2)); then ${words(names(steps))}; return; fi; command="$command \${COMP_WORDS[2]}"; fi`
    ),
    '  case "$command $previous" in',
    ...values,
    "  esac",
    '  case "$command" in',
    ...rest,
    "  esac",
    "}",
    "complete -F _gantry gantry",
    ""
  ].join("\n")
}
