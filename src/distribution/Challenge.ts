/**
 * Challenges: how a registry asks to be authenticated to, in its `WWW-Authenticate` headers.
 *
 * @since 0.1.0
 */
import * as Data from "effect/Data"
import * as Either from "effect/Either"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"

/**
 * One challenge: a scheme with parameters, or with a single opaque token (`token68`).
 *
 * Scheme and parameter names are in lower case.
 *
 * @since 0.1.0
 * @category models
 */
export class Challenge extends Data.Class<{
  readonly scheme: string
  readonly parameters: Readonly<Record<string, string>>
  readonly token: Option.Option<string>
}> {}

/**
 * A header that holds no challenges: at `position` (offset in characters from 0) something else was `expected`.
 *
 * @since 0.1.0
 * @category errors
 */
export class InvalidChallenge extends Schema.TaggedError<InvalidChallenge>("gantry/Challenge/InvalidChallenge")(
  "InvalidChallenge",
  { position: Schema.NonNegativeInt, expected: Schema.String }
) {
  get isRetryable(): boolean {
    return false
  }
  get advice(): string {
    return "Check that the host is a registry's, and not a proxy's or a login page's."
  }
  override get message(): string {
    return `The registry's WWW-Authenticate header can not be read: expected ${this.expected} at offset ${this.position}. ${this.advice}`
  }
}

/**
 * The longest header that is read, in characters; Node's own limit for all headers of an answer is the same.
 *
 * @since 0.1.0
 * @category constants
 */
export const MAXIMUM_LENGTH = 16 * 1024

// https://www.rfc-editor.org/rfc/rfc9110#name-tokens and #section-11.2; sticky, so that each character is looked at once.
const token = /[\w!#$%&'*+.^`|~-]+/y
const token68 = /[\w.~+/-]+=*(?=[ \t]*(?:,|$))/y
const quoted = /"((?:[^"\\]|\\.)*)"/sy
const blanks = /[ \t]*/y
// A comma may be missing (some registries leave it out) or stand alone (RFC 9110 allows empty list elements).
const separators = /[ \t,]*/y

/** Reads a header from left to right. */
class Reader {
  readonly #text: string
  position = 0
  constructor(text: string) {
    this.#text = text
  }
  get isAtEnd(): boolean {
    return this.position >= this.#text.length
  }
  take(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.position
    const match = pattern.exec(this.#text)
    if (match === null) return undefined
    this.position = pattern.lastIndex
    return match[1] ?? match[0]
  }
  takeCharacter(character: string): boolean {
    if (this.#text[this.position] !== character) return false
    this.position++
    return true
  }
}

const invalid = (reader: Reader, expected: string) =>
  Either.left(new InvalidChallenge({ position: reader.position, expected }))

/** `name = value`, or nothing when what follows is the next challenge. */
const readParameter = (
  reader: Reader
): Either.Either<Option.Option<readonly [name: string, value: string]>, InvalidChallenge> => {
  const start = reader.position
  const name = reader.take(token)
  if (name === undefined) return invalid(reader, "a parameter or a scheme")
  reader.take(blanks)
  if (!reader.takeCharacter("=")) {
    reader.position = start
    return Either.right(Option.none())
  }
  reader.take(blanks)
  const value = reader.take(quoted)?.replace(/\\(.)/gs, "$1") ?? reader.take(token)
  return value === undefined
    ? invalid(reader, "a token or a closed quoted string")
    : Either.right(Option.some([name.toLowerCase(), value]))
}

/** Parameters up to the next challenge or the end; the first of two with one name counts. */
const readParameters = (reader: Reader): Either.Either<Readonly<Record<string, string>>, InvalidChallenge> => {
  const parameters = new Map<string, string>()
  while (!reader.isAtEnd) {
    const parameter = readParameter(reader)
    if (Either.isLeft(parameter)) return Either.left(parameter.left)
    if (Option.isNone(parameter.right)) break
    const [name, value] = parameter.right.value
    if (!parameters.has(name)) parameters.set(name, value)
    const from = reader.position
    reader.take(separators)
    if (reader.position === from && !reader.isAtEnd) return invalid(reader, "a comma")
  }
  return Either.right(Data.struct(Object.fromEntries(parameters)))
}

const readChallenge = (reader: Reader): Either.Either<Challenge, InvalidChallenge> => {
  const scheme = reader.take(token)?.toLowerCase()
  if (scheme === undefined) return invalid(reader, "a scheme")
  reader.take(blanks)
  const opaque = reader.take(token68)
  if (opaque !== undefined) {
    reader.take(separators)
    return Either.right(new Challenge({ scheme, parameters: Data.struct({}), token: Option.some(opaque) }))
  }
  reader.take(separators)
  return Either.map(readParameters(reader), (parameters) => new Challenge({ scheme, parameters, token: Option.none() }))
}

/**
 * Reads one `WWW-Authenticate` header, which may hold several challenges. Fails with `InvalidChallenge`, also for a header
 * of more than 16 KiB; takes time linear in the header's length.
 *
 * Source: https://www.rfc-editor.org/rfc/rfc9110#name-www-authenticate
 *
 * @since 0.1.0
 * @category parsing
 */
export const parse = (header: string): Either.Either<ReadonlyArray<Challenge>, InvalidChallenge> => {
  if (header.length > MAXIMUM_LENGTH) {
    return Either.left(new InvalidChallenge({ position: MAXIMUM_LENGTH, expected: "the end of the header" }))
  }
  const reader = new Reader(header)
  const challenges: Array<Challenge> = []
  reader.take(separators)
  while (!reader.isAtEnd) {
    const challenge = readChallenge(reader)
    if (Either.isLeft(challenge)) return Either.left(challenge.left)
    challenges.push(challenge.right)
  }
  return Either.right(challenges)
}

/**
 * Reads every `WWW-Authenticate` header of an answer. A header that can not be read hides no other: fails with its
 * `InvalidChallenge` only when no challenge is left.
 *
 * @since 0.1.0
 * @category parsing
 */
export const parseAll = (headers: ReadonlyArray<string>): Either.Either<ReadonlyArray<Challenge>, InvalidChallenge> => {
  const read = headers.map(parse)
  const challenges = read.flatMap(Either.getOrElse(() => []))
  const failed = read.find(Either.isLeft)
  return challenges.length === 0 && failed !== undefined ? Either.left(failed.left) : Either.right(challenges)
}

const quote = (text: string): string => `"${text.replace(/["\\]/g, "\\$&")}"`

/**
 * Writes challenges as one header, parameters quoted.
 *
 * @since 0.1.0
 * @category formatting
 */
export const format = (challenges: ReadonlyArray<Challenge>): string =>
  challenges
    .map(({ parameters, scheme, token: opaque }) => {
      const pairs = Object.entries(parameters).map(([name, value]) => `${name}=${quote(value)}`)
      return [scheme, Option.getOrElse(opaque, () => pairs.join(","))].filter((part) => part !== "").join(" ")
    })
    .join(", ")
