/**
 * What a registry says when it will not do what was asked: one tag for each thing a caller would treat differently.
 *
 * Whoever spoke to the registry, an engine or gantry itself, the same refusal is the same error.
 *
 * @since 0.1.0
 */
import * as Schema from "effect/Schema"

const refusal = {
  /** The registry's host, with its port. */
  registry: Schema.String,
  /** The repository inside the registry, when the refusal was about one. */
  repository: Schema.optional(Schema.String),
  /** The registry's HTTP status, when it is known: an engine often hides it. */
  status: Schema.optional(Schema.Number),
  /** The registry's or engine's own words, without URL queries, at most 2,000 characters. */
  text: Schema.String
}

const place = (error: { readonly registry: string; readonly repository?: string | undefined }): string =>
  error.repository === undefined ? error.registry : `${error.registry}/${error.repository}`

const words = (error: { readonly text: string }): string => (error.text === "" ? "" : ` It said: ${error.text}`)

/**
 * The registry does not accept who we are: no credential, a wrong one, or one that has expired.
 *
 * @since 0.1.0
 * @category errors
 */
export class RegistryUnauthorized extends Schema.TaggedError<RegistryUnauthorized>(
  "gantry/RegistryError/RegistryUnauthorized"
)("RegistryUnauthorized", refusal) {
  get isRetryable(): boolean {
    return false
  }
  override get message(): string {
    return `${place(this)} does not accept the credential, or asks for one. Check the username and password or log in again.${words(this)}`
  }
}

/**
 * The registry knows who we are and refuses this action: a missing right, a lock, or a quota.
 *
 * @since 0.1.0
 * @category errors
 */
export class RegistryDenied extends Schema.TaggedError<RegistryDenied>("gantry/RegistryError/RegistryDenied")(
  "RegistryDenied",
  refusal
) {
  get isRetryable(): boolean {
    return false
  }
  override get message(): string {
    return `${place(this)} refuses what was asked. Check that the credential has the right to it, that the repository is not locked and that its quota is not used up.${words(this)}`
  }
}

/**
 * The repository (or the project that should hold it) does not exist and the registry does not create it.
 *
 * @since 0.1.0
 * @category errors
 */
export class RepositoryNotFound extends Schema.TaggedError<RepositoryNotFound>(
  "gantry/RegistryError/RepositoryNotFound"
)("RepositoryNotFound", refusal) {
  get isRetryable(): boolean {
    return false
  }
  override get message(): string {
    return `The repository ${place(this)} does not exist, and the registry does not create it on push. Create it first, or correct the name.${words(this)}`
  }
}

/**
 * The tag exists with other content and the registry does not let it move.
 *
 * @since 0.1.0
 * @category errors
 */
export class TagImmutable extends Schema.TaggedError<TagImmutable>("gantry/RegistryError/TagImmutable")(
  "TagImmutable",
  { ...refusal, tag: Schema.optional(Schema.String) }
) {
  get isRetryable(): boolean {
    return false
  }
  override get message(): string {
    const tag = this.tag === undefined ? "" : `:${this.tag}`
    return `${place(this)}${tag} already exists with other content and its tags are immutable. Push under a new tag.${words(this)}`
  }
}

/**
 * The registry asks for fewer requests. `retryAfter` is what it asked for, in milliseconds, when it said.
 *
 * @since 0.1.0
 * @category errors
 */
export class RegistryRateLimited extends Schema.TaggedError<RegistryRateLimited>(
  "gantry/RegistryError/RegistryRateLimited"
)("RegistryRateLimited", { ...refusal, retryAfter: Schema.optional(Schema.DurationFromMillis) }) {
  get isRetryable(): boolean {
    return true
  }
  override get message(): string {
    return `${place(this)} asks for fewer requests. Try again later, or with a lower --concurrency.${words(this)}`
  }
}

/**
 * Why a registry can not be used now. Only the first six may pass by themselves.
 *
 * @since 0.1.0
 * @category models
 */
export const UnavailableReason = Schema.Literal(
  "refused",
  "reset",
  "timeout",
  "status",
  "dns",
  "proxy",
  "certificate",
  "plain-http",
  "address",
  "protocol"
)

/**
 * @since 0.1.0
 * @category models
 */
export type UnavailableReason = typeof UnavailableReason.Type

const whatToDo: Record<UnavailableReason, string> = {
  refused: "Nothing listens there: check the host and port and that the registry runs.",
  reset: "The connection broke: trying again may help.",
  timeout: "It did not answer in time: check the network and the registry's health.",
  status: "The registry has a fault of its own: trying again later may help.",
  dns: "The host's name does not resolve: check its spelling and the resolver.",
  proxy: "The proxy in between failed: check HTTPS_PROXY and NO_PROXY.",
  certificate: "Its certificate is not trusted: install the registry's CA, or use --tls-skip-verify HOST.",
  "plain-http":
    "It speaks plain HTTP where HTTPS was expected: use --plain-http HOST, or give the engine the host in `insecure-registries`.",
  address: "The address can never work: check the host and port.",
  protocol: "What answers does not speak as a registry does: check that the host and port are a registry's."
}

const mayPass: Record<UnavailableReason, boolean> = {
  refused: true,
  reset: true,
  timeout: true,
  status: true,
  dns: true,
  proxy: true,
  certificate: false,
  "plain-http": false,
  address: false,
  protocol: false
}

/**
 * The registry can not be reached, or answers with a fault of its own.
 *
 * @since 0.1.0
 * @category errors
 */
export class RegistryUnavailable extends Schema.TaggedError<RegistryUnavailable>(
  "gantry/RegistryError/RegistryUnavailable"
)("RegistryUnavailable", {
  ...refusal,
  reason: UnavailableReason,
  retryAfter: Schema.optional(Schema.DurationFromMillis)
}) {
  get isRetryable(): boolean {
    return mayPass[this.reason]
  }
  override get message(): string {
    return `${this.registry} is not available. ${whatToDo[this.reason]}${words(this)}`
  }
}

/**
 * The registry took the blobs and refused the manifest.
 *
 * `blob-unknown` passes by itself where a registry is eventually consistent, and is worth another attempt.
 *
 * @since 0.1.0
 * @category errors
 */
export class ManifestRejected extends Schema.TaggedError<ManifestRejected>("gantry/RegistryError/ManifestRejected")(
  "ManifestRejected",
  { ...refusal, reason: Schema.Literal("invalid", "blob-unknown", "too-large", "tag-invalid") }
) {
  get isRetryable(): boolean {
    return this.reason === "blob-unknown"
  }
  override get message(): string {
    return `${place(this)} does not accept the image's manifest (${this.reason}).${words(this)}`
  }
}

/**
 * The registry holds other bytes than were asked for or sent.
 *
 * @since 0.1.0
 * @category errors
 */
export class DigestMismatch extends Schema.TaggedError<DigestMismatch>("gantry/RegistryError/DigestMismatch")(
  "DigestMismatch",
  { registry: Schema.String, repository: Schema.String, expected: Schema.String, actual: Schema.String }
) {
  get isRetryable(): boolean {
    return false
  }
  override get message(): string {
    return `${place(this)} answered ${this.actual} where ${this.expected} was expected. Something between gantry and the registry changes content: do not trust it.`
  }
}

/**
 * The registry refused in words nobody has classified: they are handed on and nothing is guessed.
 *
 * @since 0.1.0
 * @category errors
 */
export class RegistryRejected extends Schema.TaggedError<RegistryRejected>("gantry/RegistryError/RegistryRejected")(
  "RegistryRejected",
  refusal
) {
  get isRetryable(): boolean {
    return false
  }
  override get message(): string {
    const status = this.status === undefined ? "" : ` (HTTP ${this.status})`
    return `${place(this)} refused${status}.${words(this)}`
  }
}

/**
 * Every refusal of a registry, as a Schema.
 *
 * @since 0.1.0
 * @category schemas
 */
export const RegistryError = Schema.Union(
  RegistryUnauthorized,
  RegistryDenied,
  RepositoryNotFound,
  TagImmutable,
  RegistryRateLimited,
  RegistryUnavailable,
  ManifestRejected,
  DigestMismatch,
  RegistryRejected
)

/**
 * @since 0.1.0
 * @category errors
 */
export type RegistryError = typeof RegistryError.Type
