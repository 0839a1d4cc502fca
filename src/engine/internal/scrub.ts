/** A registry that answers with an HTML page gets it repeated twice in one line of 600 KB: reference/engine.md section 2. */
const MAXIMUM_LENGTH = 4096

/** What is taken out of somebody else's text before it is repeated. */
export type Clean = (text: string) => string

/** A text without user and password in a URL, and without queries: an upload URL's holds a signature. */
export const withoutUrlSecrets = (text: string): string =>
  text.replace(/\?[^\s"'<>]+/g, "").replace(/\/\/[^\s/"'<>]*@/g, "//")

/**
 * What an error may repeat of somebody else's text: no user and password in a URL, no query, and at most 4096 characters.
 */
export const scrub = (text: string): string => {
  const clean = withoutUrlSecrets(text)
  if (clean.length <= MAXIMUM_LENGTH) return clean
  // A character outside the basic plane is two units: its first half alone would not be text.
  const start = clean.slice(0, MAXIMUM_LENGTH).replace(/[\uD800-\uDBFF]$/, "")
  return `${start}… (${clean.length - start.length} more characters)`
}
