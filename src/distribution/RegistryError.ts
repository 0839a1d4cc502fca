/**
 * What a registry says when it will not do what was asked: one tag for each thing a caller would treat differently.
 *
 * Whoever spoke to the registry, an engine or gantry itself, the same refusal is the same error.
 *
 * @since 0.1.0
 */
import * as Duration from "effect/Duration"
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

const words = (error: { readonly text: string }): string => (error.text === "" ? "" : ` It said: "${error.text}".`)

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
  get advice(): string {
    return `Log in again (docker login ${this.registry}), or correct the credential in use.`
  }
  override get message(): string {
    return `${place(this)} does not accept the credential, or wants one and got none.${words(this)} ${this.advice}`
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
  get advice(): string {
    return "Give the credential the right to do it; if it has that, look for a lock on the repository or a quota that is used up."
  }
  override get message(): string {
    return `${place(this)} knows who asks and does not allow it.${words(this)} ${this.advice}`
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
  get advice(): string {
    return "Create it first, or correct the name; if it is there, give the credential the right to see it."
  }
  override get message(): string {
    return `The repository ${place(this)} does not exist, and the registry does not create it on push.${words(this)} ${this.advice}`
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
  get advice(): string {
    return "Push under a new tag."
  }
  override get message(): string {
    const tag = this.tag === undefined ? "" : `:${this.tag}`
    return `${place(this)}${tag} already exists with other content, and its tags do not move.${words(this)} ${this.advice}`
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
  get advice(): string {
    const wait = this.retryAfter === undefined ? "a while" : Duration.format(this.retryAfter)
    return `Wait ${wait} and try again, or use a lower --concurrency.`
  }
  override get message(): string {
    return `${place(this)} asks for fewer requests.${words(this)} ${this.advice}`
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

type At = (registry: string, why: string) => string

const whatHappened: Record<UnavailableReason, At> = {
  refused: (registry, why) => `${registry} refuses connections${why}: nothing listens there.`,
  reset: (registry, why) => `The connection to ${registry} broke${why}.`,
  timeout: (registry, why) => `${registry} did not answer in time${why}.`,
  status: (registry, why) => `${registry} answers with a fault of its own${why}.`,
  dns: (registry, why) => `The name of ${registry} does not resolve${why}.`,
  proxy: (registry, why) => `The proxy before ${registry} gives no way to it${why}.`,
  certificate: (registry, why) => `The certificate of ${registry} is not trusted${why}.`,
  "plain-http": (registry, why) => `${registry} speaks plain HTTP where HTTPS was expected${why}.`,
  address: (registry, why) => `${registry} leads to an address that can not be used${why}.`,
  protocol: (registry, why) => `What answers at ${registry} does not speak as a registry does${why}.`
}

const whatToDo: Record<UnavailableReason, (registry: string) => string> = {
  refused: () => "Check the host and port, and that the registry runs.",
  reset: () => "Try again; if it stays so, look for a proxy or a firewall between.",
  timeout: () => "Check the network and the registry's health, then try again.",
  status: () => "Try again later; if it stays so, look at the registry's log.",
  dns: () => "Check the name's spelling and this machine's resolver.",
  proxy: () => "Check HTTPS_PROXY and HTTP_PROXY, or add the host to NO_PROXY.",
  certificate: (registry) =>
    `Install its CA (as /etc/docker/certs.d/${registry}/ca.crt, for Docker too), or use --tls-skip-verify ${registry}.`,
  "plain-http": (registry) =>
    `Use --plain-http ${registry}; when it is the engine that refuses, add ${registry} to its insecure-registries.`,
  address: () => "Check the host and port, and where the registry redirects to.",
  protocol: () => "Check that the host and port are a registry's, and not a web site's or a login page's."
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
  get advice(): string {
    return whatToDo[this.reason](this.registry)
  }
  override get message(): string {
    // The words of the network as often as the registry's own.
    const why = this.text === "" ? "" : ` (${this.text})`
    return `${whatHappened[this.reason](this.registry, why)} ${this.advice}`
  }
}

const manifestReasons = {
  invalid:
    "Check that the registry takes this kind of image (OCI, several platforms, attestations), or build it without.",
  "blob-unknown": "Push again: the registry does not see a layer that it has just been sent.",
  "too-large": "Make the image's manifest smaller: fewer layers, platforms or annotations.",
  "tag-invalid": "Push under another tag: the registry does not allow this one."
} as const

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
  get advice(): string {
    return manifestReasons[this.reason]
  }
  override get message(): string {
    return `${place(this)} does not accept the image's manifest (${this.reason}).${words(this)} ${this.advice}`
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
  get advice(): string {
    return "Do not use this image before you know what changes it: look for a proxy or a cache between gantry and the registry."
  }
  override get message(): string {
    return `${place(this)} answered ${this.actual} where ${this.expected} was expected. ${this.advice}`
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
  get advice(): string {
    return "Look these words up at the registry's operator: gantry does not know them."
  }
  override get message(): string {
    const status = this.status === undefined ? "" : ` (HTTP ${this.status})`
    return `${place(this)} refused${status}.${words(this)} ${this.advice}`
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
