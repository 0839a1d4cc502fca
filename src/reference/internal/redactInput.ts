const MAXIMUM_LENGTH = 256

const scheme = /^[A-Za-z][A-Za-z0-9+.-]*:\/\//

/** Where the part after a URL's scheme starts: 0 when there is none. */
export const schemeEnd = (text: string): number => scheme.exec(text)?.[0].length ?? 0

const digestStart = /^[A-Za-z][A-Za-z0-9]*:(?=[0-9A-Fa-f]{32})|^sha(?:256|384|512):/

/** The offset of the last `@` that does not lead a digest: what stands before it may be a user and a password. */
export const userInfoEnd = (text: string): number => {
  const last = text.lastIndexOf("@")
  if (last < 0 || !digestStart.test(text.slice(last + 1, last + MAXIMUM_LENGTH))) return last
  return last === 0 ? -1 : text.lastIndexOf("@", last - 1)
}

/**
 * What an error may repeat of a text that did not parse: no user and password before an `@`, no query, and at most 256
 * characters, because people paste URLs where names belong.
 */
export const redactInput = (text: string): string => {
  const start = schemeEnd(text)
  const at = userInfoEnd(text)
  const query = text.search(/[?#]/)
  const from = Math.max(start, at)
  const to = query < 0 ? text.length : query
  const userInfo = at >= start ? "<redacted>" : ""
  const visible = `${text.slice(0, start)}${userInfo}${text.slice(from, Math.max(from, to))}`
  const kept = visible.length <= MAXIMUM_LENGTH ? visible : `${visible.slice(0, MAXIMUM_LENGTH)}…`
  return query < 0 ? kept : `${kept}?<redacted>`
}
