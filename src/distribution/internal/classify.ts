import * as Duration from "effect/Duration"
import {
  ManifestRejected,
  RegistryDenied,
  type RegistryError,
  RegistryRateLimited,
  RegistryRejected,
  RegistryUnauthorized,
  RegistryUnavailable,
  RepositoryNotFound,
  TagImmutable
} from "../RegistryError.ts"
import type { RegistryResponse } from "../RegistryHttp.ts"
import { readAnswerText } from "./answerText.ts"

/** What a registry answered, and to whom. */
export interface Refusal {
  readonly registry: string
  readonly repository?: string | undefined
  /** Who else said it, when it was not the registry. */
  readonly speaker?: string | undefined
  /** The tag of a manifest that was to be stored. */
  readonly tag?: string | undefined
  readonly response: RegistryResponse
  /** Whether the request carried a credential, so that a 401 about rights is no question of who we are. */
  readonly authenticated: boolean
  /** What was sent and must not be repeated by an error. */
  readonly secrets: ReadonlyArray<string>
  /** Milliseconds since the epoch, for a `Retry-After` that is a date. */
  readonly now: number
}

interface Answer extends Refusal {
  readonly status: number
  readonly codes: ReadonlyArray<string>
  readonly text: string
}

/** `Retry-After` in seconds or as a date: https://www.rfc-editor.org/rfc/rfc9110#name-retry-after */
const retryAfter = ({ now, response }: Answer): Duration.Duration | undefined => {
  const value = response.headers["retry-after"]?.[0]?.trim() ?? ""
  if (/^\d{1,9}$/.test(value)) return Duration.seconds(Number(value))
  const at = /^[A-Z][a-z]+,? /.test(value) ? Date.parse(value) : Number.NaN
  return Number.isNaN(at) ? undefined : Duration.millis(Math.max(0, at - now))
}

const refusal = ({ registry, repository, speaker, status, text }: Answer) => ({
  registry,
  ...(repository === undefined ? {} : { repository }),
  status,
  text: speaker === undefined ? text : `${speaker}: ${text === "" ? `HTTP ${status}` : text}`
})

const delayed = (answer: Answer) => {
  const delay = retryAfter(answer)
  return { ...refusal(answer), ...(delay === undefined ? {} : { retryAfter: delay }) }
}

type Test = (answer: Answer) => boolean
type Outcome = (answer: Answer) => RegistryError

const status =
  (...wanted: ReadonlyArray<number>): Test =>
  (answer) =>
    wanted.includes(answer.status)

const code =
  (...wanted: ReadonlyArray<string>): Test =>
  (answer) =>
    wanted.some((name) => answer.codes.includes(name))

const says =
  (pattern: RegExp): Test =>
  (answer) =>
    pattern.test(answer.text)

const both =
  (first: Test, second: Test): Test =>
  (answer) =>
    first(answer) && second(answer)

const either =
  (first: Test, second: Test): Test =>
  (answer) =>
    first(answer) || second(answer)

// 501 and 505 say that the server will never do it.
const isServerFault: Test = (answer) =>
  answer.status === 408 || (answer.status >= 500 && answer.status !== 501 && answer.status !== 505)

const isAboutRights: Test = (answer) =>
  answer.authenticated &&
  (code("DENIED")(answer) ||
    (answer.response.headers["www-authenticate"] ?? []).some((value) => value.includes("insufficient_scope")))

const isAboutManifest: Test = (answer) => answer.tag !== undefined

const unauthorized: Outcome = (answer) => new RegistryUnauthorized(refusal(answer))
const denied: Outcome = (answer) => new RegistryDenied(refusal(answer))
const notFound: Outcome = (answer) => new RepositoryNotFound(refusal(answer))
const immutable: Outcome = (answer) =>
  new TagImmutable({ ...refusal(answer), ...(answer.tag === undefined ? {} : { tag: answer.tag }) })
const unavailable =
  (reason: RegistryUnavailable["reason"]): Outcome =>
  (answer) =>
    new RegistryUnavailable({ ...delayed(answer), reason })
const manifestRejected =
  (reason: ManifestRejected["reason"]): Outcome =>
  (answer) =>
    new ManifestRejected({ ...refusal(answer), reason })

/**
 * The first row that fits decides. Codes stand before wording, and wording is matched as whole phrases: names of
 * repositories are part of messages. Texts: reference/engine.md section 5, reference/auth.md section 5.
 */
const rows: ReadonlyArray<readonly [Test, Outcome]> = [
  // ECR: 403, text/plain, "Your authorization token has expired. Reauthenticate and try again."
  [both(status(401, 403), says(/^Your authorization token has expired\b/)), unauthorized],
  // distribution answers 401 also to who may not: https://github.com/distribution/distribution/blob/v2.8.2/registry/auth/token/accesscontroller.go
  [both(status(401), isAboutRights), denied],
  [status(401), unauthorized],
  // Token servers: https://www.rfc-editor.org/rfc/rfc6749#section-5.2
  [both(status(400), code("INVALID_GRANT", "INVALID_CLIENT")), unauthorized],
  [either(status(429), code("TOOMANYREQUESTS")), (answer) => new RegistryRateLimited(delayed(answer))],
  [status(407), unavailable("proxy")],
  [isServerFault, unavailable("status")],
  // ECR (TAG_INVALID), Artifact Registry (MANIFEST_INVALID), Harbor (412)
  [says(/because the (?:tag|repository) is immutable|has enabled tag immutability|configured as immutable/), immutable],
  [code("NAME_UNKNOWN"), notFound],
  // Harbor
  [both(code("NOT_FOUND"), says(/^project \S+ not found/)), notFound],
  [code("DENIED"), denied],
  [code("MANIFEST_BLOB_UNKNOWN"), manifestRejected("blob-unknown")],
  [code("MANIFEST_INVALID", "MANIFEST_UNVERIFIED"), manifestRejected("invalid")],
  [code("TAG_INVALID"), manifestRejected("tag-invalid")],
  [both(status(413), isAboutManifest), manifestRejected("too-large")],
  // ACR's locks: https://learn.microsoft.com/azure/container-registry/container-registry-image-lock
  [both(status(405), says(/^The operation is disallowed on this registry, repository or image/)), denied],
  [status(403), denied],
  // Go's server on a TLS port
  [both(status(400), says(/^Client sent an HTTP request to an HTTPS server/)), unavailable("protocol")]
]

/** The error that a registry's refusal is; what nobody has classified stays `RegistryRejected` with its words. */
export const classify = (input: Refusal): RegistryError => {
  const answer: Answer = {
    ...input,
    status: input.response.status,
    ...readAnswerText(input.response, input.secrets)
  }
  const row = rows.find(([test]) => test(answer))
  return row === undefined ? new RegistryRejected(refusal(answer)) : row[1](answer)
}
