/** Where a reader's blocks run: folders with the packed gantry, an environment with nothing of this machine's. */
import { mkdirSync, readdirSync, symlinkSync, writeFileSync } from "node:fs"
import { homedir } from "node:os"
import { dirname, join } from "node:path"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import * as ProcessGroup from "../ProcessGroup.ts"
import { read, root } from "../pages/repository.ts"
import { temporaryFolder } from "../temporaryFolder.ts"

/** The packed gantry could not be had. */
export class NotInstalled extends Data.TaggedError("NotInstalled")<{ readonly message: string }> {}

export interface Ended {
  readonly isGood: boolean
  /** What it printed to stdout and stderr, in the order in which it did. */
  readonly output: string
}

export type Running = Effect.Effect<Ended, ProcessGroup.NotStarted>

export interface Sandbox {
  /** A new empty folder. Where the page installs for itself nothing is there, elsewhere gantry and Effect are. */
  readonly folder: (page: string, installs: boolean) => string
  readonly bash: (folder: string, code: string) => Running
  /** Type-checks programs of a folder. */
  readonly check: (folder: string, programs: ReadonlyArray<string>) => Running
  readonly run: (folder: string, program: string) => Running
  readonly write: (folder: string, path: string, text: string) => void
}

/** What pages may import besides gantry, in the versions that gantry itself is tested with. */
const companions = [
  "effect",
  "@effect/platform",
  "@effect/platform-node",
  "@effect/vitest",
  "@types/node",
  "tsx",
  "typescript",
  "vitest"
]

const versions: Readonly<Record<string, string>> = JSON.parse(read("package.json")).devDependencies

/** How npm reaches its registry from here; everything else of the machine stays out. */
const ofMachine = /^(?:(?:https?|no)_proxy|npm_config_(?:registry|cafile)|NODE_EXTRA_CA_CERTS)$/i

const environment = (of: {
  readonly home: string
  readonly engine: string
  readonly programs: string
}): NodeJS.ProcessEnv => ({
  ...Object.fromEntries(Object.entries(process.env).filter(([name]) => ofMachine.test(name))),
  npm_config_userconfig: join(homedir(), ".npmrc"),
  npm_config_cache: join(homedir(), ".npm"),
  npm_config_audit: "false",
  npm_config_fund: "false",
  npm_config_prefer_offline: "true",
  // A page that packs gantry again does not build it again.
  npm_config_ignore_scripts: "true",
  npm_config_update_notifier: "false",
  PATH: `${of.programs}:${process.env["PATH"]}`,
  HOME: of.home,
  DOCKER_HOST: of.engine
})

const runBash = (folder: string, code: string, environment: NodeJS.ProcessEnv): Running =>
  ProcessGroup.run({
    program: "bash",
    arguments: ["-euo", "pipefail", "-c", `exec 2>&1\n${code}`],
    folder,
    environment
  }).pipe(
    Effect.map(({ code, stdout }) => ({ isGood: code === 0, output: stdout })),
    Effect.timeoutTo({
      duration: "5 minutes",
      onSuccess: (ended) => ended,
      onTimeout: () => ({ isGood: false, output: "It has not ended in 5 minutes.\n" })
    })
  )

const orFail = (what: string, running: Running): Effect.Effect<void, NotInstalled | ProcessGroup.NotStarted> =>
  Effect.flatMap(running, ({ isGood, output }) =>
    isGood ? Effect.void : new NotInstalled({ message: `${what} failed:\n${output}` })
  )

/**
 * Packs gantry and installs it as its readers do, in folders below one that goes with the scope; `engine` is for DOCKER_HOST.
 */
export const make = Effect.fnUntraced(function* (
  engine: string
): Effect.fn.Return<Sandbox, NotInstalled | ProcessGroup.NotStarted, Scope.Scope> {
  const base = yield* temporaryFolder("readme")
  const [home, installed, bare] = [join(base, "home"), join(base, "installed"), join(base, "bare")]
  for (const folder of [home, installed, bare]) mkdirSync(folder)
  const env = environment({ home, engine, programs: join(installed, "node_modules/.bin") })
  const bash = (folder: string, code: string): Running => runBash(folder, code, env)

  yield* orFail("npm pack", bash(root, `./scripts/build && npm pack --silent --pack-destination '${base}'`))
  const [tarball = ""] = readdirSync(base).filter((file) => file.endsWith(".tgz"))
  writeFileSync(join(installed, "package.json"), JSON.stringify({ private: true, type: "module" }))
  const packages = companions.map((name) => `${name}@${versions[name]}`)
  yield* orFail("npm install", bash(installed, `npm install --silent ../${tarball} ${packages.join(" ")}`))
  // Beside a page that installs for itself stands the clone that it takes gantry from.
  symlinkSync(root, join(bare, "gantry"))

  const write = (folder: string, path: string, text: string): void => {
    mkdirSync(dirname(join(folder, path)), { recursive: true })
    writeFileSync(join(folder, path), text)
  }

  const folder = (page: string, installs: boolean): string => {
    const made = join(installs ? bare : installed, page)
    mkdirSync(made)
    return made
  }

  const check = (folder: string, programs: ReadonlyArray<string>): Running => {
    const compilerOptions = {
      strict: true,
      exactOptionalPropertyTypes: true,
      module: "NodeNext",
      moduleDetection: "force",
      target: "ES2022",
      lib: ["ES2023"],
      skipLibCheck: true,
      noEmit: true
    }
    write(folder, "tsconfig.json", JSON.stringify({ compilerOptions, files: programs }))
    return bash(folder, `node '${join(installed, "node_modules/typescript/bin/tsc")}' -p .`)
  }

  const run = (folder: string, program: string): Running =>
    bash(folder, `node '${join(installed, "node_modules/tsx/dist/cli.mjs")}' ${program}`)

  return { folder, bash, check, write, run }
})
