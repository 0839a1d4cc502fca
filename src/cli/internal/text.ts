// Controls, line separators, and the marks that turn the direction of what follows.
const control = /[\p{Cc}\u2028\u2029\u202a-\u202e\u2066-\u2069]+/gu

/**
 * A registry's or an engine's text as one line that can not move a cursor, colour a terminal or begin a new line. Nor is it
 * a command to a CI service: GitHub takes `::` at the beginning of a line for one, and, as Azure, `##[` and `##vso[` anywhere.
 */
export const oneLine = (text: string): string =>
  text
    .replace(control, " ")
    .trim()
    .replace(/^::/, ": :")
    .replace(/#(?=#)/g, "# ")

/** Milliseconds as people read them: `850 ms`, `3.1 s`, `2 min 5 s`. */
export const readableDuration = (millis: number): string => {
  if (millis < 1000) return `${Math.round(millis)} ms`
  const seconds = Math.round(millis / 100) / 10
  if (seconds < 60) return `${seconds} s`
  const whole = Math.round(millis / 1000)
  return `${Math.floor(whole / 60)} min ${whole % 60} s`
}

const byteUnits = ["B", "kB", "MB", "GB", "TB"]

/** Bytes as people read them, in three digits: `999 B`, `1.25 kB`, `12.3 MB`. */
export const readableBytes = (bytes: number): string => {
  // What rounds to a thousand belongs to the unit above.
  const unit = byteUnits.findIndex((_, power) => bytes / 1000 ** power < 999.5)
  const power = unit === -1 ? byteUnits.length - 1 : unit
  const count = bytes / 1000 ** power
  const digits = power === 0 || count >= 99.95 ? 0 : count >= 9.995 ? 1 : 2
  return `${count.toFixed(digits)} ${byteUnits[power]}`
}

const twoDigits = (count: number): string => String(count).padStart(2, "0")

/** Milliseconds as a clock shows them: `0:08`, `12:34`, `1:02:03`. */
export const clockTime = (millis: number): string => {
  const seconds = Math.max(0, Math.round(millis / 1000))
  const minutes = Math.floor(seconds / 60)
  return minutes < 60
    ? `${minutes}:${twoDigits(seconds % 60)}`
    : `${Math.floor(minutes / 60)}:${twoDigits(minutes % 60)}:${twoDigits(seconds % 60)}`
}
