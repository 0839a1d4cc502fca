import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Encoding from "effect/Encoding"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import { type Credential, echoes, registryToken, usernamePassword } from "../../credential/Credential.ts"
import { type Codec, codec, type Exchange, type Scrub, type Tape } from "../../transcript/Transcript.ts"
import { RegistryUnavailable } from "../RegistryError.ts"
import type { RegistryHttp, RegistryRequest, RegistryResponse } from "../RegistryHttp.ts"
import { safeBody } from "./safeBody.ts"
import { withSafeUrls } from "./safeUrl.ts"
import { tokensIn } from "./tokenAnswer.ts"

/**
 * What gantry reads of an answer, and no cookie. `date` is not among them, though `RegistryClient.serverTime` reads it: it is
 * of the recorded run, and a replay has another time, so that a server of a transcript tells none.
 */
const keptHeaders = [
  "content-length",
  "content-type",
  "docker-content-digest",
  "link",
  "location",
  "retry-after",
  "www-authenticate"
]

const Answer = Schema.Struct({
  status: Schema.Int,
  headers: Schema.Record({ key: Schema.String, value: Schema.Array(Schema.String) }),
  body: Schema.String,
  truncated: Schema.Boolean
})

/** Another run has another time: a `Retry-After` that is a date becomes the seconds that it was away. */
const relative = (value: string, at: number): string => {
  // `Date.parse` reads numbers too, as years.
  const date = /^\s*[A-Z][a-z]+,? /.test(value) ? Date.parse(value) : Number.NaN
  return Number.isNaN(date) ? value : String(Math.max(0, Math.ceil((date - at) / 1000)))
}

const safeHeaders = (headers: RegistryResponse["headers"], at: number, scrub: Scrub): (typeof Answer.Type)["headers"] =>
  Object.fromEntries(
    keptHeaders.flatMap((name) => {
      const values = headers[name]?.map((value) =>
        withSafeUrls(scrub(name === "retry-after" ? relative(value, at) : value))
      )
      return values === undefined ? [] : [[name, values]]
    })
  )

const { decode } = codec(Answer)

const answerTo = (request: RegistryRequest): Codec<RegistryResponse> => ({
  encode: (response, at, scrub): typeof Answer.Encoded => ({
    status: response.status,
    headers: safeHeaders(response.headers, at, scrub),
    body: safeBody(request, response, at, scrub),
    truncated: response.truncated
  }),
  decode: (json) => Either.map(decode(json), (answer) => ({ ...answer, body: new TextEncoder().encode(answer.body) }))
})

/** gantry's own words hold no URL; those of somebody's own network may. */
const failure: Codec<RegistryUnavailable> = {
  ...codec(RegistryUnavailable),
  encode: (error, _, scrub) => {
    const fields = Schema.encodeSync(RegistryUnavailable)(error)
    return { ...fields, text: withSafeUrls(scrub(fields.text)) }
  }
}

const ofToken = (host: string, token: string): Credential => registryToken({ host, token: Redacted.make(token) })

const ofPair = (host: string, pair: string): Credential => {
  const colon = pair.indexOf(":")
  return usernamePassword({ host, username: pair.slice(0, colon), password: Redacted.make(pair.slice(colon + 1)) })
}

const schemeOf = ({ authorization }: RegistryRequest): readonly [scheme: string, value: string] => {
  const [scheme = "", value = ""] = authorization === undefined ? [] : Redacted.value(authorization).split(" ")
  return [scheme, value]
}

/** What a request says and nobody may repeat, in every form: its authorization, and what a form to a token server holds. */
const secretsOf = (request: RegistryRequest): ReadonlyArray<string> => {
  const [scheme, value] = schemeOf(request)
  const pair = scheme === "Basic" ? Either.getOrElse(Encoding.decodeBase64String(value), () => "") : ""
  const isForm = request.headers["content-type"] === "application/x-www-form-urlencoded"
  const form = isForm && request.body !== undefined ? new TextDecoder().decode(Redacted.value(request.body)) : ""
  const sent = new URLSearchParams(form).get("refresh_token") ?? ""
  return [
    value,
    ...(pair === "" ? [] : echoes(Option.some(ofPair(request.registry, pair)))),
    ...[value, sent]
      .filter((token) => token !== "")
      .flatMap((token) => echoes(Option.some(ofToken(request.registry, token))))
  ]
}

const exchangeOf = (request: RegistryRequest): Exchange<RegistryResponse, RegistryUnavailable, never> => {
  const [scheme] = schemeOf(request)
  const rights = scheme === "" ? [] : ["with", scheme]
  return {
    party: "registry",
    request: (scrub) => [request.method, withSafeUrls(scrub(request.url.href)), ...rights].join(" "),
    secrets: secretsOf(request),
    secretsOf: ({ body }) =>
      tokensIn(new TextDecoder().decode(body)).flatMap((token) =>
        echoes(Option.some(ofToken(request.registry, token)))
      ),
    answer: answerTo(request),
    error: failure,
    piece: { encode: (said) => said, decode: Schema.decodeUnknownEither(Schema.Never) }
  }
}

/** A network behind a tape. */
const through = (tape: Tape, http: RegistryHttp["Type"]): RegistryHttp["Type"] => ({
  request: (request) =>
    tape.exchange(
      exchangeOf(request),
      () => http.request(request),
      () => {}
    )
})

/** The network, whose answers are written down. */
export const record: (tape: Tape, http: RegistryHttp["Type"]) => RegistryHttp["Type"] = through

/** The network that a transcript tells of. */
export const replay = (tape: Tape): RegistryHttp["Type"] => through(tape, { request: () => Effect.never })
