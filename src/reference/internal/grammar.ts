/**
 * What the grammar of image references allows, as checks of a range of the text that look at each character once.
 *
 * Source: https://github.com/distribution/reference/blob/v0.6.0/regexp.go
 */

/** The first offset of a text that the grammar does not allow, and what it wanted there. */
export interface Violation {
  readonly position: number
  readonly expected: string
}

type Check = (text: string, from: number, to: number) => Violation | undefined

const MAXIMUM_TAG_LENGTH = 128

/** The longest repository in characters; the host does not count since distribution/reference v0.6.0. */
export const MAXIMUM_REPOSITORY_LENGTH = 255

/** Algorithms a digest may name, with the length of their hexadecimal encoding (go-digest has the same three). */
export const HEX_LENGTH_BY_ALGORITHM = { sha256: 64, sha384: 96, sha512: 128 } as const

export type DigestAlgorithm = keyof typeof HEX_LENGTH_BY_ALGORITHM

const isDigestAlgorithm = (text: string): text is DigestAlgorithm => Object.hasOwn(HEX_LENGTH_BY_ALGORITHM, text)

const inRange = (first: string, last: string) => {
  const low = first.charCodeAt(0)
  const high = last.charCodeAt(0)
  return (code: number): boolean => code >= low && code <= high
}
const isDigit = inRange("0", "9")
const isLower = inRange("a", "z")
const isUpper = inRange("A", "Z")
const isLowerHexLetter = inRange("a", "f")
const isUpperHexLetter = inRange("A", "F")

const SLASH = "/".charCodeAt(0)
const DOT = ".".charCodeAt(0)
const COLON = ":".charCodeAt(0)
const HYPHEN = "-".charCodeAt(0)
const UNDERSCORE = "_".charCodeAt(0)

const isLowerAlphanumeric = (code: number): boolean => isLower(code) || isDigit(code)
const isAlphanumeric = (code: number): boolean => isLowerAlphanumeric(code) || isUpper(code)
const isWord = (code: number): boolean => isAlphanumeric(code) || code === UNDERSCORE
const isTagCharacter = (code: number): boolean => isWord(code) || code === DOT || code === HYPHEN
const isLowerHex = (code: number): boolean => isDigit(code) || isLowerHexLetter(code)
const isHex = (code: number): boolean => isLowerHex(code) || isUpperHexLetter(code)
const isIpv6Character = (code: number): boolean => isHex(code) || code === COLON

const violation = (position: number, expected: string): Violation => ({ position, expected })

/** Checks that one or more characters, and nothing else, satisfy `allowed`. */
const checkAll = (allowed: (code: number) => boolean, expected: string): Check => {
  return (text, from, to) => {
    if (from >= to) return violation(from, expected)
    for (let index = from; index < to; index++) {
      if (!allowed(text.charCodeAt(index))) return violation(index, expected)
    }
    return undefined
  }
}

const checkPort = checkAll(isDigit, "the digits of a port")
const checkIpv6 = checkAll(isIpv6Character, 'an IPv6 address in hexadecimal, as in "[2001:db8::1]"')

const checkBracketedHost: Check = (text, from, to) => {
  const bracket = text.slice(from, to).indexOf("]")
  if (bracket < 0) return violation(to, 'a "]" that closes the IPv6 address')
  const end = from + bracket
  const address = checkIpv6(text, from + 1, end)
  if (address !== undefined || end + 1 === to) return address
  return text.charCodeAt(end + 1) === COLON
    ? checkPort(text, end + 2, to)
    : violation(end + 1, 'a ":" and a port, or the end of the host')
}

/** Checks `host[:port]`: dot-separated labels of letters, digits and inner hyphens, or an IPv6 address in brackets. */
export const checkHost: Check = (text, from, to) => {
  if (text.startsWith("[", from)) return checkBracketedHost(text, from, to)
  const edge = "a letter or digit at the start and end of each part of the host"
  let previous = DOT
  for (let index = from; index < to; index++) {
    const code = text.charCodeAt(index)
    const inLabel = isAlphanumeric(previous)
    if (code === COLON) return inLabel ? checkPort(text, index + 1, to) : violation(index, edge)
    if (code === DOT || code === HYPHEN) {
      if (!inLabel && !(code === HYPHEN && previous === HYPHEN)) return violation(index, edge)
    } else if (!isAlphanumeric(code)) {
      return violation(index, 'a host of letters, digits, "-" and ".", with an optional ":" and port')
    }
    previous = code
  }
  return isAlphanumeric(previous) ? undefined : violation(to, edge)
}

/** One dot, one or two underscores, or any number of hyphens may stand between two alphanumerics of a component. */
const extendsSeparator = (text: string, index: number, code: number): boolean =>
  code === text.charCodeAt(index - 1) &&
  (code === HYPHEN || (code === UNDERSCORE && text.charCodeAt(index - 2) !== UNDERSCORE))

/** Checks a repository: components of lower-case letters, digits and inner separators, parted by single slashes. */
export const checkRepository: Check = (text, from, to) => {
  let previous = SLASH
  for (let index = from; index < to; index++) {
    const code = text.charCodeAt(index)
    const afterAlphanumeric = isLowerAlphanumeric(previous)
    if (code === DOT || code === UNDERSCORE || code === HYPHEN) {
      if (!afterAlphanumeric && !(previous !== SLASH && extendsSeparator(text, index, code))) {
        return violation(index, 'a lower-case letter or digit (separators are ".", "_", "__" and "-" between them)')
      }
    } else if (code === SLASH) {
      if (!afterAlphanumeric) return violation(index, "a lower-case letter or digit before the slash")
    } else if (isUpper(code)) {
      return violation(index, "a lower-case letter (names below the host have no upper case)")
    } else if (!isLowerAlphanumeric(code)) {
      return violation(index, 'lower-case letters, digits, "/", ".", "_" and "-"')
    }
    previous = code
  }
  return isLowerAlphanumeric(previous) ? undefined : violation(to, "a lower-case letter or digit")
}

const checkTagCharacters = checkAll(isTagCharacter, 'a tag of letters, digits, "_", "." and "-"')

/** Checks a tag: 1 to 128 characters, the first of them a letter, a digit or an underscore. */
export const checkTag: Check = (text, from, to) => {
  if (from < to && isTagCharacter(text.charCodeAt(from)) && !isWord(text.charCodeAt(from))) {
    return violation(from, 'a tag that starts with a letter, a digit or "_"')
  }
  return (
    checkTagCharacters(text, from, Math.min(to, from + MAXIMUM_TAG_LENGTH)) ??
    (to - from > MAXIMUM_TAG_LENGTH
      ? violation(from + MAXIMUM_TAG_LENGTH, `a tag of at most ${MAXIMUM_TAG_LENGTH} characters`)
      : undefined)
  )
}

const checkLowerHex = checkAll(isLowerHex, "lower-case hexadecimal digits of the digest")
const algorithms = Object.keys(HEX_LENGTH_BY_ALGORITHM).join(", ")

/** Splits `algorithm:hex` of the right length, or tells what is wrong. */
export const splitDigest = (
  text: string,
  from: number,
  to: number
): Violation | { readonly algorithm: DigestAlgorithm; readonly encoded: string } => {
  const colon = text.indexOf(":", from)
  const algorithm = text.slice(from, colon < 0 ? to : Math.min(colon, to))
  if (colon < 0 || colon >= to || !isDigestAlgorithm(algorithm)) {
    return violation(from, `a digest algorithm (${algorithms}) and a ":"`)
  }
  const length = HEX_LENGTH_BY_ALGORITHM[algorithm]
  const start = colon + 1
  const wrong = start === to ? undefined : checkLowerHex(text, start, Math.min(to, start + length))
  if (wrong !== undefined) return wrong
  return to - start === length
    ? { algorithm, encoded: text.slice(start, to) }
    : violation(Math.min(to, start + length), `${length} hexadecimal digits after "${algorithm}:"`)
}

/** A bare name of 64 hexadecimal digits is an image id, which no repository may look like. */
export const isIdentifier = (text: string): boolean => text.length === 64 && checkLowerHex(text, 0, 64) === undefined

/**
 * Whether the first component of a name is a host: it has a dot, a colon or an upper-case letter, or is `localhost`.
 *
 * Source: https://github.com/distribution/reference/blob/v0.6.0/normalize.go (splitDockerDomain)
 */
export const isHostLike = (component: string): boolean =>
  component === "localhost" ||
  component.includes(".") ||
  component.includes(":") ||
  component.toLowerCase() !== component

export const DOCKER_HUB = "docker.io"

const dockerHubAliases: ReadonlySet<string> = new Set([DOCKER_HUB, "index.docker.io", "registry-1.docker.io"])

/** One spelling for each host: lower case, and `docker.io` for Docker Hub. */
export const canonicalHost = (host: string): string => {
  const lower = host.toLowerCase()
  if (dockerHubAliases.has(lower)) return DOCKER_HUB
  // `Foo/bar` is on the host Foo and `foo/bar` on Docker Hub: a host known by its upper case alone keeps it.
  return isHostLike(lower) ? lower : host
}

/** The host without its port and, for IPv6, without the brackets. */
export const hostName = (host: string): string => {
  if (host.startsWith("[")) return host.slice(1, host.indexOf("]"))
  const colon = host.indexOf(":")
  return colon < 0 ? host : host.slice(0, colon)
}
