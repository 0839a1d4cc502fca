/**
 * The built command, started as a shell would start it, and what it left.
 */
import { type ChildProcess, spawn } from "node:child_process"
import { mkdtemp, readFile, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import type * as Scope from "effect/Scope"
import type { Engine } from "../../../scripts/lib/stack/Engine.ts"
import * as Report from "../../../src/cli/Report.ts"

/** The built command. */
export const bin = fileURLToPath(new URL("../../../dist/bin/gantry.js", import.meta.url))

export interface Ended {
  /** Null when a signal ended it. */
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

export interface Running {
  readonly child: ChildProcess
  readonly ended: Effect.Effect<Ended>
}

/** A folder that goes with the scope. */
export const temporaryFolder = Effect.acquireRelease(
  Effect.promise(() => mkdtemp(join(tmpdir(), "gantry-cli-"))),
  (folder) => Effect.promise(() => rm(folder, { recursive: true, force: true }))
)

/** Starts the command with no environment but what it is given, and a home in which no docker configuration is. */
export const start = (
  parameters: ReadonlyArray<string>,
  options: {
    readonly engine?: Pick<Engine, "host">
    readonly stdin?: string
    readonly environment?: Readonly<Record<string, string>>
  } = {}
): Effect.Effect<Running, never, Scope.Scope> =>
  Effect.gen(function* () {
    const home = yield* temporaryFolder
    const child = yield* Effect.acquireRelease(
      Effect.sync(() =>
        spawn(process.execPath, [bin, ...parameters], {
          env: {
            PATH: process.env["PATH"],
            HOME: home,
            ...(options.engine === undefined ? {} : { DOCKER_HOST: options.engine.host }),
            ...options.environment
          }
        })
      ),
      (child) => Effect.sync(() => child.kill("SIGKILL"))
    )
    const output = { stdout: "", stderr: "" }
    child.stdout.on("data", (chunk) => {
      output.stdout += chunk
    })
    child.stderr.on("data", (chunk) => {
      output.stderr += chunk
    })
    child.stdin.end(options.stdin ?? "")
    const closed = new Promise<Ended>((resolve) => child.on("close", (code) => resolve({ code, ...output })))
    return { child, ended: Effect.promise(() => closed) }
  })

export const run = (...parameters: Parameters<typeof start>): Effect.Effect<Ended> =>
  Effect.scoped(Effect.flatMap(start(...parameters), ({ ended }) => ended))

const decodeReport = Schema.decodeUnknown(Schema.parseJson(Report.Report))

/** What `--report FILE.json` wrote. */
export const readReport = (file: string): Effect.Effect<Report.Report> =>
  Effect.promise(() => readFile(file, "utf8")).pipe(Effect.flatMap(decodeReport), Effect.orDie)
