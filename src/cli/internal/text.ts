// Controls, line separators, and the marks that turn the direction of what follows.
const control = /[\p{Cc}\u2028\u2029\u202a-\u202e\u2066-\u2069]+/gu

/** A registry's or an engine's text as one line that can not move a cursor, colour a terminal or begin a new line. */
export const oneLine = (text: string): string => text.replace(control, " ").trim()

/** Milliseconds as people read them: `850 ms`, `3.1 s`, `2 min 5 s`. */
export const readableDuration = (millis: number): string => {
  if (millis < 1000) return `${Math.round(millis)} ms`
  const seconds = Math.round(millis / 100) / 10
  if (seconds < 60) return `${seconds} s`
  const whole = Math.round(millis / 1000)
  return `${Math.floor(whole / 60)} min ${whole % 60} s`
}
