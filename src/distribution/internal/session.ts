import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import { type Credential, CredentialKind } from "../../credential/Credential.ts"
import * as Challenge from "../Challenge.ts"
import type { RegistryError } from "../RegistryError.ts"
import type { RegistryResponse } from "../RegistryHttp.ts"
import * as TokenSource from "../TokenSource.ts"
import { MAXIMUM_REFUSAL } from "./answerText.ts"
import { basic, bearer } from "./authorization.ts"
import { classify } from "./classify.ts"
import { type Exchange, send } from "./exchange.ts"
import type { RegistryOrigin } from "./networkPolicy.ts"
import type { Owner } from "./owner.ts"
import { secretsOf } from "./secretsOf.ts"
import { grantedBy } from "./tokenAnswer.ts"

/** One request to the registry, before anybody has authenticated it. */
export interface Call {
  readonly method: Exchange["method"]
  readonly url: URL
  readonly headers?: Exchange["headers"]
  readonly body?: Exchange["body"]
  /** The longest body of a success, in bytes. */
  readonly maximumBody?: number | undefined
  readonly scopes: ReadonlyArray<string>
}

/** A registry's last word on a call. */
export interface Reply {
  readonly response: RegistryResponse
  /** The error that the reply is, when it is a refusal. */
  readonly refusal: (about: { readonly repository?: string; readonly tag?: string }) => Effect.Effect<RegistryError>
}

/** One identity at one registry, which knows by now how the registry wants it to authenticate. */
export interface Session {
  readonly call: (call: Call) => Effect.Effect<Reply, RegistryError>
  /** What the registry's token server grants for scopes: none where no token says so. */
  readonly granted: (
    scopes: ReadonlyArray<string>
  ) => Effect.Effect<Option.Option<ReadonlyArray<TokenSource.Access>>, RegistryError>
}

/** How the registry wants to be authenticated to, as far as its answers have shown. */
type Scheme =
  | { readonly _tag: "Unknown" }
  | { readonly _tag: "Basic" }
  | { readonly _tag: "Bearer"; readonly realm: string; readonly service: Option.Option<string> }

interface Authorization {
  readonly value: Redacted.Redacted | undefined
  readonly token: TokenSource.Token | undefined
}

const none: Authorization = { value: undefined, token: undefined }

const TIMEOUT = Duration.seconds(30)

const bearerOf = (challenges: ReadonlyArray<Challenge.Challenge>) =>
  challenges.find(({ parameters, scheme }) => scheme === "bearer" && parameters["realm"] !== undefined)

const scopesOf = (challenges: ReadonlyArray<Challenge.Challenge>): ReadonlyArray<string> =>
  (bearerOf(challenges)?.parameters["scope"] ?? "").split(" ").filter((scope) => scope !== "")

export const makeSession = (owner: Owner, registry: RegistryOrigin, credential: Option.Option<Credential>): Session => {
  const tokens = TokenSource.fromOwner(owner, registry, credential)
  const kind = Option.map(credential, (known) => known.kind)
  const registryToken = Option.map(Option.filter(kind, CredentialKind.$is("RegistryToken")), ({ token }) => token)
  const password = Option.map(Option.filter(kind, CredentialKind.$is("UsernamePassword")), (user) =>
    basic(user.username, user.password)
  )
  let scheme: Scheme = { _tag: "Unknown" }

  const exchange = (call: Omit<Call, "scopes">, authorization: Redacted.Redacted | undefined) =>
    send(owner.http, registry, {
      method: call.method,
      url: call.url,
      headers: call.headers,
      body: call.body,
      // An upload's location may lie on another host: https://github.com/opencontainers/distribution-spec/blob/v1.1.1/spec.md#pushing-blobs
      authorization: call.url.origin === registry.url.origin ? authorization : undefined,
      timeout: TIMEOUT,
      maximumBody: call.maximumBody ?? MAXIMUM_REFUSAL,
      otherOrigins: "without-authorization"
    })

  const authorize = (scopes: ReadonlyArray<string>): Effect.Effect<Authorization, RegistryError> => {
    if (Option.isSome(registryToken)) return Effect.succeed({ ...none, value: bearer(registryToken.value) })
    switch (scheme._tag) {
      case "Unknown":
        return Effect.succeed(none)
      case "Basic":
        return Effect.succeed({ ...none, value: Option.getOrUndefined(password) })
      case "Bearer":
        return Effect.map(tokens.get({ ...scheme, scopes }), (token) => ({ value: bearer(token.value), token }))
    }
  }

  const attempt = (call: Call, scopes: ReadonlyArray<string>) =>
    Effect.gen(function* () {
      const authorization = yield* authorize(scopes)
      return { authorization, ...(yield* exchange(call, authorization.value)) }
    })

  const challengesOf = (response: RegistryResponse) =>
    Either.getOrElse(Challenge.parseAll(response.headers["www-authenticate"] ?? []), () => [])

  // GCR names its token server only on /v2/: reference/clients.md section 8.
  const readChallenges = (response: RegistryResponse) =>
    response.headers["www-authenticate"] === undefined
      ? Effect.map(exchange({ method: "GET", url: new URL("/v2/", registry.url) }, undefined), (ping) =>
          ping.from.origin === registry.url.origin ? challengesOf(ping.response) : []
        )
      : Effect.succeed(challengesOf(response))

  /** How these challenges let this credential authenticate; nothing when they do not. */
  const choose = (challenges: ReadonlyArray<Challenge.Challenge>): Option.Option<Scheme> => {
    const realm = bearerOf(challenges)
    if (realm !== undefined) {
      const { realm: url = "", service } = realm.parameters
      return Option.some({ _tag: "Bearer", realm: url, service: Option.fromNullable(service) })
    }
    return challenges.some((challenge) => challenge.scheme === "basic") && Option.isSome(password)
      ? Option.some({ _tag: "Basic" })
      : Option.none()
  }

  const reply = (response: RegistryResponse, authorization: Authorization): Reply => ({
    response,
    refusal: (about) =>
      Effect.map(Clock.currentTimeMillis, (now) =>
        classify({
          registry: registry.host,
          ...about,
          response,
          authenticated: Option.isSome(credential),
          secrets: secretsOf(credential, authorization.value),
          now
        })
      )
  })

  const call = (request: Call): Effect.Effect<Reply, RegistryError> =>
    Effect.gen(function* () {
      const { authorization, from, response } = yield* attempt(request, request.scopes)
      // What another host asks for, to which the registry has sent us, concerns nobody.
      const isQuestion = response.status === 401 && from.origin === registry.url.origin
      if (!isQuestion || Option.isSome(registryToken)) return reply(response, authorization)
      if (authorization.token !== undefined) yield* tokens.discard(authorization.token)
      const challenges = yield* readChallenges(response)
      const chosen = choose(challenges)
      const wasBasic = authorization.value !== undefined && authorization.token === undefined
      if (Option.isNone(chosen) || (wasBasic && chosen.value._tag === "Basic")) return reply(response, authorization)
      scheme = chosen.value
      // The scope that the registry asks for is its own name for what is needed, and goes first.
      const second = yield* attempt(request, [...scopesOf(challenges), ...request.scopes])
      return reply(second.response, second.authorization)
    })

  const granted: Session["granted"] = (scopes) =>
    Effect.suspend(() => {
      if (Option.isSome(registryToken)) return Effect.succeed(grantedBy(Redacted.value(registryToken.value)))
      return scheme._tag === "Bearer"
        ? Effect.map(tokens.get({ ...scheme, scopes }), (token) => token.granted)
        : Effect.succeed(Option.none())
    })

  return { call, granted }
}
