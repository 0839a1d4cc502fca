/** Shown output against real output: what differs from run to run is masked in both. */
import { escape } from "effect/RegExp"

const masks: ReadonlyArray<readonly [pattern: RegExp, mask: string]> = [
  [/\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z/g, "INSTANT"],
  [/\b\d+(?:\.\d+)? ?(?:ms|s|min)\b/g, "TIME"],
  [/\b(localhost|127\.0\.0\.1):(?!53\d\d\b)\d{2,5}\b/g, "$1:PORT"]
]

/** Equal digests stay equal, and different ones different: the first is DIGEST-1 in both texts. */
const maskDigests = (text: string): string => {
  const seen = new Map<string, string>()
  return text.replace(/\b[0-9a-f]{64}\b/g, (digest) => {
    const mask = seen.get(digest) ?? `DIGEST-${seen.size + 1}`
    seen.set(digest, mask)
    return mask
  })
}

export const mask = (text: string): string =>
  masks.reduce((masked, [pattern, replacement]) => masked.replace(pattern, replacement), maskDigests(text))

/** A line `…` stands for any number of lines, a `…` within a line for any text. */
const patternOf = (shown: string): RegExp => {
  const lines = mask(shown)
    .split("\n")
    .slice(0, -1)
    .map((line) => (line.trim() === "…" ? "(?:.*\n)*?" : `${line.split("…").map(escape).join(".*")}\n`))
  return new RegExp(`^${lines.join("")}$`)
}

/** Whether a program printed what a page shows; both end with a newline unless they are empty. */
export const isAsShown = (shown: string, printed: string): boolean => patternOf(shown).test(mask(printed))
