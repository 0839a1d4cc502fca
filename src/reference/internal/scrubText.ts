const MAXIMUM_LENGTH = 2000

/** How much of a text is looked at: what lies behind it could not be shown anyway. */
const MAXIMUM_INPUT = 64 * 1024

const url = /\b([a-z][a-z0-9+.-]{0,15}:\/\/)([^\s"'<>]+)/gi

/** Upload URLs hold signatures in their queries, and people write passwords into URLs. */
const scrubUrl = (_: string, scheme: string, rest: string): string => {
  const end = rest.search(/[/?#]/)
  const authority = end < 0 ? rest : rest.slice(0, end)
  const path = end < 0 ? "" : rest.slice(end).replace(/[?#].*$/s, "?<redacted>")
  return `${scheme}${authority.slice(authority.lastIndexOf("@") + 1)}${path}`
}

/**
 * What an error may repeat of somebody else's words: one line without control characters, URLs without user, password
 * and query, no tokens, none of the `secrets` that were sent, at most 2,000 characters.
 */
export const scrubText = (text: string, secrets: ReadonlyArray<string> = []): string => {
  const withoutSecrets = secrets
    .filter((secret) => secret.length >= 4)
    .reduce((scrubbed, secret) => scrubbed.replaceAll(secret, "<redacted>"), text.slice(0, MAXIMUM_INPUT))
  const scrubbed = withoutSecrets
    .replace(/[\p{Cc}\s]+/gu, " ")
    .replace(url, scrubUrl)
    .replace(/\?[\w.~%-]{1,64}=[^\s"'<>]*/g, "?<redacted>")
    .replace(/\b(basic|bearer)\s+[\w.~+/-]{16,}=*/gi, "$1 <redacted>")
    .replace(/\beyJ[\w-]{8,}\.[\w.-]+/g, "<redacted>")
    .trim()
  return scrubbed.length <= MAXIMUM_LENGTH ? scrubbed : `${scrubbed.slice(0, MAXIMUM_LENGTH - 1)}…`
}
