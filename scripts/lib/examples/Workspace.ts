/** A copy of the example projects in a folder of its own, with the packed gantry installed. */
import { cp, mkdir, readFile, rename } from "node:fs/promises"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import type * as ProcessGroup from "../ProcessGroup.ts"
import { attempt } from "../stack/internal/daemon.ts"
import { temporaryFolder } from "../temporaryFolder.ts"
import * as Command from "./Command.ts"

const root = fileURLToPath(new URL("../../..", import.meta.url))
const examples = join(root, "scripts/examples")

export const projects = ["application", "batch", "testing"] as const

export type Project = (typeof projects)[number]

export interface Workspace {
  /** A program that was installed, to be run in a project with nothing of this machine's but what is given here. */
  readonly command: (
    project: Project,
    program: string,
    parameters: ReadonlyArray<string>,
    environment?: Readonly<Record<string, string>>
  ) => ProcessGroup.Command
}

const Versions = Schema.optionalWith(Schema.Record({ key: Schema.String, value: Schema.String }), {
  default: () => ({})
})
const Manifest = Schema.parseJson(Schema.Struct({ dependencies: Versions, devDependencies: Versions }))

const manifestOf = (folder: string) =>
  Effect.flatMap(
    attempt(() => readFile(join(folder, "package.json"), "utf8")),
    (text) => Effect.orDie(Schema.decode(Manifest)(text))
  )

/** Examples take the very versions that gantry itself is tested with. */
const checkVersions = Effect.gen(function* () {
  const { devDependencies: tested } = yield* manifestOf(root)
  for (const project of projects) {
    const { dependencies, devDependencies } = yield* manifestOf(join(examples, project))
    const { gantry: _, ...others } = { ...dependencies, ...devDependencies }
    const stale = Object.keys(others).filter((name) => others[name] !== tested[name])
    yield* Command.expect(`${project} has the versions of gantry's package.json`, stale.length === 0, stale.join(", "))
  }
})

const npm = (folder: string, ...parameters: ReadonlyArray<string>) =>
  Command.output({ program: "npm", arguments: parameters, folder, environment: process.env })

const pack = (file: string, folder: string) =>
  Effect.gen(function* () {
    const said = yield* npm(root, "pack", "--ignore-scripts", "--silent", "--pack-destination", folder)
    yield* attempt(() => rename(join(folder, said.trim()), file))
  })

/** Copies, packs and installs; the folder goes with the scope. */
export const make = Effect.gen(function* () {
  yield* checkVersions
  const base = yield* temporaryFolder("examples")
  const [folder, home] = [join(base, "examples"), join(base, "home")]
  yield* attempt(() => mkdir(home))
  const isSource = (path: string) => !/\/(node_modules|dist)$/.test(path)
  for (const name of ["package.json", ...projects]) {
    yield* attempt(() => cp(join(examples, name), join(folder, name), { recursive: true, filter: isSource }))
  }
  yield* pack(join(folder, "gantry.tgz"), base)
  yield* npm(folder, "install", "--prefer-offline", "--no-audit", "--no-fund")

  const programs = join(folder, "node_modules/.bin")
  const workspace: Workspace = {
    command: (project, program, parameters, environment) => ({
      program,
      arguments: parameters,
      folder: join(folder, project),
      environment: { PATH: `${programs}:${process.env["PATH"]}`, HOME: home, ...environment }
    })
  }
  return workspace
})
