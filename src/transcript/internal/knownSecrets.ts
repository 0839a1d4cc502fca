import { scrubCredentials } from "../../reference/internal/scrubText.ts"
import { isOwnWord, type Scrub } from "../Transcript.ts"

/** A credential is renewed every few minutes at most, and has a handful of forms. */
const MAXIMUM_FORMS = 1024

/** Every secret that has been sent or issued so far, so that no line repeats one. */
export const make = () => {
  // The last used ones last: what is used again and again outlives what is used once.
  const forms = new Set<string>()
  let longestFirst: ReadonlyArray<string> = []

  const scrub: Scrub = (text) => scrubCredentials(text, longestFirst)

  return {
    scrub,
    learn: (secrets: ReadonlyArray<string>): void => {
      const used = secrets.filter((secret) => secret !== "")
      const isKnown = used.every((secret) => forms.has(secret))
      for (const secret of used) {
        forms.delete(secret)
        forms.add(secret)
      }
      if (isKnown) return
      for (const oldest of [...forms].slice(0, Math.max(0, forms.size - MAXIMUM_FORMS))) forms.delete(oldest)
      // One secret may be the beginning of another, whose rest would be left.
      longestFirst = [...forms].sort((left, right) => right.length - left.length)
    },
    /** A value as a line of JSON in which no text of somebody's has a credential. */
    toLine: (value: unknown): string => {
      const safe = (name: string, leaf: unknown) => (typeof leaf === "string" && !isOwnWord(name) ? scrub(leaf) : leaf)
      return `${JSON.stringify(value, safe)}\n`
    }
  }
}
