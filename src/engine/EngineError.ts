/**
 * What goes wrong between gantry and a Docker Engine, before anybody has read what a registry meant.
 *
 * @since 0.1.0
 */
import * as Schema from "effect/Schema"

const endpoint = {
  /** The engine's address, such as `unix:///var/run/docker.sock`. */
  endpoint: Schema.String,
  /** Where the address came from, such as `DOCKER_HOST` or `the default`. */
  origin: Schema.String
}

/**
 * No engine answers at the address.
 *
 * @since 0.1.0
 * @category errors
 */
export class EngineUnavailable extends Schema.TaggedError<EngineUnavailable>("gantry/EngineError/EngineUnavailable")(
  "EngineUnavailable",
  {
    ...endpoint,
    reason: Schema.Literal("not-found", "refused", "permission", "timeout", "dns", "tls", "ssh", "other"),
    detail: Schema.String
  }
) {
  get isRetryable(): boolean {
    return this.reason !== "permission" && this.reason !== "tls" && this.reason !== "ssh"
  }
  get advice(): string {
    return this.reason === "refused" && !this.endpoint.startsWith("unix:")
      ? "Start the engine there, or correct the address: nothing listens at it."
      : unavailableAdvice[this.reason]
  }
  override get message(): string {
    return `No Docker Engine answers at ${this.endpoint} (from ${this.origin}): ${this.detail}. ${this.advice}`
  }
}

const unavailableAdvice: Record<EngineUnavailable["reason"], string> = {
  "not-found": "Start the engine, or say where it listens with DOCKER_HOST or a docker context.",
  refused: "Start the engine: its address is left over from one that has ended.",
  permission: "Add your user to the group that owns the socket (often `docker`), or use a rootless engine.",
  timeout: "Check that the engine's host is up and can be reached, and look at the engine's log.",
  dns: "Check the spelling of the engine's host.",
  tls: "Check that the context's certificates, or DOCKER_TLS_VERIFY and DOCKER_CERT_PATH, are those the engine wants.",
  ssh: "Run `ssh HOST docker version` by hand until it works: gantry starts the same ssh, which can not ask anything.",
  other: "Check that the address is an engine's."
}

/**
 * The engine's answer ended before it was complete, as when the engine is killed.
 *
 * What had been asked may or may not have been done.
 *
 * @since 0.1.0
 * @category errors
 */
export class EngineDisconnected extends Schema.TaggedError<EngineDisconnected>("gantry/EngineError/EngineDisconnected")(
  "EngineDisconnected",
  { ...endpoint, detail: Schema.String }
) {
  get isRetryable(): boolean {
    return true
  }
  get advice(): string {
    return "Check that the engine still runs, and push again: what the registry already has is not sent twice."
  }
  override get message(): string {
    return `The Docker Engine at ${this.endpoint} (from ${this.origin}) went away in the middle of its answer: ${this.detail}. ${this.advice}`
  }
}

/**
 * The settings that say where the engine is can not be used. `value` is empty when they could not be read.
 *
 * @since 0.1.0
 * @category errors
 */
export class EngineContextInvalid extends Schema.TaggedError<EngineContextInvalid>(
  "gantry/EngineError/EngineContextInvalid"
)("EngineContextInvalid", { origin: Schema.String, value: Schema.String, detail: Schema.String }) {
  get isRetryable(): boolean {
    return false
  }
  get advice(): string {
    return `Correct ${this.origin}, or leave it out to use the default engine.`
  }
  override get message(): string {
    const what = this.value === "" ? this.origin : `${this.origin} is "${this.value}", which`
    return `${what} can not be used. ${this.detail} ${this.advice}`
  }
}

/**
 * The engine said no, in its own words. `status` is the HTTP status; an error inside a stream has 200.
 *
 * @since 0.1.0
 * @category errors
 */
export class EngineRejected extends Schema.TaggedError<EngineRejected>("gantry/EngineError/EngineRejected")(
  "EngineRejected",
  { status: Schema.Number, text: Schema.String }
) {
  get isRetryable(): boolean {
    return false
  }
  get advice(): string {
    return "Look at the engine's log for more: these words are its own."
  }
  override get message(): string {
    return `The Docker Engine refused (HTTP ${this.status}): "${this.text}". ${this.advice}`
  }
}

/**
 * The engine is too old for what was asked.
 *
 * @since 0.1.0
 * @category errors
 */
export class EngineUnsupported extends Schema.TaggedError<EngineUnsupported>("gantry/EngineError/EngineUnsupported")(
  "EngineUnsupported",
  { feature: Schema.String, requiredApi: Schema.String, engineApi: Schema.String }
) {
  get isRetryable(): boolean {
    return false
  }
  get advice(): string {
    return "Update the engine, or leave that out."
  }
  override get message(): string {
    return `${this.feature} needs an engine of API ${this.requiredApi}, and this one has ${this.engineApi}. ${this.advice}`
  }
}

/**
 * Every failure of an engine, as a Schema.
 *
 * @since 0.1.0
 * @category schemas
 */
export const EngineError = Schema.Union(
  EngineUnavailable,
  EngineDisconnected,
  EngineContextInvalid,
  EngineRejected,
  EngineUnsupported
)

/**
 * @since 0.1.0
 * @category errors
 */
export type EngineError = typeof EngineError.Type
