/** What it costs to ask the installed command for help, and to install it. */
import { execFile } from "node:child_process"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { promisify } from "node:util"
import * as Effect from "effect/Effect"
import { runMain } from "../runMain.ts"
import * as Bench from "./Bench.ts"
import * as Program from "./program.ts"

const root = fileURLToPath(new URL("../../..", import.meta.url))

const node = (...parameters: ReadonlyArray<string>) =>
  Program.timed({ command: process.execPath, arguments: parameters })

/** Bytes that npm sends, and bytes on the disk. */
const packageSize = Effect.tryPromise({
  try: async () => {
    const { stdout } = await promisify(execFile)("npm", ["pack", "--dry-run", "--json", "--ignore-scripts"], {
      cwd: root
    })
    const [packed]: ReadonlyArray<{ readonly size: number; readonly unpackedSize: number }> = JSON.parse(stdout)
    return packed ?? { size: Number.NaN, unpackedSize: Number.NaN }
  },
  catch: (error) => new Bench.BenchError({ message: String(error) })
})

const main = Effect.gen(function* () {
  const series = yield* Bench.takeTurns([
    { name: "gantry --help", unit: "ms", measure: node(join(root, "dist/bin/gantry.js"), "--help") },
    { name: "node -e 0", unit: "ms", measure: node("-e", "0") }
  ])
  const { size, unpackedSize } = yield* packageSize
  yield* Bench.conclude(
    "cli",
    [
      ...series,
      { name: "package, packed", unit: "bytes", samples: [size] },
      { name: "package, unpacked", unit: "bytes", samples: [unpackedSize] }
    ],
    [
      // With the code that its first run kept; unbundled, a program takes eight times as long (reference/effect.md, section 1.2).
      {
        name: "gantry --help / node -e 0",
        value: Bench.medianOf(series, "gantry --help") / Bench.medianOf(series, "node -e 0"),
        limit: 4
      },
      // Library, program, sources and pages together; npm sends 4.2 MB for effect.
      { name: "package, packed", value: size, limit: 1_250_000 }
    ]
  )
})

runMain(main)
