import * as Predicate from "effect/Predicate"
import type * as Redacted from "effect/Redacted"
import { ConnectorError, fromUnknown, type Reason } from "../ConnectorError.ts"

export const CONNECTOR = "aws"

interface Row {
  readonly name: RegExp
  readonly reason: Reason
  readonly hint?: string
}

/** By name, as the SDK gives it: reference/auth.md section 5. Query services leave `Exception` out. */
const rows: ReadonlyArray<Row> = [
  { name: /^(ExpiredToken|RequestExpired|TokenRefreshRequired)/, reason: "expired" },
  {
    name: /^(InvalidSignature|SignatureDoesNotMatch|RequestTimeTooSkewed)/,
    reason: "denied",
    hint: "check the secret access key, and this machine's clock"
  },
  { name: /^(UnrecognizedClient|InvalidClientTokenId|InvalidAccessKeyId)/, reason: "denied", hint: "check the keys" },
  {
    name: /^(InvalidIdentityToken|IDPRejectedClaim)/,
    reason: "denied",
    hint: "check the account's identity provider, and the role's trust policy"
  },
  { name: /^(AccessDenied|NotAuthorized|OptInRequired)/, reason: "denied" },
  {
    name: /^(Throttling|TooManyRequests|RequestLimitExceeded|IDPCommunicationError|TimeoutError)/,
    reason: "unavailable"
  },
  { name: /^(EndpointError|CredentialsProviderError)/, reason: "misconfigured" }
]

const nameOf = (error: unknown): string => (Predicate.hasProperty(error, "name") ? String(error.name) : "")
const messageOf = (error: unknown): string => (Predicate.hasProperty(error, "message") ? String(error.message) : "")
const codeOf = (error: unknown): string => (Predicate.hasProperty(error, "code") ? String(error.code) : "")

const statusOf = (error: unknown): number =>
  Predicate.hasProperty(error, "$metadata") &&
  Predicate.hasProperty(error.$metadata, "httpStatusCode") &&
  Predicate.isNumber(error.$metadata.httpStatusCode)
    ? error.$metadata.httpStatusCode
    : 0

const reasonOfStatus = (status: number): Reason => {
  if (status === 401 || status === 403) return "denied"
  return status >= 400 && status < 500 && status !== 429 ? "misconfigured" : "unavailable"
}

const rowOf = (error: unknown): Pick<Row, "reason" | "hint"> => {
  const [name, message] = [nameOf(error), messageOf(error)]
  // Of a login in the browser that is over, the SDK says so in words only.
  if (name === "CredentialsProviderError" && /\bexpired\b/i.test(message)) return { reason: "expired" }
  if (codeOf(error) === "ERR_INVALID_URL") return { reason: "misconfigured", hint: "check the endpoint" }
  if (message.startsWith("Region is missing")) return { reason: "misconfigured" }
  return rows.find((row) => row.name.test(name)) ?? { reason: reasonOfStatus(statusOf(error)) }
}

/** An answer that the SDK could not read; its own words quote the answer, and that is where a token stands. */
const isUnreadable = (error: unknown): boolean =>
  error instanceof SyntaxError || messageOf(error).includes("Deserialization error")

const unreadable = (status: number): string => {
  const from = status === 0 ? "" : ` (HTTP ${status})`
  return `the answer${from} has another form than expected`
}

/** An answer of the service that lacks what was asked for. */
export const incompleteAnswer = (resource: string, what: string): ConnectorError =>
  new ConnectorError({ connector: CONNECTOR, reason: "unavailable", resource, detail: `the answer holds no ${what}` })

/** An error of AWS's SDK as ours, without what was sent and received. */
export const fromSdk = (
  error: unknown,
  options: { readonly resource: string; readonly secrets: ReadonlyArray<Redacted.Redacted> }
): ConnectorError => {
  const { hint, reason } = rowOf(error)
  const words = isUnreadable(error)
    ? unreadable(statusOf(error))
    : fromUnknown(error, { ...options, connector: CONNECTOR, reason }).detail.replace(/\.$/, "")
  const detail = hint === undefined ? words : `${words}; ${hint}`
  return new ConnectorError({ connector: CONNECTOR, reason, resource: options.resource, detail })
}
