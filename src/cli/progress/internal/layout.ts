/**
 * A board as lines of a terminal: a line for each push that runs, and one that counts the others.
 */
import * as HashMap from "effect/HashMap"
import * as Option from "effect/Option"
import { cutEnd, cutMiddle, padEnd, padStart, widest } from "../../internal/columns.ts"
import { clockTime, readableBytes, readableDuration } from "../../internal/text.ts"
import type { ScreenSize } from "../../Stdio.ts"
import { ending } from "../plain.ts"
import type { Board, Ended, Running } from "./board.ts"
import type { Paint } from "./paint.ts"
import * as Transfer from "./transfer.ts"

/** What a frame is drawn with. */
export interface Canvas extends ScreenSize {
  /** In milliseconds. */
  readonly now: number
  readonly paint: Paint
}

const gap = "  "

/** The lines of a frame: at most `columns` wide, and fewer than `rows`, for the cursor is on the line below. */
export const frame = (board: Board, canvas: Canvas): ReadonlyArray<string> => {
  const running = HashMap.toValues(board.running).sort((left, right) => left.order - right.order)
  const isMany = board.started + HashMap.size(board.queued) > 1
  const room = Math.max(1, canvas.rows - 1)
  const pauses = pauseLines(board, canvas).slice(0, Math.max(0, room - 2))
  const shown = running.slice(0, Math.max(0, room - pauses.length - (isMany ? 1 : 0)))
  return [
    ...pushLines(shown, canvas),
    ...pauses,
    ...(isMany ? [summaryLine(board, running.length - shown.length, canvas)] : [])
  ]
}

const pauseLines = ({ pauses }: Board, { columns, now, paint }: Canvas): ReadonlyArray<string> =>
  HashMap.toEntries(pauses).flatMap(([registry, until]) =>
    until > now
      ? [paint.warning(cutEnd(`${registry} asked for a pause, going on in ${inSeconds(until - now)}`, columns))]
      : []
  )

/** In whole seconds: a number that changes with every frame is no rest for the eye. */
const inSeconds = (millis: number): string => readableDuration(1000 * Math.ceil(millis / 1000))

const summaryLine = (board: Board, hidden: number, { columns, now, paint }: Canvas): string => {
  const { cancelled, done, failed } = board.counts
  const queued = HashMap.size(board.queued)
  const counts = [
    ...(hidden > 0 ? [`+${hidden} running`] : []),
    ...(queued > 0 ? [`+${queued} queued`] : []),
    `${done} done`,
    ...(failed > 0 ? [`${failed} failed`] : []),
    ...(cancelled > 0 ? [`${cancelled} cancelled`] : [])
  ].join(", ")
  const sent = board.bytesSent > 0 ? [`${readableBytes(board.bytesSent)} sent`] : []
  const elapsed = Option.toArray(Option.map(board.startedAt, (start) => clockTime(now - start)))
  return paint.faint(cutEnd([counts, ...sent, ...elapsed].join(" · "), columns))
}

/** What a line says beside its name. */
interface Cells {
  readonly layers: string
  readonly rate: string
  readonly remaining: string
}

const rateWidth = "99.9 MB/s".length
const remainingWidth = "59:59 left".length
const percentWidth = "100 %".length
const leastBar = 10
const mostBar = 40
const leastName = 20
/** In a terminal narrower than this there are names only. */
const leastColumns = 12

type Column = "bar" | "percent" | "layers" | "rate" | "remaining"

/** The first of these that leaves room for the names is taken. */
const arrangements: ReadonlyArray<ReadonlyArray<Column>> = [
  ["bar", "percent", "layers", "rate", "remaining"],
  ["bar", "percent", "layers", "remaining"],
  ["bar", "percent", "layers"],
  ["bar", "percent"],
  ["percent"]
]

interface Arrangement {
  readonly columns: ReadonlyArray<Column>
  readonly name: number
  readonly widths: { readonly [_ in Column]: number }
}

const arrange = (names: ReadonlyArray<string>, layersWidth: number, columns: number): Arrangement => {
  const longest = widest(names)
  const widths = {
    bar: leastBar,
    percent: percentWidth,
    layers: layersWidth,
    rate: rateWidth,
    remaining: remainingWidth
  }
  const roomBeside = (chosen: ReadonlyArray<Column>) =>
    chosen.reduce((room, column) => room - gap.length - widths[column], columns)
  const chosen =
    arrangements.find((candidate) => roomBeside(candidate) >= Math.min(longest, leastName)) ??
    (columns < leastColumns ? [] : ["percent" as const])
  const name = Math.max(0, Math.min(longest, roomBeside(chosen)))
  const bar = Math.min(mostBar, leastBar + Math.max(0, roomBeside(chosen) - name))
  return { columns: chosen, name, widths: { ...widths, bar } }
}

const hourMillis = 3_600_000

/** Minutes and seconds, else hours; more than some days is no estimate. */
const timeLeft = (millis: number): string => {
  if (millis < hourMillis - 500) return `${clockTime(millis)} left`
  const hours = Math.round(millis / hourMillis)
  return hours < 100 ? `${hours} h left` : ""
}

const cellsOf = ({ transfer }: Running, now: number): Cells => {
  const { layersDone, layersKnown } = Transfer.progressOf(transfer)
  const pace = Transfer.paceOf(transfer, now)
  return {
    layers: `${layersDone}/${layersKnown} layers`,
    rate: Option.match(pace, {
      onNone: () => "",
      onSome: ({ bytesPerSecond }) => `${readableBytes(bytesPerSecond)}/s`
    }),
    remaining: Option.match(
      Option.flatMap(pace, ({ remainingMillis }) => remainingMillis),
      { onNone: () => "", onSome: timeLeft }
    )
  }
}

const pushLines = (pushes: ReadonlyArray<Running>, canvas: Canvas): ReadonlyArray<string> => {
  const rows = pushes.map((push) => ({ push, cells: cellsOf(push, canvas.now) }))
  const arrangement = arrange(
    pushes.map(({ target }) => target),
    widest(rows.map(({ cells }) => cells.layers)),
    canvas.columns
  )
  return rows.map(({ cells, push }) => {
    const name = padEnd(cutMiddle(push.target, arrangement.name), arrangement.name)
    // No blanks at the end, which a terminal that gets narrower would break too.
    return `${name}${besideName(push, cells, arrangement, canvas)}`.trimEnd()
  })
}

/** What stands in the way of a bar, or is not yet there. */
const besideName = (push: Running, cells: Cells, arrangement: Arrangement, canvas: Canvas): string => {
  const { columns, now, paint } = canvas
  const words = (text: string) => cutEnd(`${gap}${text}`, Math.max(0, columns - arrangement.name)).trimEnd()
  if (Option.isSome(push.wait)) {
    const { because, until } = push.wait.value
    const when = until > now ? `retrying in ${inSeconds(until - now)}` : "retrying"
    return paint.warning(words(`${when} because ${because}`))
  }
  const progress = Transfer.progressOf(push.transfer)
  if (progress.layersKnown === 0) return paint.faint(words("starting"))
  const isFinishing = Transfer.isFinishing(progress)
  const share = isFinishing ? 1 : push.transfer.share
  const drawn: { readonly [_ in Column]: (width: number) => string } = {
    bar: (width) => bar(share, width, paint),
    percent: (width) => padStart(`${Math.floor(100 * share)} %`, width),
    layers: (width) => padStart(cells.layers, width),
    rate: (width) => padStart(isFinishing ? "finishing" : cells.rate, width),
    remaining: (width) => padStart(isFinishing ? "" : cells.remaining, width)
  }
  return arrangement.columns.map((column) => `${gap}${drawn[column](arrangement.widths[column])}`).join("")
}

const bar = (share: number, width: number, paint: Paint): string => {
  const halves = Math.floor(2 * width * share)
  const filled = `${"━".repeat(Math.floor(halves / 2))}${halves % 2 === 1 ? "╸" : ""}`
  const rest = "─".repeat(width - filled.length)
  return `${share === 1 ? paint.good(filled) : paint.moving(filled)}${paint.faint(rest)}`
}

/**
 * What stays of a push that has ended. What fits on a line is on one, for which a digest is shortened; stdout has it whole.
 * The terminal breaks what is longer, so that it can be copied.
 */
export const endedLine = ({ event, target }: Ended, { columns, paint }: Pick<Canvas, "columns" | "paint">): string => {
  const mark = marks[event._tag]
  const whole = `${mark.sign} ${target}: ${ending(event)}`
  const isFitting = widest([whole]) <= columns
  const line = event._tag === "PushCompleted" && !isFitting ? withShortDigest(whole, String(event.image.digest)) : whole
  return `${mark.colour(paint)(mark.sign)}${line.slice(mark.sign.length)}`
}

const shortDigestLength = "sha256:".length + 12

const withShortDigest = (text: string, digest: string): string =>
  text.replace(digest, `${digest.slice(0, shortDigestLength)}…`)

interface Mark {
  readonly sign: string
  readonly colour: (paint: Paint) => (text: string) => string
}

const failure: Mark = { sign: "✗", colour: ({ bad }) => bad }

const marks: { readonly [_ in Ended["event"]["_tag"]]: Mark } = {
  PushCompleted: { sign: "✓", colour: ({ good }) => good },
  PushFailed: failure,
  PushCrashed: failure,
  PushCancelled: { sign: "–", colour: ({ warning }) => warning }
}
