import * as Predicate from "effect/Predicate"
import { EngineDisconnected, type EngineError, EngineRejected, EngineUnavailable } from "../EngineError.ts"
import type { EngineAddress } from "../EngineStream.ts"
import { scrub } from "./scrub.ts"
import { SshFailure } from "./sshFailure.ts"

const reasons: ReadonlyMap<string, EngineUnavailable["reason"]> = new Map([
  ["ENOENT", "not-found"],
  ["ECONNREFUSED", "refused"],
  ["EACCES", "permission"],
  ["EPERM", "permission"],
  ["ETIMEDOUT", "timeout"],
  ["ENOTFOUND", "dns"],
  ["EAI_AGAIN", "dns"],
  ["EPROTO", "tls"],
  ["DEPTH_ZERO_SELF_SIGNED_CERT", "tls"],
  ["SELF_SIGNED_CERT_IN_CHAIN", "tls"]
])

/** Node's codes for certificates and TLS: https://nodejs.org/docs/latest-v20.x/api/tls.html#x509-certificate-error-codes */
const isTls = (code: string): boolean => /^(?:CERT_|UNABLE_TO_|CRL_|ERR_TLS_|ERR_SSL_|ERR_OSSL_)/.test(code)

/** The connection was there and went away: whether the request was carried out is unknown. */
const isLost = (code: string): boolean => code === "ECONNRESET" || code === "EPIPE"

const codeOf = (error: unknown): string =>
  Predicate.hasProperty(error, "code") && Predicate.isString(error.code) ? error.code : ""

const textOf = (error: unknown): string => scrub(Predicate.isError(error) ? error.message : String(error))

/** What OpenSSL calls a wrong version is an answer that is no TLS at all. */
const NO_TLS =
  "it speaks no TLS there, and was asked with TLS; unset DOCKER_TLS_VERIFY and DOCKER_TLS, or correct the port or the context"

/** What a request that got no response means. */
export const requestError = (error: unknown, address: EngineAddress): EngineUnavailable | EngineDisconnected => {
  if (error instanceof SshFailure) {
    return new EngineUnavailable({ ...address, reason: error.reason, detail: error.message })
  }
  const code = codeOf(error)
  if (isLost(code)) return new EngineDisconnected({ ...address, detail: "the connection closed before it answered" })
  const reason = reasons.get(code) ?? (isTls(code) ? "tls" : "other")
  const detail = /wrong version number/i.test(textOf(error)) ? NO_TLS : textOf(error)
  return new EngineUnavailable({ ...address, reason, detail })
}

/** Go's answer, and nginx's, to plain HTTP on a port for TLS. */
const wantsTls = /HTTP request (?:was sent )?to (?:an )?HTTPS (?:server|port)/

/** What a refusal with a clean text means: it is the engine's own, unless TLS is spoken where the request came to without. */
export const refusalError = (
  status: number,
  text: string,
  address: EngineAddress
): EngineRejected | EngineUnavailable =>
  status === 400 && wantsTls.test(text)
    ? new EngineUnavailable({
        ...address,
        reason: "tls",
        detail:
          "it speaks TLS, and was asked without; set DOCKER_TLS_VERIFY=1 and DOCKER_CERT_PATH, or use a docker context that has its certificates"
      })
    : new EngineRejected({ status, text: text || "it gave no reason" })

/** docker-modem keeps of an answer only `(HTTP code 500) server error - TEXT ` with a blank at its end. */
const modemMessage = /^\(HTTP code \d+\) [^-]* - ([\s\S]*?) ?$/

/** What a failure of the borrowed dockerode client means; `undefined` when it is none of the engine's. */
export const clientError = (error: unknown, address: EngineAddress): EngineError | undefined => {
  if (!Predicate.isError(error)) return undefined
  if (Predicate.hasProperty(error, "statusCode") && Predicate.isNumber(error.statusCode)) {
    const text = modemMessage.exec(error.message)?.[1] ?? error.message
    return new EngineRejected({ status: error.statusCode, text: scrub(text) })
  }
  return Predicate.hasProperty(error, "syscall") || isLost(codeOf(error)) ? requestError(error, address) : undefined
}
