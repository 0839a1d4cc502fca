import type { TokenCredentialOptions } from "@azure/identity"
import * as FetchHttpClient from "@effect/platform/FetchHttpClient"
import * as HttpClient from "@effect/platform/HttpClient"
import * as HttpClientRequest from "@effect/platform/HttpClientRequest"
import type * as HttpClientResponse from "@effect/platform/HttpClientResponse"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Predicate from "effect/Predicate"
import * as Runtime from "effect/Runtime"
import * as Schema from "effect/Schema"
import { isPassing, rootCause } from "./serviceAnswer.ts"

/** The SDK's network, as it asks for one. */
type Network = NonNullable<TokenCredentialOptions["httpClient"]>
type Request = Parameters<Network["sendRequest"]>[0]
type Response = Awaited<ReturnType<Network["sendRequest"]>>

/** How a service refused: https://www.rfc-editor.org/rfc/rfc6749#section-5.2 */
export interface Refusal {
  readonly _tag: "Refused"
  readonly status: number
  readonly isPassing: boolean
  /** As `AADSTS90002: Tenant … not found`; nothing when the answer has no form that is known. */
  readonly words: string | undefined
}

/** What became of the last request; of most of it the SDK's own errors say nothing. */
export type Outcome = { readonly _tag: "Answered" } | Refusal | { readonly _tag: "Failed"; readonly cause: unknown }

/** A token that is shown to one service is not shown to another: nothing follows a redirect. */
export const send = (request: HttpClientRequest.HttpClientRequest) =>
  Effect.flatMap(HttpClient.HttpClient, (client) => client.execute(request)).pipe(
    Effect.provideService(FetchHttpClient.RequestInit, { redirect: "manual" })
  )

const OAuthError = Schema.Struct({ error: Schema.String, error_description: Schema.optional(Schema.String) })

/** https://distribution.github.io/distribution/spec/api/#errors */
const RegistryErrors = Schema.Struct({ errors: Schema.NonEmptyArray(Schema.Struct({ message: Schema.String })) })

const Said = Schema.parseJson(Schema.Union(OAuthError, RegistryErrors))

const wordsOf = (said: typeof Said.Type): string =>
  "errors" in said ? said.errors[0].message : (said.error_description ?? said.error)

/** Why an answer is none. */
export const refusalOf = (response: HttpClientResponse.HttpClientResponse): Effect.Effect<Option.Option<Refusal>> =>
  response.status < 300
    ? Effect.succeedNone
    : Effect.map(Effect.option(Effect.flatMap(response.text, Schema.decode(Said))), (said) =>
        Option.some({
          _tag: "Refused",
          status: response.status,
          isPassing: isPassing(response),
          words: Option.getOrUndefined(Option.map(said, wordsOf))
        })
      )

const headersOf = (response: HttpClientResponse.HttpClientResponse): Response["headers"] => {
  const headers = new Map(Object.entries(response.headers))
  return {
    get: (name) => headers.get(name.toLowerCase()),
    has: (name) => headers.has(name.toLowerCase()),
    set: (name, value) => void headers.set(name.toLowerCase(), String(value)),
    delete: (name) => void headers.delete(name.toLowerCase()),
    toJSON: () => Object.fromEntries(headers),
    [Symbol.iterator]: () => headers.entries()
  }
}

/** The SDK asks with these two methods only. */
const requestOf = ({ body, headers, method, url }: Request): HttpClientRequest.HttpClientRequest => {
  const make = method === "GET" ? HttpClientRequest.get : HttpClientRequest.post
  const request = HttpClientRequest.setHeaders(make(url), headers.toJSON())
  return Predicate.isString(body) ? HttpClientRequest.bodyText(request, body, headers.get("content-type")) : request
}

/**
 * Lets the SDK ask by the application's own client, so that requests end with the fiber that waits for them: the SDK
 * itself does not take them back. Not for managed identities: for these the SDK keeps the first network that the process
 * gave it, whoever did.
 */
export const useNetwork = Effect.fnUntraced(function* <A>(ask: (network: Network) => Promise<A>) {
  const run = Runtime.runPromise(yield* Effect.runtime<HttpClient.HttpClient>())
  let last = Option.none<Outcome>()
  const note = (outcome: Outcome) =>
    Effect.sync(() => {
      last = Option.some(outcome)
    })

  const exchange = Effect.fnUntraced(function* (request: Request) {
    const response = yield* send(requestOf(request))
    const bodyAsText = yield* response.text
    yield* note(Option.getOrElse(yield* refusalOf(response), (): Outcome => ({ _tag: "Answered" })))
    return { request, status: response.status, headers: headersOf(response), bodyAsText }
  })

  return yield* Effect.tryPromise({
    try: (signal) =>
      ask({
        sendRequest: (request) =>
          run(
            Effect.tapError(exchange(request), (error) => note({ _tag: "Failed", cause: rootCause(error) })),
            { signal }
          )
      }),
    catch: (error) => ({ error, last })
  })
})
