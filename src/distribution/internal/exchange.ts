import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import { scrubText } from "../../reference/internal/scrubText.ts"
import { RegistryUnavailable } from "../RegistryError.ts"
import type { RegistryHttp, RegistryRequest, RegistryResponse } from "../RegistryHttp.ts"
import { allowTarget, type RegistryOrigin, verifiesCertificate } from "./networkPolicy.ts"

export interface Exchange {
  readonly method: RegistryRequest["method"]
  readonly url: URL
  readonly headers?: Readonly<Record<string, string>> | undefined
  readonly authorization?: RegistryRequest["authorization"]
  readonly body?: RegistryRequest["body"]
  readonly timeout: Duration.Duration
  readonly maximumBody: number
  /** What a redirect to another origin does: it is followed without `authorization`, or not at all. */
  readonly otherOrigins: "without-authorization" | "refused"
}

const MAXIMUM_REDIRECTS = 5

export const unavailable = (
  registry: RegistryOrigin,
  reason: RegistryUnavailable["reason"],
  text: string
): RegistryUnavailable => new RegistryUnavailable({ registry: registry.host, reason, text: scrubText(text) })

const redirectTarget = (exchange: Exchange, response: RegistryResponse): string | undefined =>
  (exchange.method === "GET" || exchange.method === "HEAD") && [301, 302, 303, 307, 308].includes(response.status)
    ? response.headers["location"]?.[0]
    : undefined

const follow = (
  registry: RegistryOrigin,
  exchange: Exchange,
  location: string
): Either.Either<Exchange, RegistryUnavailable> =>
  allowTarget(registry, location, exchange.url).pipe(
    Either.filterOrLeft(
      (url) => exchange.otherOrigins !== "refused" || url.origin === exchange.url.origin,
      (url) => `${url.protocol}//${url.host} is another host`
    ),
    Either.mapBoth({
      onLeft: (reason) =>
        unavailable(registry, "address", `${exchange.url.host} redirects where gantry does not go: ${reason}`),
      onRight: (url) =>
        url.origin === exchange.url.origin ? { ...exchange, url } : { ...exchange, url, authorization: undefined }
    })
  )

/** An answer, and where it came from in the end. */
export interface Arrival {
  readonly response: RegistryResponse
  readonly from: URL
}

/** Sends a request within its time limit and follows the redirects of a read, as far as the network policy allows. */
export const send = (
  http: RegistryHttp["Type"],
  registry: RegistryOrigin,
  exchange: Exchange,
  redirects = 0
): Effect.Effect<Arrival, RegistryUnavailable> =>
  http
    .request({
      registry: registry.host,
      method: exchange.method,
      url: exchange.url,
      headers: exchange.headers ?? {},
      authorization: exchange.authorization,
      body: exchange.body,
      verifyCertificate: verifiesCertificate(registry, exchange.url),
      maximumBody: exchange.maximumBody
    })
    .pipe(
      Effect.timeoutFail({
        duration: exchange.timeout,
        onTimeout: () =>
          unavailable(
            registry,
            "timeout",
            `${exchange.url.host} gave no whole answer within ${Duration.format(exchange.timeout)}`
          )
      }),
      Effect.flatMap((response) => {
        const location = redirectTarget(exchange, response)
        if (location === undefined) return Effect.succeed({ response, from: exchange.url })
        if (redirects === MAXIMUM_REDIRECTS) {
          return Effect.fail(
            unavailable(registry, "protocol", `${exchange.url.host} redirects more than ${MAXIMUM_REDIRECTS} times`)
          )
        }
        return Effect.flatMap(follow(registry, exchange, location), (next) => send(http, registry, next, redirects + 1))
      })
    )
