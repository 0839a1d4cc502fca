import { createWriteStream } from "node:fs"
import * as Effect from "effect/Effect"
import type { Screen } from "../Stdio.ts"
import type { LiveBlock } from "./liveBlock.ts"
import { tolerateLostReader, write } from "./nodeStream.ts"

/** The terminal that stderr is. What is written with `stderr` while something is drawn stands above that. */
export interface Terminal {
  readonly stderr: (text: string) => Effect.Effect<void>
  readonly screen: Screen
}

interface Drawing {
  readonly block: LiveBlock
  readonly write: (text: string) => Effect.Effect<void>
}

/**
 * Node writes to a terminal synchronously, so that one that is stopped (Ctrl-S, text being marked) would stop every push.
 * A file's stream writes from a thread of its own. On Windows only the terminal's own stream speaks Unicode.
 */
const patientStderr = (): NodeJS.WritableStream =>
  process.platform === "win32" ? process.stderr : createWriteStream("", { fd: process.stderr.fd, autoClose: false })

/** What draws is loaded when there is something to draw: `--help` is not to wait for it. */
const beginDrawing: Effect.Effect<Drawing> = Effect.map(
  Effect.promise(() => import("./liveBlock.ts")),
  ({ make }) => {
    const stream = patientStderr()
    tolerateLostReader(stream)
    const block = make()
    // After Ctrl-Z and fg the shell's lines stand where the block was.
    process.on("SIGCONT", block.forget)
    return { block, write: write(stream) }
  }
)

// Some services give a terminal of no size.
const size = () => ({ columns: process.stderr.columns || 80, rows: process.stderr.rows || 24 })

export const open = (): Terminal => {
  let drawing: Drawing | undefined
  return {
    stderr: (text) =>
      Effect.suspend(() =>
        drawing?.block.isShown()
          ? drawing.write(drawing.block.above(text, size().columns))
          : write(process.stderr)(text)
      ),
    screen: {
      size: Effect.sync(size),
      draw: (frame) =>
        Effect.flatMap(drawing === undefined ? beginDrawing : Effect.succeed(drawing), (begun) => {
          drawing = begun
          return begun.write(begun.block.draw(frame, size().columns))
        })
    }
  }
}
