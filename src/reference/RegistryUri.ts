/**
 * Registry URIs: `host[:port][/path]`, the places images are pushed to.
 *
 * @since 0.1.0
 */
import * as Either from "effect/Either"
import type * as Equal from "effect/Equal"
import * as Function from "effect/Function"
import type * as Inspectable from "effect/Inspectable"
import * as Predicate from "effect/Predicate"
import * as Schema from "effect/Schema"
import type { ImageReference } from "./ImageReference.ts"
import { CanonicalText } from "./internal/CanonicalText.ts"
import {
  canonicalHost,
  checkHost,
  checkRepository,
  DOCKER_HUB,
  hostName,
  isHostLike,
  MAXIMUM_REPOSITORY_LENGTH,
  type Violation
} from "./internal/grammar.ts"
import { explainInvalidText, invalidTextFields } from "./internal/invalidText.ts"
import { makeNetworks } from "./internal/ipAddress.ts"
import { redactInput, schemeEnd, userInfoEnd } from "./internal/redactInput.ts"
import { textSchema } from "./internal/textSchema.ts"

/**
 * @since 0.1.0
 * @category type ids
 */
export const TypeId: unique symbol = Symbol.for("gantry/RegistryUri")

/**
 * @since 0.1.0
 * @category type ids
 */
export type TypeId = typeof TypeId

/**
 * The canonical address of a registry, or of a namespace in one. Two spellings of one address are equal.
 *
 * @since 0.1.0
 * @category models
 */
export interface RegistryUri extends Equal.Equal, Inspectable.Inspectable {
  readonly [TypeId]: TypeId
  /** The host and its port, in lower case; `docker.io` for every alias of Docker Hub. */
  readonly host: string
  /** The path below the host without slashes at its ends; empty for a whole host. */
  readonly path: string
  /** Whether the URI was written with `http://`: the registry is spoken to without TLS. */
  readonly plainHttp: boolean
  /** `host[/path]`, what the names of the registry's images start with. */
  readonly name: string
}

/**
 * A text that is no registry URI: at `position` (offset from 0) something else was `expected`. `input` repeats at most
 * 256 characters of the text, without a URL's user, password and query.
 *
 * @since 0.1.0
 * @category errors
 */
export class InvalidRegistryUri extends Schema.TaggedError<InvalidRegistryUri>("gantry/InvalidRegistryUri")(
  "InvalidRegistryUri",
  invalidTextFields
) {
  get advice(): string {
    return "Write it as host[:port][/path], or the name of a Docker Hub account."
  }
  override get message(): string {
    return explainInvalidText(this, "a registry URI")
  }
  get isRetryable(): boolean {
    return false
  }
}

class RegistryUriImpl extends CanonicalText implements RegistryUri {
  readonly [TypeId]: TypeId = TypeId
  readonly host: string
  readonly path: string
  readonly plainHttp: boolean
  constructor(parts: Pick<RegistryUri, "host" | "path" | "plainHttp">) {
    super()
    this.host = parts.host
    this.path = parts.path
    this.plainHttp = parts.plainHttp
  }
  get name(): string {
    return this.path === "" ? this.host : `${this.host}/${this.path}`
  }
  toString(): string {
    return this.plainHttp ? `http://${this.name}` : this.name
  }
}

/**
 * Whether a value is a `RegistryUri`.
 *
 * @since 0.1.0
 * @category guards
 */
export const isRegistryUri = (value: unknown): value is RegistryUri => Predicate.hasProperty(value, TypeId)

const PLAIN_HTTP = "http://"
const SLASH = "/".charCodeAt(0)

const withoutTrailingSlashes = (text: string, from: number): number => {
  let end = text.length
  while (end > from && text.charCodeAt(end - 1) === SLASH) end--
  return end
}

const checkScheme = (scheme: string, startsWithHost: boolean): Violation | undefined => {
  if (scheme === "") return undefined
  if (scheme !== PLAIN_HTTP && scheme !== "https://") return { position: 0, expected: "https://, http:// or no scheme" }
  return startsWithHost
    ? undefined
    : { position: scheme.length, expected: "a host with a dot or a port (a Docker Hub account has no scheme)" }
}

/**
 * Parses the address of a registry: an optional `http://` or `https://`, a host, an optional path, and any slashes at
 * the end. It means what `<uri>/name` means as an image reference, so a first component without dot, colon or upper
 * case that is not `localhost` is an account on Docker Hub. Fails with `InvalidRegistryUri`.
 *
 * @since 0.1.0
 * @category constructors
 */
export const parse = (text: string): Either.Either<RegistryUri, InvalidRegistryUri> => {
  const start = schemeEnd(text)
  const end = withoutTrailingSlashes(text, start)
  const slash = text.slice(start, end).indexOf("/")
  const firstEnd = slash < 0 ? end : start + slash
  const first = text.slice(start, firstEnd)
  const startsWithHost = isHostLike(first)
  const pathStart = startsWithHost ? Math.min(firstEnd + 1, end) : start
  const scheme = text.slice(0, start).toLowerCase()
  const invalid = (violation: Violation) =>
    Either.left(new InvalidRegistryUri({ input: redactInput(text), ...violation }))

  if (start === end) return invalid({ position: start, expected: "a host or the name of a Docker Hub account" })
  if (userInfoEnd(text) >= start) {
    return invalid({ position: start, expected: "no user and password (give those to the registry as a credential)" })
  }
  const violation =
    checkScheme(scheme, startsWithHost) ??
    (startsWithHost ? checkHost(text, start, firstEnd) : undefined) ??
    (pathStart < end ? checkRepository(text, pathStart, end) : undefined)
  if (violation !== undefined) return invalid(violation)
  if (end - pathStart > MAXIMUM_REPOSITORY_LENGTH) {
    const position = pathStart + MAXIMUM_REPOSITORY_LENGTH
    return invalid({ position, expected: `a path of at most ${MAXIMUM_REPOSITORY_LENGTH} characters` })
  }

  const path = text.slice(pathStart, end)
  // Docker's config file names the Hub https://index.docker.io/v1/ (reference/auth.md section 1).
  const isIndex = path === "v1" && first.toLowerCase() === "index.docker.io"
  const host = startsWithHost ? canonicalHost(first) : DOCKER_HUB
  return Either.right(new RegistryUriImpl({ host, path: isIndex ? "" : path, plainHttp: scheme === PLAIN_HTTP }))
}

/**
 * `parse` for literals in source code: throws `InvalidRegistryUri`.
 *
 * @since 0.1.0
 * @category constructors
 */
export const unsafeParse = (text: string): RegistryUri => Either.getOrThrowWith(parse(text), Function.identity)

/**
 * Whether an image belongs to a registry: the same host, and the registry's path is the first whole segments of the
 * image's repository (`reg.io/foo` owns `reg.io/foo/x`, not `reg.io/foobar/x`).
 *
 * @since 0.1.0
 * @category predicates
 */
export const owns: {
  (image: ImageReference): (uri: RegistryUri) => boolean
  (uri: RegistryUri, image: ImageReference): boolean
} = Function.dual(
  2,
  (uri: RegistryUri, image: ImageReference): boolean =>
    uri.host === image.registry && (uri.path === "" || `${image.repository}/`.startsWith(`${uri.path}/`))
)

const isLoopbackAddress = makeNetworks("127.0.0.0/8", "::1/128")

/**
 * Whether the registry is on this machine: `localhost`, a name below it, 127.0.0.0/8 or ::1, at any port.
 *
 * @since 0.1.0
 * @category predicates
 */
export const isLocal = (uri: RegistryUri): boolean => {
  const name = hostName(uri.host)
  return name === "localhost" || name.endsWith(".localhost") || isLoopbackAddress(name)
}

/**
 * The schema of registry URIs in files and arguments: a string outside, a `RegistryUri` inside.
 *
 * @since 0.1.0
 * @category schemas
 */
export const FromString: Schema.Schema<RegistryUri, string> = textSchema({
  identifier: "RegistryUri",
  is: isRegistryUri,
  parse
})
