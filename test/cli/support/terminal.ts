/**
 * A terminal in memory: what a person would see, above the screen too. It breaks long lines, and breaks them anew when it
 * gets another width, as most terminals do. A sequence that it does not know throws.
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import stringWidth from "string-width"
import * as LiveBlock from "../../../src/cli/internal/liveBlock.ts"
import { type Screen, Stdio } from "../../../src/cli/Stdio.ts"

interface Row {
  readonly cells: Array<string>
  /** It goes on in the next row. */
  isBroken: boolean
}

const graphemes = new Intl.Segmenter()

const escape = "\u001b"
const sequence = /\[([?\d;]*)([A-Za-z])/y

export class TestTerminal {
  columns: number
  rows: number
  isCursorVisible = true
  /** Colours and the like. */
  styles = 0
  /** What was sent, one text a write. */
  readonly writes: Array<string> = []
  private lines: Array<Row> = [{ cells: [], isBroken: false }]
  private row = 0
  private column = 0
  private isWrapping = true

  constructor(columns: number, rows: number) {
    this.columns = columns
    this.rows = rows
  }

  write(text: string): void {
    if (text === "") return
    this.writes.push(text)
    let at = 0
    while (at < text.length) {
      if (text[at] === escape) {
        sequence.lastIndex = at + 1
        const found = sequence.exec(text)
        if (found === null) throw new Error(`no sequence: ${JSON.stringify(text.slice(at, at + 8))}`)
        this.control(found[1] ?? "", found[2] ?? "")
        at = sequence.lastIndex
      } else {
        const next = text.indexOf(escape, at)
        const plain = text.slice(at, next === -1 ? undefined : next)
        for (const { segment } of graphemes.segment(plain)) this.put(segment)
        at += plain.length
      }
    }
  }

  /** Rows that are on the screen. */
  get screen(): ReadonlyArray<string> {
    return this.texts.slice(this.top)
  }

  /** Rows that went up and off the screen, and those on it. */
  get all(): ReadonlyArray<string> {
    return this.texts
  }

  /** The row of the screen that the cursor is in, and the column. */
  get cursor(): readonly [row: number, column: number] {
    return [this.row - this.top, this.column]
  }

  resize(columns: number, rows: number): void {
    const logical: Array<Array<string>> = []
    let isGoingOn = false
    let cursor = 0
    this.lines.forEach(({ cells, isBroken }, index) => {
      if (isGoingOn) logical.at(-1)?.push(...cells)
      else logical.push([...cells])
      if (index === this.row) cursor = logical.length - 1
      isGoingOn = isBroken
    })
    this.columns = columns
    this.rows = rows
    this.lines = []
    logical.forEach((cells, index) => {
      if (index === cursor) this.row = this.lines.length
      do {
        const part = cells.splice(0, columns)
        this.lines.push({ cells: part, isBroken: cells.length > 0 })
      } while (cells.length > 0)
    })
  }

  /** Without the empty rows below the cursor. */
  private get texts(): ReadonlyArray<string> {
    const texts = this.lines.map(({ cells }) => cells.join("").trimEnd())
    return texts.slice(
      0,
      Math.max(
        this.row,
        texts.findLastIndex((text) => text !== "")
      ) + 1
    )
  }

  private get top(): number {
    return Math.max(0, this.lines.length - this.rows)
  }

  private get current(): Row {
    const row = this.lines[this.row]
    if (row === undefined) throw new Error("the cursor is nowhere")
    return row
  }

  private newLine(isBroken: boolean): void {
    this.current.isBroken = isBroken
    this.row += 1
    this.column = 0
    if (this.row === this.lines.length) this.lines.push({ cells: [], isBroken: false })
  }

  private put(character: string): void {
    if (character === "\n" || character === "\r\n") {
      this.newLine(false)
      return
    }
    if (character === "\r") {
      this.column = 0
      return
    }
    if (/\p{Cc}/u.test(character)) throw new Error(`a control: ${JSON.stringify(character)}`)
    const width = stringWidth(character)
    if (this.column + width > this.columns) {
      if (this.isWrapping) this.newLine(true)
      else this.column = Math.max(0, this.columns - width)
    }
    const { cells } = this.current
    while (cells.length < this.column) cells.push(" ")
    if (width === 0) {
      cells[Math.max(0, this.column - 1)] += character
      return
    }
    cells.splice(this.column, width, character, ...Array.from({ length: width - 1 }, () => ""))
    this.column += width
  }

  private control(parameters: string, final: string): void {
    const command = `${parameters.startsWith("?") ? parameters : ""}${final}`
    switch (command) {
      case "A":
        this.row = Math.max(this.top, this.row - Number(parameters || 1))
        return
      case "K":
        this.current.cells.splice(parameters === "2" ? 0 : this.column)
        return
      case "G":
        this.column = 0
        return
      case "m":
        this.styles += 1
        return
      case "?25l":
      case "?25h":
        this.isCursorVisible = final === "h"
        return
      case "?7l":
      case "?7h":
        this.isWrapping = final === "h"
        return
      case "?2026h":
      case "?2026l":
        return
      default:
        throw new Error(`unknown sequence ${command}`)
    }
  }
}

/** A screen on which the block is drawn as gantry draws it; `taking` is how long the terminal takes a frame. */
export const screenOf = (terminal: TestTerminal, taking: Effect.Effect<void> = Effect.void) => {
  const block = LiveBlock.make()
  const screen: Screen = {
    size: Effect.sync(() => ({ columns: terminal.columns, rows: terminal.rows })),
    draw: (frame) =>
      Effect.zipRight(
        Effect.sync(() => terminal.write(block.draw(frame, terminal.columns))),
        taking
      )
  }
  const stderr = (text: string) =>
    Effect.sync(() => terminal.write(block.isShown() ? block.above(text, terminal.columns) : text))
  return { screen, stderr }
}

/** Standard streams at this terminal; none when stderr is something else. */
export const stdioAt = (terminal: TestTerminal, isTerminal = true, taking?: Effect.Effect<void>) => {
  const { screen, stderr } = screenOf(terminal, taking)
  return Layer.succeedContext(
    Context.make(Stdio, {
      stdout: () => Effect.void,
      lost: Effect.succeedNone,
      stderr,
      screen: isTerminal ? Option.some(screen) : Option.none(),
      stdin: Effect.succeedNone
    })
  )
}
