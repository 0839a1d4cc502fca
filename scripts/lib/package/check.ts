/**
 * Whether the file that npm would publish serves those who install it: its form, its types under both ways to resolve modules,
 * what its imports load, and its program. Packing builds first.
 */
import { type ExecFileException, execFile } from "node:child_process"
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs"
import { homedir, tmpdir } from "node:os"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { publint } from "publint"
import { formatMessage } from "publint/utils"
import { brokenLinks } from "../pages/links.ts"

const root = fileURLToPath(new URL("../../..", import.meta.url))
const folder = mkdtempSync(join(tmpdir(), "gantry-package-"))
const manifest: {
  readonly exports: Readonly<Record<string, string>>
  readonly devDependencies: Readonly<Record<string, string>>
} = JSON.parse(readFileSync(join(root, "package.json"), "utf8"))

const subpaths = Object.keys(manifest.exports).map((subpath) => `gantry${subpath.slice(1)}`)

/** Nothing of npm's is left behind but what it downloaded. */
const cache = join(folder, "npm")
mkdirSync(cache)
const downloads = join(process.env["npm_config_cache"] ?? join(homedir(), ".npm"), "_cacache")
mkdirSync(downloads, { recursive: true })
symlinkSync(downloads, join(cache, "_cacache"))

class Complaint extends Error {}

/** Standard output; fails with all output when the command does. */
const run = (command: string, parameters: ReadonlyArray<string>, cwd: string): Promise<string> =>
  new Promise((resolve, reject) => {
    const env = { PATH: process.env["PATH"], HOME: process.env["HOME"], npm_config_cache: cache }
    const done = (error: ExecFileException | null, stdout: string, stderr: string) =>
      error === null
        ? resolve(stdout)
        : reject(new Complaint(`${command} ${parameters.join(" ")}\n${stdout}${stderr}`.trim()))
    execFile(command, parameters, { cwd, env, maxBuffer: 64 * 1024 * 1024 }, done)
  })

interface Packed {
  readonly filename: string
  readonly files: ReadonlyArray<{ readonly path: string }>
}

const pack = async (): Promise<{ readonly tarball: string; readonly files: ReadonlySet<string> }> => {
  const output = await run("npm", ["pack", "--json", "--pack-destination", folder], root)
  // What the build prints comes first.
  const [packed]: ReadonlyArray<Packed> = JSON.parse(output.slice(output.indexOf("[\n")))
  if (packed === undefined) throw new Complaint("npm pack made no file")
  return { tarball: join(folder, packed.filename), files: new Set(packed.files.map(({ path }) => path)) }
}

const lint = async (tarball: string): Promise<void> => {
  const file = readFileSync(tarball)
  const { messages, pkg } = await publint({
    pack: { tarball: file.buffer.slice(file.byteOffset, file.byteOffset + file.byteLength) },
    strict: true
  })
  if (messages.length > 0) {
    throw new Complaint(messages.map((message) => `publint: ${formatMessage(message, pkg)}`).join("\n"))
  }
}

/** A map that points outside of the package shows a debugger nothing; a source that no map needs is dead weight. */
const lintFiles = (files: ReadonlySet<string>): void => {
  const problems: Array<string> = []
  const mapped = new Set<string>()
  for (const map of [...files].filter((file) => file.endsWith(".map"))) {
    const { sources }: { readonly sources: ReadonlyArray<string> } = JSON.parse(readFileSync(join(root, map), "utf8"))
    for (const source of sources) {
      const { pathname } = new URL(source, `file:///${map}`)
      mapped.add(pathname.slice(1))
      if (!files.has(pathname.slice(1))) problems.push(`${map} points to ${pathname.slice(1)}, which is not packed`)
    }
  }
  for (const file of files) {
    if (file.startsWith("src/") && !mapped.has(file)) problems.push(`${file} is packed, and no map points to it`)
    if (/^(test|scripts\/(?!pages\/|examples\/github-actions\/)|\.changeset)/.test(file))
      problems.push(`${file} is not for those who install gantry`)
  }
  const pages = [...files].filter((file) => file.endsWith(".md"))
  const texts = new Map(pages.map((page) => [page, readFileSync(join(root, page), "utf8")]))
  const isPacked = (path: string) => files.has(path) || [...files].some((file) => file.startsWith(`${path}/`))
  problems.push(...brokenLinks(texts, isPacked).map((problem) => `as packed: ${problem}`))
  if (problems.length > 0) throw new Complaint(problems.join("\n"))
}

/** A project that depends on the file, on gantry's peers and on nothing else of gantry's. */
const install = async (tarball: string): Promise<string> => {
  const consumer = join(folder, "consumer")
  mkdirSync(consumer)
  writeFileSync(join(consumer, "package.json"), JSON.stringify({ private: true, type: "module" }))
  const dependencies = ["typescript", "@types/node"].map((name) => `${name}@${manifest.devDependencies[name]}`)
  const quiet = ["--prefer-offline", "--no-audit", "--no-fund", "--loglevel=error"]
  await run("npm", ["install", ...quiet, tarball, ...dependencies], consumer)
  return consumer
}

const resolutions = { NodeNext: { module: "NodeNext" }, Bundler: { module: "ESNext", moduleResolution: "Bundler" } }

const typeCheck = async (consumer: string): Promise<void> => {
  const imports = subpaths.map((subpath, index) => `import * as module${index} from "${subpath}"`)
  const names = subpaths.map((_, index) => `module${index}`)
  writeFileSync(join(consumer, "all.ts"), `${imports.join("\n")}\nexport const all = [${names.join(", ")}]\n`)
  const compile = async ([name, resolution]: readonly [string, object]): Promise<void> => {
    const compilerOptions = {
      ...resolution,
      target: "ES2022",
      strict: true,
      exactOptionalPropertyTypes: true,
      skipLibCheck: false,
      noEmit: true
    }
    const project = `tsconfig.${name}.json`
    writeFileSync(join(consumer, project), JSON.stringify({ compilerOptions, files: ["all.ts"] }))
    await run(process.execPath, ["node_modules/typescript/bin/tsc", "-p", project], consumer)
  }
  await Promise.all(Object.entries(resolutions).map(compile))
}

const importAll = async (consumer: string): Promise<void> => {
  const program = `for (const subpath of ${JSON.stringify(subpaths)}) {
    const module = await import(subpath)
    if (Object.keys(module).length === 0) throw new Error(subpath + " exports nothing")
  }`
  await run(process.execPath, ["--input-type=module", "-e", program], consumer)
}

/** What only some programs need: an engine's client, a platform, the SDKs of the clouds. */
const lazy =
  /\/node_modules\/(dockerode|docker-modem|ssh2|@grpc|@effect\/platform-node|@aws-sdk|@azure|google-auth-library)\//

/** Every module that an import loads, by the hooks that node has for that. */
const loadedBy = async (consumer: string, statement: string): Promise<ReadonlyArray<string>> => {
  writeFileSync(join(consumer, "loads.mjs"), `${statement}\n`)
  const recorder = fileURLToPath(new URL("./recordLoads.mjs", import.meta.url))
  return (await run(process.execPath, ["--import", recorder, "loads.mjs"], consumer)).split("\n")
}

const lintLoads = async (consumer: string): Promise<void> => {
  // The recorder has to see what is there to be seen, by `import` and by `require`.
  const seen = await loadedBy(consumer, 'import "dockerode"')
  for (const name of ["dockerode", "docker-modem"]) {
    if (!seen.some((url) => url.includes(`/node_modules/${name}/`))) throw new Complaint(`the recorder misses ${name}`)
  }
  const statements = [
    'import { ImageReference } from "gantry"\nImageReference.unsafeParse("alpine")',
    'import * as Testing from "gantry/testing"\nif (Testing.TestEngine === undefined) throw new Error("no TestEngine")'
  ]
  for (const statement of statements) {
    const loaded = await loadedBy(consumer, statement)
    const unwanted = loaded.filter((url) => lazy.test(url))
    if (unwanted.length > 0) throw new Complaint(`${statement}\nloads\n${unwanted.join("\n")}`)
  }
}

/** As somebody who has never installed it. */
const runProgram = async (tarball: string): Promise<void> => {
  const empty = join(folder, "empty")
  mkdirSync(empty)
  const help = await run("npx", ["--yes", "--prefer-offline", "--package", tarball, "gantry", "--help"], empty)
  if (!help.includes("Usage: gantry COMMAND")) throw new Complaint(`npx gantry --help printed\n${help}`)
}

const main = async (): Promise<void> => {
  const { files, tarball } = await pack()
  lintFiles(files)
  await lint(tarball)
  const [consumer] = await Promise.all([install(tarball), runProgram(tarball)])
  await Promise.all([typeCheck(consumer), importAll(consumer)])
  await lintLoads(consumer)
  console.error(`the package of ${files.size} files serves ${subpaths.length} imports`)
}

try {
  await main()
} catch (error) {
  if (!(error instanceof Complaint)) throw error
  console.error(error.message)
  process.exitCode = 1
} finally {
  rmSync(folder, { recursive: true, force: true })
}
