/**
 * Why a service connector gave nothing.
 *
 * @since 0.1.0
 */
import * as ParseResult from "effect/ParseResult"
import * as Predicate from "effect/Predicate"
import * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import { scrubText } from "../reference/internal/scrubText.ts"

/**
 * - `expired`: what the connector itself authenticates with is over, or so is what it issued
 * - `denied`: the service knows who asks and refuses
 * - `misconfigured`: the connector's options, or the resource asked of it, can not work
 * - `unavailable`: the service does not answer, or has a fault of its own; the only one that may pass by itself
 * - `unsupported`: the connector can not do that at all
 *
 * @since 0.1.0
 * @category models
 */
export const Reason = Schema.Literal("expired", "denied", "misconfigured", "unavailable", "unsupported")

/**
 * @since 0.1.0
 * @category models
 */
export type Reason = typeof Reason.Type

const advice: Record<Reason, string> = {
  expired: "Log in again where the connector's own credentials come from, and check this machine's clock.",
  denied: "Give the connector's identity access to the registry, or use another connector.",
  misconfigured: "Correct the connector's options, or use it for another registry.",
  unavailable: "Try again later.",
  unsupported: "Use another connector, or another of its authentication methods."
}

/**
 * A connector could not do what was asked of it.
 *
 * `connector` is its type, `resource` the registry it was asked for, `detail` what went wrong, without secrets.
 *
 * @since 0.1.0
 * @category errors
 */
export class ConnectorError extends Schema.TaggedError<ConnectorError>("gantry/ConnectorError")("ConnectorError", {
  connector: Schema.String,
  reason: Reason,
  resource: Schema.optional(Schema.String),
  detail: Schema.String
}) {
  get isRetryable(): boolean {
    return this.reason === "unavailable"
  }
  get advice(): string {
    return advice[this.reason]
  }
  override get message(): string {
    const where = this.resource === undefined ? "" : ` for ${this.resource}`
    return `The ${this.connector} connector failed${where} (${this.reason}): ${this.detail}. ${this.advice}`
  }
}

const textOf = (value: unknown): string | undefined =>
  Predicate.isString(value) || Predicate.isNumber(value) ? String(value) : undefined

const property = (value: unknown, name: string): string | undefined =>
  Predicate.hasProperty(value, name) ? textOf(value[name]) : undefined

const describe = (error: unknown): string => {
  if (ParseResult.isParseError(error)) {
    // Its message repeats what was parsed, and that is where a token stands.
    const paths = ParseResult.ArrayFormatter.formatErrorSync(error).map(
      ({ path }) => path.map(String).join(".") || "its top"
    )
    return `the answer has another form than expected at ${paths.join(", ")}`
  }
  const code = property(error, "code")
  const parts = [property(error, "name"), code && `(${code})`, textOf(error) ?? property(error, "message")]
  return parts.filter(Predicate.isTruthy).join(" ") || "an error without a message"
}

/**
 * A `ConnectorError` for somebody else's error, of which it keeps the name, the code and the scrubbed message: a vendor's
 * error object holds headers, bodies and signed URLs. Of an answer that does not parse it keeps where.
 *
 * @param options `secrets`: what was sent, so that it is not repeated
 * @since 0.1.0
 * @category constructors
 */
export const fromUnknown = (
  error: unknown,
  options: {
    readonly connector: string
    readonly reason: Reason
    readonly resource?: string | undefined
    readonly secrets?: ReadonlyArray<Redacted.Redacted> | undefined
  }
): ConnectorError =>
  new ConnectorError({
    connector: options.connector,
    reason: options.reason,
    resource: options.resource,
    detail: scrubText(describe(error), options.secrets?.map(Redacted.value))
  })
