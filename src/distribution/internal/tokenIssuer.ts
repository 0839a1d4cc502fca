import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import { type Credential, CredentialKind } from "../../credential/Credential.ts"
import type { RegistryError } from "../RegistryError.ts"
import type { RegistryHttp, RegistryResponse } from "../RegistryHttp.ts"
import type { Token } from "../TokenSource.ts"
import { basic } from "./authorization.ts"
import { classify } from "./classify.ts"
import { type Exchange, send, unavailable } from "./exchange.ts"
import type { RegistryOrigin } from "./networkPolicy.ts"
import { secretsOf } from "./secretsOf.ts"
import { grantedBy, readTokenAnswer } from "./tokenAnswer.ts"

export interface IssueRequest {
  readonly realm: URL
  readonly service: Option.Option<string>
  readonly scopes: ReadonlyArray<string>
}

const TIMEOUT = Duration.seconds(15)
const MAXIMUM_BODY = 1024 * 1024
const CLIENT_ID = "gantry"

const limits = { timeout: TIMEOUT, maximumBody: MAXIMUM_BODY, otherOrigins: "refused" } as const

/** https://distribution.github.io/distribution/spec/auth/token/ */
const getForm = ({ realm, scopes, service }: IssueRequest, authorization: Redacted.Redacted | undefined): Exchange => {
  const url = new URL(realm)
  for (const name of Option.toArray(service)) url.searchParams.set("service", name)
  for (const scope of scopes) url.searchParams.append("scope", scope)
  return { method: "GET", url, authorization, headers: { accept: "application/json" }, ...limits }
}

/** https://distribution.github.io/distribution/spec/auth/oauth/ */
const postForm = ({ realm, scopes, service }: IssueRequest, refreshToken: Redacted.Redacted): Exchange => {
  const form = new URLSearchParams({
    grant_type: "refresh_token",
    ...Option.match(service, { onNone: () => ({}), onSome: (name) => ({ service: name }) }),
    client_id: CLIENT_ID,
    ...(scopes.length === 0 ? {} : { scope: scopes.join(" ") }),
    refresh_token: Redacted.value(refreshToken)
  })
  return {
    method: "POST",
    url: realm,
    headers: { accept: "application/json", "content-type": "application/x-www-form-urlencoded" },
    body: Redacted.make(new TextEncoder().encode(form.toString())),
    ...limits
  }
}

/** Asks a registry's token servers for tokens, with what one credential allows: nothing is remembered but its rotation. */
export const makeTokenIssuer = (
  http: RegistryHttp["Type"],
  registry: RegistryOrigin,
  credential: Option.Option<Credential>
): ((request: IssueRequest) => Effect.Effect<Token, RegistryError>) => {
  /** The identity token that is good now: a server may give a new one with each answer. */
  let rotated: Option.Option<Redacted.Redacted> = Option.none()
  let knowsPost = true

  const refuse = (exchange: Exchange, response: RegistryResponse, now: number): RegistryError =>
    classify({
      registry: registry.host,
      speaker: `The token server ${exchange.url.host}`,
      response,
      authenticated: false,
      secrets: [...secretsOf(credential, exchange.authorization), ...Option.toArray(rotated).map(Redacted.value)],
      now
    })

  const ask = (exchange: Exchange): Effect.Effect<Token, RegistryError> =>
    Effect.gen(function* () {
      const { response } = yield* send(http, registry, exchange)
      const now = yield* Clock.currentTimeMillis
      if (response.status < 200 || response.status > 299) return yield* refuse(exchange, response, now)
      const answer = readTokenAnswer(new TextDecoder().decode(response.body), now)
      if (Option.isNone(answer)) {
        return yield* unavailable(
          registry,
          "protocol",
          `The token server ${exchange.url.host} answered without a token`
        )
      }
      rotated = Option.orElse(answer.value.refreshToken, () => rotated)
      return answer.value.token
    })

  const exchangeIdentity = (
    request: IssueRequest,
    username: Option.Option<string>,
    first: Redacted.Redacted
  ): Effect.Effect<Token, RegistryError> =>
    Effect.suspend(() => {
      const sent = Option.getOrElse(rotated, () => first)
      const byGet = Effect.suspend(() =>
        ask(
          getForm(
            request,
            basic(
              Option.getOrElse(username, () => ""),
              sent
            )
          )
        )
      )
      if (!knowsPost) return byGet
      return ask(postForm(request, sent)).pipe(
        // Google's and JFrog's servers know no POST: reference/auth.md section 4.
        Effect.catchIf(
          (error) => "status" in error && (error.status === 404 || error.status === 405),
          () => {
            knowsPost = false
            return byGet
          }
        ),
        // Another request has rotated it in the meantime.
        Effect.catchIf(
          (error) => error._tag === "RegistryUnauthorized" && Option.exists(rotated, (token) => token !== sent),
          () => exchangeIdentity(request, username, first)
        )
      )
    })

  return (request) =>
    Option.match(credential, {
      onNone: () => ask(getForm(request, undefined)),
      onSome: ({ kind }) =>
        CredentialKind.$match(kind, {
          UsernamePassword: ({ password, username }) => ask(getForm(request, basic(username, password))),
          IdentityToken: ({ token, username }) => exchangeIdentity(request, username, token),
          RegistryToken: ({ token }) =>
            Effect.succeed({
              value: token,
              renewAt: Number.POSITIVE_INFINITY,
              granted: grantedBy(Redacted.value(token))
            })
        })
    })
}
