import * as HttpClientRequest from "@effect/platform/HttpClientRequest"
import * as HttpClientResponse from "@effect/platform/HttpClientResponse"
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import * as Credential from "../../credential/Credential.ts"
import { fromExchange, fromNetwork, unreadableAnswer } from "./azureFailure.ts"
import { refusalOf, send } from "./azureHttp.ts"
import { expiresAt, isJsonWebToken } from "./jsonWebToken.ts"
import { rootCause } from "./serviceAnswer.ts"

/** Who logs in with a refresh token: https://github.com/Azure/acr/blob/main/docs/AAD-OAuth.md. */
const USERNAME = "00000000-0000-0000-0000-000000000000"

const Answer = Schema.Struct({
  refresh_token: Schema.Redacted(Schema.String.pipe(Schema.filter(isJsonWebToken)))
})

/**
 * Exchanges an Entra token for a login of a registry, which ends when its refresh token says so, and not with the Entra token.
 *
 * @param options `endpoint`: the registry's own address unless given; `tenant`: of the identity, when it is known
 */
export const exchange = Effect.fnUntraced(function* (
  host: string,
  options: {
    readonly token: Redacted.Redacted
    readonly tenant: string | undefined
    readonly endpoint: string | undefined
  }
) {
  const { endpoint = `https://${host}`, tenant, token } = options
  const about = { resource: host, secrets: [token] }
  const issuedAt = yield* DateTime.now
  const request = HttpClientRequest.bodyUrlParams(HttpClientRequest.post(`${endpoint}/oauth2/exchange`), {
    grant_type: "access_token",
    service: host,
    ...(tenant === undefined ? {} : { tenant }),
    access_token: Redacted.value(token)
  })
  const response = yield* Effect.mapError(send(request), (error) => fromNetwork(rootCause(error), about))
  const refusal = yield* refusalOf(response)
  if (Option.isSome(refusal)) return yield* fromExchange(refusal.value, about)
  const { refresh_token } = yield* Effect.mapError(HttpClientResponse.schemaBodyJson(Answer)(response), () =>
    unreadableAnswer(host, "the registry")
  )
  return Credential.usernamePassword({
    host,
    username: USERNAME,
    password: refresh_token,
    expiry: Option.match(expiresAt(refresh_token), {
      onNone: () => Credential.Expiry.Unknown({ issuedAt }),
      onSome: (at) => Credential.Expiry.At({ at, issuedAt })
    })
  })
})
