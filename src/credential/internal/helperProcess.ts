import * as ChildProcess from "node:child_process"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"

const stdoutLimit = 1024 * 1024

/**
 * Why a helper could not be run to its end; `code` is the system's (`EACCES`).
 */
export class HelperNotRun extends Data.TaggedError("HelperNotRun")<{ readonly code: string }> {}

/**
 * A helper printed more than 1 MiB.
 */
export class HelperOutputTooLarge extends Data.TaggedError("HelperOutputTooLarge") {}

/**
 * What a helper said: `status` is its exit code, or the signal that ended it.
 */
export interface HelperOutput {
  readonly status: number | string
  readonly stdout: string
}

// A helper leads a process group, so that what it started ends with it.
const ownGroup = process.platform !== "win32"

const kill = (child: ChildProcess.ChildProcess): void => {
  try {
    if (ownGroup && child.pid !== undefined) {
      process.kill(-child.pid, "SIGKILL")
    }
  } catch {
    // The group has ended already.
  }
  child.kill("SIGKILL")
  child.stdout?.destroy()
}

/**
 * Runs `program get` without a shell with `input` on its standard input, and kills it when interrupted.
 *
 * Not @effect/platform's Command: its release waits, uninterruptibly, for a program that ignores SIGTERM.
 */
export const runHelper = (
  program: string,
  input: string
): Effect.Effect<HelperOutput, HelperNotRun | HelperOutputTooLarge> =>
  Effect.async((resume) => {
    // Without its streams when there are no more file descriptors; "error" then says so.
    const child: ChildProcess.ChildProcess = ChildProcess.spawn(program, ["get"], {
      stdio: ["pipe", "pipe", "ignore"],
      detached: ownGroup,
      windowsHide: true
    })
    const chunks: Array<Buffer> = []
    let size = 0
    child.on("error", (error: NodeJS.ErrnoException) => resume(new HelperNotRun({ code: error.code ?? error.name })))
    child.on("close", (code, signal) =>
      resume(Effect.sync(() => ({ status: code ?? signal ?? "", stdout: Buffer.concat(chunks).toString("utf8") })))
    )
    child.stdout?.on("data", (chunk: Buffer) => {
      size += chunk.length
      if (size > stdoutLimit) {
        kill(child)
        resume(new HelperOutputTooLarge())
      } else {
        chunks.push(chunk)
      }
    })
    // A helper that ends without reading breaks the pipe; what matters is how it ended.
    child.stdin?.on("error", () => {})
    child.stdin?.end(input)
    return Effect.sync(() => kill(child))
  })
