/**
 * GitHub's runner as far as a step can tell: how it finds commands in lines, and reads outputs from their file.
 * https://github.com/actions/runner: Runner.Common/ActionCommand.cs, Runner.Worker/FileCommandManager.cs
 */

import * as FastCheck from "effect/FastCheck"

export interface WorkflowCommand {
  readonly name: string
  readonly properties: Readonly<Record<string, string>>
  readonly data: string
}

const commands = ["error", "warning", "notice", "debug", "group", "endgroup", "add-mask", "stop-commands"].concat(
  "set-output",
  "save-state",
  "set-env",
  "add-path",
  "echo",
  "add-matcher",
  "remove-matcher"
)

const unescape = (text: string, escapes: Readonly<Record<string, string>>): string =>
  Object.entries(escapes).reduce((before, [escape, character]) => before.replaceAll(escape, character), text)

/** The last one is undone last. */
const dataEscapes = { "%0D": "\r", "%0A": "\n", "%25": "%" }
const propertyEscapes = { "%0D": "\r", "%0A": "\n", "%3A": ":", "%2C": ",", "%25": "%" }
const oldEscapes = { "%3B": ";", "%0D": "\r", "%0A": "\n", "%5D": "]", "%25": "%" }

const parse = (
  [information, data]: readonly [string, string],
  separator: string,
  ofProperty: Readonly<Record<string, string>>,
  ofData: Readonly<Record<string, string>>
): WorkflowCommand | undefined => {
  const [name = "", ...rest] = information.split(" ")
  if (!commands.includes(name.toLowerCase())) return undefined
  const properties = rest
    .join(" ")
    .split(separator)
    .flatMap((property) => {
      const [key, ...value] = property.trimStart().split("=")
      return key && value.length > 0 ? [[key, unescape(value.join("="), ofProperty)] as const] : []
    })
  return { name, properties: Object.fromEntries(properties), data: unescape(data, ofData) }
}

const splitAt = (text: string, mark: string): readonly [string, string] | undefined => {
  const at = text.indexOf(mark)
  return at < 0 ? undefined : [text.slice(0, at), text.slice(at + mark.length)]
}

/** `::error title=…::…` at the beginning of a line. */
const parseNew = (line: string) => {
  const trimmed = line.trimStart()
  const parts = trimmed.startsWith("::") ? splitAt(trimmed.slice(2), "::") : undefined
  return parts && parse(parts, ",", propertyEscapes, dataEscapes)
}

/** `##[error]…` anywhere in a line. */
const parseOld = (line: string) => {
  const found = splitAt(line, "##[")
  const parts = found && splitAt(found[1], "]")
  return parts && parse(parts, ";", oldEscapes, oldEscapes)
}

/** The commands that a step's stdout or stderr gives to the runner. */
export const commandsIn = (output: string): ReadonlyArray<WorkflowCommand> =>
  output.split(/\r\n|\r|\n/).flatMap((line) => parseNew(line) ?? parseOld(line) ?? [])

/** The outputs in a file of `GITHUB_OUTPUT`. Throws where the runner fails the step. */
export const outputsIn = (file: string): Readonly<Record<string, string>> => {
  const lines = file.split("\n")
  const outputs: Array<readonly [string, string]> = []
  while (lines.length > 0) {
    const line = lines.shift() ?? ""
    if (line === "") continue
    const [name, end] = splitAt(line, "<<") ?? []
    const equals = line.indexOf("=")
    if (equals >= 0 && (name === undefined || equals < name.length)) {
      outputs.push([line.slice(0, equals), line.slice(equals + 1)])
      continue
    }
    if (!name || !end) throw new Error(`invalid format: ${line}`)
    const last = lines.indexOf(end)
    if (last < 0) throw new Error(`no end of ${name}`)
    outputs.push([
      name,
      lines
        .splice(0, last + 1)
        .slice(0, -1)
        .join("\n")
    ])
  }
  return Object.fromEntries(outputs)
}

/** Texts that try to be commands: their pieces, and what would begin a new line. */
export const hostileTexts: FastCheck.Arbitrary<string> = FastCheck.array(
  FastCheck.oneof(
    FastCheck.constantFrom("::", "##[", "]", "#", ":", "add-mask", "stop-commands", "set-output name=digest", "error"),
    FastCheck.constantFrom("\n", "\r", "\u2028", "\u0085", " ", "\t", "%0A", "%", "=", ",", ";", "secret"),
    FastCheck.string({ unit: "binary", maxLength: 3 })
  ),
  { maxLength: 12 }
).map((pieces) => pieces.join(""))
