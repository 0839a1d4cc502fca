const MAXIMUM_LENGTH = 2000

/** How much of a text is looked at: what lies behind it could not be shown anyway. */
const MAXIMUM_INPUT = 64 * 1024

/** A shorter one would take ordinary words apart, and could be guessed from the gaps. */
const SHORTEST_SECRET = 4

// Up to the last @ before a path, a query or a fragment begins: people write passwords into URLs.
const userInfo = /\b([a-z][a-z0-9+.-]{0,15}:\/\/)[^\s"'<>/?#]*@/gi

const url = /\b[a-z][a-z0-9+.-]{0,15}:\/\/[^\s"'<>]+/gi

/** Upload URLs hold signatures in their queries. */
const withoutQuery = (address: string): string => address.replace(/[?#].+$/s, "?<redacted>")

const query = /\?[\w.~%-]{1,64}=[^\s"'<>]*/g

/**
 * Takes credentials out of somebody else's words and leaves the rest as it is: the `secrets` that are known, users and
 * passwords in URLs, and tokens by their looks.
 */
export const scrubCredentials = (text: string, secrets: ReadonlyArray<string> = []): string =>
  secrets
    .filter((secret) => secret.length >= SHORTEST_SECRET)
    .reduce((scrubbed, secret) => scrubbed.replaceAll(secret, "<redacted>"), text)
    .replace(userInfo, "$1")
    .replace(/\b(basic|bearer)[\p{Cc}\s]+[\w.~+/-]{16,}=*/giu, "$1 <redacted>")
    .replace(/\beyJ[\w-]{8,}\.[\w.-]+/g, "<redacted>")

/**
 * What an error may repeat of somebody else's words: one line without control characters, URLs without user, password
 * and query, no tokens, none of the `secrets` that were sent, at most 2,000 characters.
 */
export const scrubText = (text: string, secrets: ReadonlyArray<string> = []): string => {
  const scrubbed = scrubCredentials(text.slice(0, MAXIMUM_INPUT), secrets)
    .replace(/[\p{Cc}\s]+/gu, " ")
    .replace(url, withoutQuery)
    .replace(query, "?<redacted>")
    .trim()
  return scrubbed.length <= MAXIMUM_LENGTH ? scrubbed : `${scrubbed.slice(0, MAXIMUM_LENGTH - 1)}…`
}
