/**
 * Text that stays, and below it a block of lines that is drawn again and again in its place.
 *
 * What is sent for a frame is whole: it hides the cursor and shows it again, so that nothing is left to restore however
 * the program ends, a SIGKILL included.
 */
import { cursorHide, cursorShow, cursorUp, eraseLine, eraseLines, synchronizedOutput } from "ansi-escapes"
import stringWidth from "string-width"
import type { Frame } from "../Stdio.ts"

export interface LiveBlock {
  readonly isShown: () => boolean
  /** What to send to a terminal of so many columns; nothing when it shows this already. */
  readonly draw: (frame: Frame, columns: number) => string
  /** What to send so that a text stands above the block. */
  readonly above: (text: string, columns: number) => string
  /** The block is no longer where the cursor is: somebody else has written since. */
  readonly forget: () => void
}

// DECAWM: a line that a terminal takes for wider than it is must not become two.
const noWrap = "\u001b[?7l"
const wrap = "\u001b[?7h"

/** How many rows a terminal gives to lines that were drawn in another width: those of today break them anew. */
const rowsOf = (lines: ReadonlyArray<string>, columns: number): number =>
  lines.reduce((sum, line) => sum + Math.max(1, Math.ceil(stringWidth(line) / Math.max(1, columns))), 0)

const endingInNewline = (text: string): string => (text === "" || text.endsWith("\n") ? text : `${text}\n`)

export const make = (): LiveBlock => {
  let shown: ReadonlyArray<string> = []
  let width = 0

  /** To where the block begins. What is drawn over it covers it, unless that has fewer rows or is no block. */
  const toBegin = (rows: number, covered: number): string => {
    if (rows === 0) return ""
    // Row by row: tmux puts into the scrollback what is erased from its first row down.
    return covered >= rows ? `\r${cursorUp(rows)}` : eraseLines(rows + 1)
  }

  const replace = (text: string, lines: ReadonlyArray<string>, columns: number): string => {
    const rows = rowsOf(shown, columns)
    shown = lines
    width = columns
    return synchronizedOutput(
      [
        cursorHide,
        toBegin(rows, text === "" ? lines.length : 0),
        endingInNewline(text),
        noWrap,
        // A line is erased by itself, so that a terminal that shows a frame half-way has no empty block to show.
        ...lines.map((line) => `${eraseLine}${line}\n`),
        wrap,
        // Keys that were pressed are shown where the cursor is.
        eraseLine,
        cursorShow
      ].join("")
    )
  }

  const isSame = (lines: ReadonlyArray<string>, columns: number): boolean =>
    columns === width && lines.length === shown.length && lines.every((line, index) => line === shown[index])

  return {
    isShown: () => shown.length > 0,
    draw: ({ above, lines }, columns) =>
      above.length === 0 && (isSame(lines, columns) || (lines.length === 0 && shown.length === 0))
        ? ""
        : replace(above.map((line) => `${line}\n`).join(""), lines, columns),
    above: (text, columns) => replace(text, shown, columns),
    forget: () => {
      shown = []
    }
  }
}
