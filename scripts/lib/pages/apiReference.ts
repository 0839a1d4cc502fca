/**
 * The API reference, from the docstrings of src/ by @effect/docgen, into a folder: a page a module, and an index.
 *
 * docgen does not cope with the repository as it is, so it gets a copy: it insists on a homepage in package.json, and makes
 * of a subpath such as `gantry/Digest` in an example a file of src/, where rooms are private and no such file is.
 */
import { cpSync, mkdirSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs"
import { basename, join } from "node:path"
import { argv } from "node:process"
import * as Console from "effect/Console"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as ProcessGroup from "../ProcessGroup.ts"
import { runMain } from "../runMain.ts"
import { temporaryFolder } from "../temporaryFolder.ts"
import { brokenLinks } from "./links.ts"
import { read, root } from "./repository.ts"

const [, , target = "dist/docs"] = argv

class ReferenceWrong extends Data.TaggedError("ReferenceWrong")<{ readonly message: string }> {}

const { exports, version } = JSON.parse(read("package.json"))
const { compilerOptions } = JSON.parse(read("tsconfig.json"))

/** The source of each public module, below src/. */
const modules = Object.entries<string>(exports)
  .filter(([subpath]) => subpath !== "." && subpath !== "./testing")
  .map(([subpath, file]) => ({
    name: basename(subpath),
    file: file.replace(/^\.\/dist\//, "").replace(/\.js$/, ".ts")
  }))

const prepare = (copy: string): void => {
  const writeJson = (name: string, value: unknown) => writeFileSync(join(copy, name), JSON.stringify(value))
  cpSync(join(root, "src"), join(copy, "src"), { recursive: true })
  symlinkSync(join(root, "node_modules"), join(copy, "node_modules"))
  for (const { file, name } of modules) {
    writeFileSync(join(copy, "src", `${name}.ts`), `export * from "./${file}"\n`)
  }
  writeJson("package.json", { name: "gantry", version, homepage: "https://gantry.invalid" })
  const { paths: _, plugins: __, ...options } = compilerOptions
  writeJson("tsconfig.json", { compilerOptions: options })
  writeJson("docgen.json", {
    exclude: ["src/*.ts", "src/*/internal/**", "src/*/builtin/**", "src/cli/**", "src/testing/index.ts"],
    // Of `gantry` in an example docgen makes `../../src`, which only a bundler's resolution finds.
    examplesCompilerOptions: {
      ...options,
      module: "ESNext",
      moduleResolution: "Bundler",
      incremental: false,
      tsBuildInfoFile: null,
      noUnusedLocals: false,
      noUnusedParameters: false
    }
  })
}

const generate = Effect.fnUntraced(function* (copy: string) {
  const docgen = join(root, "node_modules/@effect/docgen/bin.cjs")
  const { code, stderr, stdout } = yield* ProcessGroup.run({
    program: process.execPath,
    // No example is run: many push.
    arguments: [docgen, "--no-run-examples"],
    folder: copy,
    // It looks for tsc on the PATH.
    environment: { ...process.env, PATH: `${join(root, "node_modules/.bin")}:${process.env["PATH"]}` }
  })
  if (code !== 0) return yield* new ReferenceWrong({ message: `${stdout}${stderr}docgen: exit code ${code}` })
})

interface Page {
  readonly name: string
  readonly origin: string
  readonly about: string
  readonly text: string
}

/** docgen's page without its front matter, under a title that says where the module is had from. */
const pageOf = (copy: string, room: string, file: string): Page => {
  const name = file.replace(/\.ts\.md$/, "")
  const origin = room === "testing" ? "gantry/testing" : "gantry"
  const [, body = ""] = readFileSync(join(copy, "docs/modules", room, file), "utf8").split(`## ${name} overview\n`)
  const [about = ""] = body.trim().split("\n\n")
  return { name, origin, about, text: `# ${name}\n\n\`import { ${name} } from "${origin}"\`\n${body}` }
}

const pages = (copy: string): ReadonlyArray<Page> =>
  readdirSync(join(copy, "docs/modules"), { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .flatMap(({ name: room }) =>
      readdirSync(join(copy, "docs/modules", room))
        .filter((file) => file.endsWith(".ts.md"))
        .map((file) => pageOf(copy, room, file))
    )
    .sort((one, other) => one.name.localeCompare(other.name))

const indexOf = (all: ReadonlyArray<Page>): string => {
  const line = ({ about, name }: Page) => `- [${name}](${name}.md): ${about.replaceAll("\n", " ")}\n`
  const of = (origin: string) =>
    all
      .filter((page) => page.origin === origin)
      .map(line)
      .join("")
  return `# The API of gantry ${version}\n\n${of("gantry")}\n## gantry/testing\n\n${of("gantry/testing")}`
}

const write = (all: ReadonlyArray<Page>): ReadonlyArray<string> => {
  const folder = join(root, target)
  const texts = new Map([["README.md", indexOf(all)], ...all.map(({ name, text }) => [`${name}.md`, text] as const)])
  rmSync(folder, { recursive: true, force: true })
  mkdirSync(folder, { recursive: true })
  for (const [name, text] of texts) writeFileSync(join(folder, name), text)
  const missing = modules.filter(({ name }) => !texts.has(`${name}.md`)).map(({ name }) => `${name} has no page`)
  return [...missing, ...brokenLinks(texts, (path) => texts.has(path))]
}

const program = Effect.gen(function* () {
  const copy = yield* temporaryFolder("docs")
  prepare(copy)
  yield* generate(copy)
  const all = pages(copy)
  const problems = write(all)
  yield* Effect.forEach(problems, (problem) => Console.error(problem))
  if (problems.length > 0) return yield* new ReferenceWrong({ message: `${problems.length} problems` })
  yield* Console.error(`${all.length} modules are in ${target}/README.md`)
})

runMain(Effect.scoped(program))
