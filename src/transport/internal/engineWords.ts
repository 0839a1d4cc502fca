/**
 * Takes an engine's message apart: what the engine says about its own doing, the status and the code of the registry's
 * answer, and the words that are left. Everything is anchored at the start of what is left, so that no host, repository
 * or tag, whatever its name, is taken for a code or a status.
 */
import type { EngineRejected } from "../../engine/EngineError.ts"

/**
 * The codes of the distribution specification in the spelling engines give them, each with its default text, which is
 * all that some engines leave of it (reference/engine.md section 1, facts 9 and 10).
 *
 * Source: https://github.com/distribution/distribution/blob/v2.8.2/registry/api/errcode/register.go and
 * https://github.com/distribution/distribution/blob/v2.8.2/registry/api/v2/errors.go
 */
const textByCode = {
  unauthorized: "authentication required",
  denied: "requested access to the resource is denied",
  toomanyrequests: "too many requests",
  unavailable: "service unavailable",
  unsupported: "The operation is unsupported.",
  unknown: "unknown error",
  "name unknown": "repository name not known to registry",
  "name invalid": "invalid repository name",
  "tag invalid": "manifest tag did not match URI",
  "manifest invalid": "manifest invalid",
  "manifest unknown": "manifest unknown",
  "manifest unverified": "manifest failed signature verification",
  "manifest blob unknown": "blob unknown to registry",
  "blob unknown": "blob unknown to registry",
  "blob upload unknown": "blob upload unknown to registry",
  "blob upload invalid": "blob upload invalid",
  "digest invalid": "provided digest did not match uploaded content",
  "size invalid": "provided length did not match content length"
} as const

export type ErrorCode = keyof typeof textByCode

const codes = Object.entries(textByCode) as ReadonlyArray<[ErrorCode, string]>

/** What one message says. */
export interface EngineMessage {
  /** The HTTP status of the engine's own answer. */
  readonly engineStatus: number
  /** The HTTP status of the registry's answer, when the engine repeats it. */
  readonly status: number | undefined
  readonly code: ErrorCode | undefined
  /** What is left when context, status and code are taken away: the first line, without blanks around it. */
  readonly words: string
  /** Whether the words are about one HTTP request of the engine (`Put "https://…": EOF`). */
  readonly isAboutRequest: boolean
}

/** What engines put in front of a message, in any order and number. Names and URLs never hold a blank. */
const contexts: ReadonlyArray<RegExp> = [
  /^errors:\n/,
  /^unknown: /,
  /^\[DEPRECATED\] support for pushing manifest v2 schema1 images has been removed\. More information at \S+ /,
  /^(?<method>Get|Head|Post|Put|Patch|Delete) "[^"]*": /,
  // containerd
  /^push access denied, repository does not exist or may require authorization: /,
  /^authorization failed: /,
  /^error from registry: /,
  /^failed commit on ref "[^"]*": /,
  /^failed to (?:do request|copy|authorize|fetch oauth token|fetch anonymous token): /,
  // containers/image
  /^trying to reuse blob \S+ at destination: /,
  /^checking whether a blob \S+ exists in \S+: /,
  /^pinging container registry \S+: /,
  /^unable to retrieve auth token: /,
  /^writing (?:blob|manifest): /,
  /^initiating layer upload to \S+ in \S+: /,
  /^uploading layer chunked: /,
  /^uploading manifest \S+ to \S+: /,
  /^Uploading manifest failed, attempted the following formats: [^\s(]+\(/,
  // The URL has a query: whoever took that out may have taken the colon too.
  /^uploading layer to \S+ /
]

/** How engines repeat the status of a registry's answer; what follows are the registry's own words. */
const statuses: ReadonlyArray<RegExp> = [
  /^received unexpected HTTP status: (?<status>\d{3})\b/,
  /^error parsing HTTP (?<status>\d{3}) response body: [^"]*"?/,
  /^unexpected status from [A-Z]+ request to \S+ (?<status>\d{3})\b/,
  /^StatusCode: (?<status>\d{3}),/,
  /^failed to read from destination repository \S+: (?<status>\d{3}) \(/,
  /^<html>\s*<head><title>(?<status>\d{3}) /
]

const firstMatch = (patterns: ReadonlyArray<RegExp>, text: string): RegExpExecArray | undefined => {
  for (const pattern of patterns) {
    const match = pattern.exec(text)
    if (match !== null) return match
  }
  return undefined
}

/** A registry may answer with a page of 300 KB; whatever can be recognised stands in front. */
const MAXIMUM_LENGTH = 4096

const readCode = (line: string): Pick<EngineMessage, "code" | "words"> => {
  for (const [code, text] of codes) {
    if (line === code || line === text) return { code, words: "" }
    if (line.startsWith(`${code}: `)) return { code, words: line.slice(code.length + 2) }
  }
  return { code: undefined, words: line }
}

export const read = (rejection: Pick<EngineRejected, "status" | "text">): EngineMessage => {
  let rest = rejection.text.slice(0, MAXIMUM_LENGTH)
  let isAboutRequest = false
  for (let match = firstMatch(contexts, rest); match !== undefined; match = firstMatch(contexts, rest)) {
    rest = rest.slice(match[0].length)
    isAboutRequest = match.groups?.["method"] !== undefined
  }
  const answer = firstMatch(statuses, rest)
  if (answer !== undefined) rest = rest.slice(answer[0].length)
  const lineEnd = rest.indexOf("\n")
  return {
    engineStatus: rejection.status,
    status: answer === undefined ? undefined : Number(answer.groups?.["status"]),
    ...readCode((lineEnd < 0 ? rest : rest.slice(0, lineEnd)).trim()),
    isAboutRequest
  }
}
