/** What is said of every error: its docstring, and the advice that its samples give. */
import { readdirSync } from "node:fs"
import { join } from "node:path"
import * as Arr from "effect/Array"
import * as Predicate from "effect/Predicate"
import * as ts from "typescript"
import { exitCode } from "../../../src/cli/exitCode.ts"
import * as PushError from "../../../src/push/PushError.ts"
import { type GantryError, samples } from "../../../test/cli/support/errorSamples.ts"
import { code, plain } from "./Markdown.ts"
import { read, root } from "./repository.ts"

const begin = "<!-- Written by `npm run pages` from the errors' own words: change those. -->"
const end = "<!-- The end of what is written. -->"

interface Documented {
  readonly tag: string
  /** Its module, as `RegistryError`. */
  readonly module: string
  readonly meaning: string
}

const documentationOf = (declaration: ts.ClassDeclaration): string => {
  const [comment] = ts.getJSDocCommentsAndTags(declaration).filter(ts.isJSDoc)
  return ts.getTextOfJSDocComment(comment?.comment) ?? ""
}

const errorsIn = (file: string): ReadonlyArray<Documented> => {
  const tree = ts.createSourceFile(file, read(file), ts.ScriptTarget.ES2022, true)
  const module = file.replace(/^.*\/(\w+)\.ts$/, "$1")
  return tree.statements.flatMap((statement) => {
    if (!ts.isClassDeclaration(statement)) return []
    const [, tag] = /\bSchema\.TaggedError<(\w+)>/.exec(statement.heritageClauses?.[0]?.getText() ?? "") ?? []
    return tag === undefined ? [] : [{ tag, module, meaning: documentationOf(statement) }]
  })
}

const sources = (): ReadonlyArray<string> =>
  readdirSync(join(root, "src"), { recursive: true, encoding: "utf8" })
    .filter((file) => file.endsWith(".ts") && !file.startsWith("cli"))
    .map((file) => `src/${file}`)
    .sort()

/** Modules whose errors the command line tells before it sends anything. */
const misuse: ReadonlySet<string> = new Set([
  "Batch",
  "GantryFileError",
  "ImageReference",
  "Interpolation",
  "PushTarget",
  "RegistryUri",
  "ServiceConnectorRequirements"
])

/** A plan has no registry for an image before there is a push; a push that was stopped is no failure of its own. */
const exceptions: Readonly<Record<string, string>> = {
  NoMatchingRegistry: "exit code 2",
  PushInterrupted: "exit code 1, after a signal 130 or 143"
}

const exitOf = (module: string, error: GantryError): string => {
  const exception = exceptions[error._tag]
  if (exception !== undefined) return exception
  if (misuse.has(module)) return `exit code ${exitCode({ _tag: "Misused" }, [])}`
  if (!PushError.isPushError(error)) return "no exit code: programs alone meet it"
  const failed = { status: "failed", error: PushError.report(error) } as const
  return `exit code ${exitCode({ _tag: "Finished" }, [failed])}`
}

const reasonOf = (error: GantryError): string =>
  Predicate.hasProperty(error, "reason") && Predicate.isString(error.reason) ? error.reason : ""

const adviceOf = (error: GantryError, isOneOfSeveral: boolean): string => {
  const reason = reasonOf(error)
  const mayPass = isOneOfSeveral && error.isRetryable ? " (may pass by itself)" : ""
  return `- ${reason === "" ? "" : `${code(reason)}${mayPass}: `}${plain(error.advice)}`
}

const passing = (errors: ReadonlyArray<GantryError>): string => {
  if (errors.every(({ isRetryable }) => isRetryable)) return "retried"
  return errors.some(({ isRetryable }) => isRetryable) ? "retried where it may pass by itself" : "not retried"
}

const section = ({ meaning, module, tag }: Documented): string => {
  const errors: ReadonlyArray<GantryError> = Object.entries(samples).find(([name]) => name === tag)?.[1] ?? []
  const distinct = Arr.dedupeWith(errors, (one, other) => one.advice === other.advice)
  const exits = Arr.dedupe(errors.map((error) => exitOf(module, error)))
  return [
    `### ${tag}`,
    plain(meaning.split("\n\n")[0] ?? ""),
    `${code(`${module}.${tag}`)} · ${passing(errors)} · ${exits.join(" or ").replace(" or exit code", " or")}`,
    distinct.map((error) => adviceOf(error, distinct.length > 1)).join("\n")
  ].join("\n\n")
}

const titles: Readonly<Record<string, string>> = {
  EngineError: "The engine",
  RegistryError: "The registry",
  CredentialError: "Credentials",
  ConnectorError: "Connectors",
  PushError: "The push itself",
  Batch: "The batch",
  PushSupervisor: "The supervisor",
  GantryFileError: "The file",
  Interpolation: "The file's variables",
  PushTarget: "The file's names",
  ServiceConnectorRequirements: "What connector a registry may have",
  ImageReference: "Names of images",
  RegistryUri: "Names of registries",
  Digest: "Digests",
  Challenge: "What registries ask for",
  Transcript: "Recorded runs"
}

const generated = (): string => {
  const all = sources().flatMap(errorsIn)
  const modules = Object.keys(titles)
  const untitled = all.filter(({ module }) => !modules.includes(module))
  if (untitled.length > 0)
    throw new Error(`errorsPage.ts has no title for ${untitled.map(({ tag }) => tag).join(", ")}`)
  return modules
    .flatMap((module) => [`## ${titles[module]}`, ...all.filter((error) => error.module === module).map(section)])
    .join("\n\n")
}

/** The page as it should be: its own words, and what is generated between its two comments. */
export const errorsPage = (page: string): string => {
  const [before] = page.split(begin)
  const [, after = ""] = page.split(end)
  return `${before}${begin}\n\n${generated()}\n\n${end}${after}`
}
