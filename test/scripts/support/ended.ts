/** A script's program as a process of its own, which is sent SIGTERM when it says that it is ready. */
import { spawn } from "node:child_process"
import { text } from "node:stream/consumers"
import { fileURLToPath } from "node:url"
import * as Effect from "effect/Effect"

const root = fileURLToPath(new URL("../../..", import.meta.url))

export interface Ended {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

/** Runs a module's text, in the repository's root. */
export const ended = (code: string): Effect.Effect<Ended> =>
  Effect.promise(async () => {
    const child = spawn(process.execPath, ["--import", "tsx", "--input-type=module", "-e", code], {
      cwd: root,
      stdio: ["ignore", "pipe", "pipe"]
    })
    child.stdout.on("data", (chunk) => {
      if (String(chunk).includes("ready")) child.kill("SIGTERM")
    })
    const closed = new Promise<number | null>((resolve) => child.once("close", resolve))
    const [stdout, stderr, exitCode] = await Promise.all([text(child.stdout), text(child.stderr), closed])
    return { code: exitCode, stdout, stderr }
  })
