import type { UnavailableReason } from "../RegistryError.ts"

const reasonByCode: Readonly<Record<string, UnavailableReason>> = {
  ECONNREFUSED: "refused",
  ECONNRESET: "reset",
  EPIPE: "reset",
  ECONNABORTED: "reset",
  ETIMEDOUT: "timeout",
  EHOSTUNREACH: "timeout",
  ENETUNREACH: "timeout",
  EHOSTDOWN: "timeout",
  ENOTFOUND: "dns",
  EAI_AGAIN: "dns",
  ERR_PROXY: "proxy",
  EADDRNOTAVAIL: "address",
  EINVAL: "address",
  ERR_SOCKET_BAD_PORT: "address",
  // OpenSSL's verification results, as https://nodejs.org/docs/latest-v20.x/api/tls.html#x509-certificate-error-codes lists them
  UNABLE_TO_GET_ISSUER_CERT: "certificate",
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: "certificate",
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: "certificate",
  DEPTH_ZERO_SELF_SIGNED_CERT: "certificate",
  SELF_SIGNED_CERT_IN_CHAIN: "certificate",
  CERT_HAS_EXPIRED: "certificate",
  CERT_NOT_YET_VALID: "certificate",
  CERT_CHAIN_TOO_LONG: "certificate",
  CERT_REVOKED: "certificate",
  CERT_UNTRUSTED: "certificate",
  CERT_REJECTED: "certificate",
  CERT_SIGNATURE_FAILURE: "certificate",
  INVALID_CA: "certificate",
  INVALID_PURPOSE: "certificate",
  HOSTNAME_MISMATCH: "certificate",
  ERR_TLS_CERT_ALTNAME_INVALID: "certificate"
}

/** Node's own name of the error, or OpenSSL's within it. */
const isPlainHttp = ({ code = "", message }: NodeJS.ErrnoException): boolean =>
  /WRONG_VERSION_NUMBER|HTTP_REQUEST|PACKET_LENGTH_TOO_LONG/.test(code) ||
  /wrong version number|packet length too long/.test(message)

/** A peer that ends a handshake because it wants a client certificate, or another one. */
const isCertificateAlert = ({ code = "", message }: NodeJS.ErrnoException): boolean =>
  /ALERT.*CERTIFICATE/.test(code) || /alert.*(?:certificate|unknown ca)/.test(message)

/** Why a request got no answer; a connection that broke for a reason nobody has named is worth another attempt. */
export const networkReason = (error: NodeJS.ErrnoException): UnavailableReason => {
  const code = error.code ?? ""
  if (isPlainHttp(error)) return "plain-http"
  if (isCertificateAlert(error)) return "certificate"
  if (code.startsWith("HPE_") || code.startsWith("ERR_SSL_") || code === "EPROTO") return "protocol"
  return reasonByCode[code] ?? "reset"
}

/** `localhost` has two addresses, and Node reports both failures as one error without words. */
export const networkDetail = (error: Error): string =>
  error instanceof AggregateError && error.errors[0] instanceof Error ? error.errors[0].message : error.message
