import { scrubCredentials } from "../../reference/internal/scrubText.ts"
import type { Scrub } from "../Transcript.ts"

/** A credential is renewed every few minutes at most, and has a handful of forms. */
const MAXIMUM_FORMS = 1024

/** Every secret that has been sent or issued so far, so that no line repeats one. */
export const make = () => {
  // In the order of their coming.
  const forms = new Set<string>()
  let longestFirst: ReadonlyArray<string> = []

  const scrub: Scrub = (text) => scrubCredentials(text, longestFirst)

  return {
    scrub,
    learn: (secrets: ReadonlyArray<string>): void => {
      const fresh = secrets.filter((secret) => secret !== "" && !forms.has(secret))
      if (fresh.length === 0) return
      for (const secret of fresh) forms.add(secret)
      for (const oldest of [...forms].slice(0, Math.max(0, forms.size - MAXIMUM_FORMS))) forms.delete(oldest)
      // One secret may be the beginning of another, whose rest would be left.
      longestFirst = [...forms].sort((left, right) => right.length - left.length)
    },
    /** A value as a line of JSON in which no text has a credential. */
    toLine: (value: unknown): string =>
      `${JSON.stringify(value, (_, leaf: unknown) => (typeof leaf === "string" ? scrub(leaf) : leaf))}\n`
  }
}
