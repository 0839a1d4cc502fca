/**
 * Type-checks every example in a docstring of src/ and every `ts` block of README and guides as its reader would paste it: a
 * module of its own that imports gantry by its public names. The projects of scripts/examples are checked by
 * scripts/examples/run.
 */
import { spawnSync } from "node:child_process"
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { fences } from "./pages/Markdown.ts"
import { pages, root } from "./pages/repository.ts"

const folder = join(root, "node_modules/.cache/gantry-examples")

/** `@example` runs to the next tag or to the end of its comment; a code fence around it is optional. */
const examplesIn = (source: string): ReadonlyArray<string> =>
  [...source.matchAll(/^ *\* @example\b.*\n((?:^ *\*(?! @|\/).*\n)*)/gm)].map(([, block = ""]) =>
    block
      .replace(/^ *\* ?/gm, "")
      .replace(/^```.*$/gm, "")
      .trim()
  )

/** Those that import a block above them are checked by scripts/readme, which has that one's file. */
const programsIn = (markdown: string): ReadonlyArray<string> =>
  fences(markdown).flatMap(({ code, language }) => (language === "ts" && !/ from "\.{1,2}\//.test(code) ? [code] : []))

const sources = readdirSync(join(root, "src"), { recursive: true, encoding: "utf8" })
  .filter((file) => file.endsWith(".ts"))
  .map((file) => ({ file: `src/${file}`, examples: examplesIn(readFileSync(join(root, "src", file), "utf8")) }))

const guides = [...pages()].map(([file, markdown]) => ({ file, examples: programsIn(markdown) }))

const all = [...sources, ...guides]

rmSync(folder, { recursive: true, force: true })
mkdirSync(folder, { recursive: true })
let count = 0
for (const { examples, file } of all) {
  for (const [index, example] of examples.entries()) {
    const name = `${file
      .replace(/^src\//, "")
      .replace(/\.\w+$/, "")
      .replaceAll("/", "-")}-${index + 1}.ts`
    writeFileSync(join(folder, name), `// from ${file}\n${example}\nexport {}\n`)
    count++
  }
}

const { exports } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"))
const paths = Object.fromEntries(
  Object.entries<string>(exports).map(([subpath, file]) => [
    subpath === "." ? "gantry" : `gantry${subpath.slice(1)}`,
    [join(root, file.replace(/^\.\/dist/, "src").replace(/\.js$/, ".ts"))]
  ])
)
writeFileSync(
  join(folder, "tsconfig.json"),
  JSON.stringify({
    extends: join(root, "tsconfig.json"),
    compilerOptions: { noUnusedLocals: false, noUnusedParameters: false, plugins: [], paths },
    include: ["*.ts"]
  })
)
const { status } = spawnSync(process.execPath, [join(root, "node_modules/typescript/bin/tsc"), "-p", folder], {
  stdio: "inherit",
  cwd: folder
})
console.error(status === 0 ? `${count} examples compile` : `of ${count} examples some do not compile`)
process.exitCode = status ?? 1
