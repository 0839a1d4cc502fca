import { execFileSync } from "node:child_process"
import { createReadStream, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { delimiter, join } from "node:path"
import { afterAll, beforeAll } from "@effect/vitest"
import * as Effect from "effect/Effect"

/**
 * A folder on the PATH with credential helpers written in sh. Each run of a helper adds a line to `runs`.
 */
export const helperPrograms = (scripts: Readonly<Record<string, string>>) => {
  const folder = mkdtempSync(join(tmpdir(), "gantry-helpers-"))
  const path = process.env["PATH"]
  beforeAll(() => {
    process.env["PATH"] = `${folder}${delimiter}${path}`
    for (const [name, script] of Object.entries(scripts)) {
      const text = `#!/bin/sh\necho "${name} $1" >> '${folder}/runs'\ncd '${folder}'\n${script}\n`
      writeFileSync(join(folder, `docker-credential-${name}`), text, { mode: 0o755 })
    }
  })
  afterAll(() => {
    process.env["PATH"] = path
    rmSync(folder, { recursive: true, force: true })
  })

  const file = (name: string) => join(folder, name)

  return {
    folder,

    read: (name: string) => Effect.sync(() => readFileSync(file(name), "utf8")),

    /** How often the helper was run. */
    runs: (helper: string) =>
      Effect.sync(
        () =>
          readFileSync(file("runs"), "utf8")
            .split("\n")
            .filter((line) => line.startsWith(`${helper} `)).length
      ),

    /**
     * A named pipe that a helper opens for writing. `opened` ends with the helper's first words on it, `closed` when
     * every process that holds it is gone.
     */
    pipe: (name: string) => {
      execFileSync("mkfifo", [file(name)])
      const stream = createReadStream(file(name))
      const event = (type: "data" | "close") => new Promise<void>((resolve) => stream.once(type, () => resolve()))
      const [opened, closed] = [event("data"), event("close")]
      return { opened: Effect.promise(() => opened), closed: Effect.promise(() => closed) }
    }
  }
}
