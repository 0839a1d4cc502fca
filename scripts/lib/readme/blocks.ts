/**
 * What is done with each fenced block of a page. Its language decides, and a comment above it may say otherwise:
 *
 * - `sh`: run by bash; it has to end well
 * - `console`: each line that begins with `$ ` is run, and what stands below it is what it prints
 * - `ts`: type-checked, and run
 * - `yaml`: a gantry.yaml, which `gantry config check` finds nothing wrong with
 * - `<!-- readme: file PATH -->`: written there for the blocks below; a program is type-checked and not run, a file that is
 *   no gantry.yaml is only written
 * - `<!-- readme: check because REASON -->`: type-checked and not run
 * - `<!-- readme: skip because REASON -->`: only read
 */
import { parse } from "yaml"
import { type Fence, fences } from "../pages/Markdown.ts"

/** One command of a `console` block, and the lines that it prints. */
export interface Exchange {
  readonly command: string
  readonly expected: string
}

export type Action =
  | { readonly _tag: "Skip"; readonly reason: string }
  | { readonly _tag: "Shell"; readonly code: string }
  | { readonly _tag: "Console"; readonly exchanges: ReadonlyArray<Exchange> }
  | { readonly _tag: "Program"; readonly path: string; readonly code: string; readonly isRun: boolean }
  | { readonly _tag: "GantryFile"; readonly path: string; readonly code: string }
  | { readonly _tag: "File"; readonly path: string; readonly code: string }
  /** The page itself is wrong. */
  | { readonly _tag: "Refuse"; readonly problem: string }

export interface Block {
  readonly line: number
  readonly action: Action
}

/** A page's blocks in their order. */
export const blocks = (markdown: string): ReadonlyArray<Block> =>
  fences(markdown).map((fence) => ({ line: fence.line, action: actionOf(fence) }))

const refuse = (problem: string): Action => ({ _tag: "Refuse", problem })

const actionOf = (fence: Fence): Action => {
  const { directive } = fence
  if (directive === undefined) return byLanguage(fence, `block-${fence.line}`, true)
  const [, verb, rest = ""] = /^(skip|check|file)\b ?(.*)$/.exec(directive) ?? []
  const [, reason] = /^because (.+)$/.exec(rest) ?? []
  if (verb === "file" && /^[\w./-]+\.\w+$/.test(rest)) return byLanguage(fence, rest, false)
  if (verb === "skip" && reason !== undefined) return { _tag: "Skip", reason }
  if (verb === "check" && reason !== undefined && fence.language === "ts") {
    return { _tag: "Program", path: `block-${fence.line}.ts`, code: fence.code, isRun: false }
  }
  return refuse(`"${directive}" is not file PATH, skip because REASON or, above a program, check because REASON`)
}

const byLanguage = ({ code, language }: Fence, name: string, isUnnamed: boolean): Action => {
  switch (language) {
    case "sh":
      if (isUnnamed) return { _tag: "Shell", code }
      break
    case "console":
      if (isUnnamed) return consoleOf(code)
      break
    case "ts":
      return { _tag: "Program", path: isUnnamed ? `${name}.ts` : name, code, isRun: isUnnamed }
    case "yaml":
      if (isGantryFile(code)) return { _tag: "GantryFile", path: isUnnamed ? `${name}.yaml` : name, code: whole(code) }
      break
  }
  return isUnnamed
    ? refuse(
        `what is done with ${language === "" ? "a block without a language" : `such a ${language} block`}? Name its file, or skip it and say why`
      )
    : { _tag: "File", path: name, code }
}

const consoleOf = (code: string): Action => {
  const [before = "", ...parts] = code.split(/^\$ /m)
  if (before !== "" || parts.length === 0)
    return refuse("a console block begins with a line that begins with $ and a space")
  const exchanges = parts.map((part) => {
    const [command = ""] = /^(?:.*\\\n)*.*\n/.exec(part) ?? []
    return { command, expected: part.slice(command.length) }
  })
  return { _tag: "Console", exchanges }
}

const sections: ReadonlyArray<string> = ["version", "registries", "connectors", "secrets", "pushes"]

const keysOf = (code: string): ReadonlyArray<string> => {
  const value: unknown = parse(code)
  return typeof value === "object" && value !== null && !Array.isArray(value) ? Object.keys(value) : []
}

const isGantryFile = (code: string): boolean => keysOf(code).some((key) => sections.includes(key))

/** A part of a file is shown without the line that every file begins with. */
const whole = (code: string): string => (keysOf(code).includes("version") ? code : `version: 1\n${code}`)
