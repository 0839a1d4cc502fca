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
    reason: Schema.Literal("not-found", "refused", "permission", "timeout", "dns", "tls", "other"),
    detail: Schema.String
  }
) {
  get isRetryable(): boolean {
    return this.reason !== "permission" && this.reason !== "tls"
  }
  override get message(): string {
    return `No Docker Engine answers at ${this.endpoint} (from ${this.origin}): ${this.detail}. ${unavailableAdvice[this.reason]}`
  }
}

const unavailableAdvice: Record<EngineUnavailable["reason"], string> = {
  "not-found": "Start the engine, or set DOCKER_HOST to where it listens.",
  refused: "Start the engine: its address is left over from one that has ended.",
  permission: "Add your user to the group that owns the socket, or use a rootless engine.",
  timeout: "The engine is there but does not answer: look at its log.",
  dns: "Check the host's spelling in DOCKER_HOST.",
  tls: "Check that DOCKER_TLS_VERIFY and DOCKER_CERT_PATH fit the engine's certificates.",
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
  override get message(): string {
    return `The Docker Engine at ${this.endpoint} (from ${this.origin}) went away in the middle of its answer: ${this.detail}. Check that it still runs; pushing again resumes.`
  }
}

/**
 * The settings that say where the engine is can not be used.
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
  override get message(): string {
    return `${this.origin} says the Docker Engine is at "${this.value}", which can not be used: ${this.detail}`
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
  override get message(): string {
    return `The Docker Engine refused (HTTP ${this.status}): ${this.text}`
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
  override get message(): string {
    return `${this.feature} needs an engine of API ${this.requiredApi}; this one has ${this.engineApi}. Update the engine, or leave it out.`
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
