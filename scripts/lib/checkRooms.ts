/**
 * The rules of ARCHITECTURE that a type checker does not see: which room imports which, where ambient time, randomness
 * and environment may be read, and that every public module is exported.
 */
import { readdirSync, readFileSync } from "node:fs"
import { dirname, join, relative, resolve } from "node:path"
import { fileURLToPath } from "node:url"
import * as ts from "typescript"

const rooms = [
  "reference",
  "flavor",
  "image",
  "credential",
  "transcript",
  "engine",
  "connector",
  "distribution",
  "push",
  "transport",
  "registry",
  "runtime",
  "config",
  "testing",
  "cli"
]

/** Files that wrap what is ambient, each with what it may name. */
const wrappers: Readonly<Record<string, ReadonlyArray<string>>> = JSON.parse(
  readFileSync(new URL("./ambient.json", import.meta.url), "utf8")
)

const ambient = ["Date.now", "new Date", "setTimeout", "setInterval", "setImmediate", "Math.random", "process.env"]

const root = fileURLToPath(new URL("../..", import.meta.url))
const source = join(root, "src")
const problems: Array<string> = []

const files = readdirSync(source, { recursive: true, encoding: "utf8" }).filter((file) => file.endsWith(".ts"))

const roomOf = (file: string): string => file.split("/")[0] ?? ""

const checkImport = (file: string, specifier: string): void => {
  if (!specifier.startsWith(".")) return
  const target = relative(source, resolve(source, dirname(file), specifier))
  const [from, to] = [roomOf(file), roomOf(target)]
  if (from === to || file === "index.ts") return
  if (rooms.indexOf(to) > rooms.indexOf(from)) {
    problems.push(`src/${file}: ${from} may not import ${to}/, which is below it`)
  }
  if (target.includes("/internal/") && to !== "reference") {
    problems.push(`src/${file}: imports ${target}, which is private to ${to}/`)
  }
}

const checkFile = (file: string): void => {
  const tree = ts.createSourceFile(file, readFileSync(join(source, file), "utf8"), ts.ScriptTarget.ES2022, true)
  const allowed = wrappers[`src/${file}`] ?? []
  const visit = (node: ts.Node): void => {
    if ((ts.isImportDeclaration(node) || ts.isExportDeclaration(node)) && node.moduleSpecifier !== undefined) {
      if (ts.isStringLiteral(node.moduleSpecifier)) checkImport(file, node.moduleSpecifier.text)
    }
    const name = ts.isPropertyAccessExpression(node)
      ? node.getText()
      : ts.isNewExpression(node)
        ? `new ${node.expression.getText()}`
        : ts.isCallExpression(node)
          ? node.expression.getText()
          : ""
    if (ambient.includes(name) && !allowed.includes(name)) {
      const { line } = tree.getLineAndCharacterOfPosition(node.getStart())
      problems.push(`src/${file}:${line + 1}: ${name} belongs in the layer that wraps it`)
    }
    ts.forEachChild(node, visit)
  }
  visit(tree)
}

const publicModules = files.filter((file) => {
  const [room, name, ...rest] = file.split("/")
  return rest.length === 0 && name !== undefined && /^[A-Z]/.test(name) && room !== "cli" && room !== "testing"
})

const checkExports = (): void => {
  const index = readFileSync(join(source, "index.ts"), "utf8")
  const { exports } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"))
  for (const file of publicModules) {
    const name = file.split("/")[1]?.replace(/\.ts$/, "") ?? ""
    if (!index.includes(`export * as ${name} from "./${file}"`)) {
      problems.push(`src/index.ts: export * as ${name} from "./${file}" is missing`)
    }
    if (exports[`./${name}`] === undefined) {
      problems.push(`package.json: exports lacks "./${name}" for src/${file}`)
    }
  }
}

files.forEach(checkFile)
checkExports()
for (const problem of problems) console.error(problem)
console.error(problems.length === 0 ? `${files.length} files keep the rules` : `${problems.length} problems`)
process.exitCode = problems.length === 0 ? 0 : 1
