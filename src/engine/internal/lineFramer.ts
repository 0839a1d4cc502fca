const NEWLINE = 10

/**
 * Cuts bytes at line feeds. A line feed is never part of a longer UTF-8 sequence, so a line is decoded only when it is
 * whole and no character is damaged by where the bytes were cut. What waits for its line feed grows by doubling, so a
 * line that comes byte by byte costs linear time.
 */
export interface LineFramer {
  /** Appends the lines that `bytes` complete to `lines`; `false` when a line is longer than the maximum. */
  readonly feed: (bytes: Uint8Array, lines: Array<string>) => boolean
  /** What has come since the last line feed. */
  readonly rest: () => string
}

export const makeLineFramer = (maximumBytes: number): LineFramer => {
  const decoder = new TextDecoder()
  let waiting = new Uint8Array(256)
  let waitingBytes = 0

  const keep = (bytes: Uint8Array): void => {
    const needed = waitingBytes + bytes.length
    if (needed > waiting.length) {
      const grown = new Uint8Array(Math.max(needed, waiting.length * 2))
      grown.set(waiting.subarray(0, waitingBytes))
      waiting = grown
    }
    waiting.set(bytes, waitingBytes)
    waitingBytes = needed
  }

  const take = (end: Uint8Array): string => {
    if (waitingBytes === 0) return decoder.decode(end)
    keep(end)
    const line = decoder.decode(waiting.subarray(0, waitingBytes))
    waitingBytes = 0
    return line
  }

  return {
    feed: (bytes, lines) => {
      let start = 0
      for (let end = bytes.indexOf(NEWLINE); end !== -1; end = bytes.indexOf(NEWLINE, start)) {
        if (waitingBytes + end - start > maximumBytes) return false
        lines.push(take(bytes.subarray(start, end)))
        start = end + 1
      }
      if (waitingBytes + bytes.length - start > maximumBytes) return false
      if (start < bytes.length) keep(bytes.subarray(start))
      return true
    },
    rest: () => take(new Uint8Array(0))
  }
}
