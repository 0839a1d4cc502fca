/**
 * A GitHub App's side of GitHub's API: https://docs.github.com/apps/creating-github-apps/authenticating-with-a-github-app.
 *
 * Not @octokit/auth-app, which shares an issue in flight between Apps (reference/auth.md section 0, fact 10).
 */
import type { KeyObject } from "node:crypto"
import * as HttpClient from "@effect/platform/HttpClient"
import * as HttpClientRequest from "@effect/platform/HttpClientRequest"
import * as HttpClientResponse from "@effect/platform/HttpClientResponse"
import * as DateTime from "effect/DateTime"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Option from "effect/Option"
import type * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import { ConnectorError, fromUnknown } from "../ConnectorError.ts"
import { tokenText } from "./givenToken.ts"
import { readSigningKey, sign } from "./jsonWebToken.ts"
import { clockDifference, isPassing, rootCause } from "./serviceAnswer.ts"
import { readServiceUrl } from "./serviceUrl.ts"

const connector = "github"

const misconfigured = (detail: string) => new ConnectorError({ connector, reason: "misconfigured", detail })

export const readPrivateKey = (pem: Redacted.Redacted): Either.Either<KeyObject, ConnectorError> =>
  Either.mapLeft(readSigningKey(pem), misconfigured)

export const readApiUrl = (text: string): Either.Either<string, ConnectorError> =>
  Either.mapLeft(readServiceUrl("apiUrl", text), (detail) =>
    misconfigured(`${detail}; write it as https://github.example.com/api/v3`)
  )

export interface App {
  readonly appId: string
  readonly key: KeyObject
  readonly apiUrl: string
}

/** GitHub's clock may be behind this one, and it takes no assertion of more than ten minutes. */
const ISSUED_BEFORE = Duration.toSeconds("60 seconds")
const GOOD_FOR = Duration.toSeconds("9 minutes")

/** https://docs.github.com/apps/creating-github-apps/authenticating-with-a-github-app/generating-a-json-web-token-jwt-for-a-github-app */
const assertion = ({ appId, key }: App, now: DateTime.Utc): Redacted.Redacted => {
  const seconds = Math.floor(now.epochMillis / 1000)
  return sign(key, { claims: { iat: seconds - ISSUED_BEFORE, exp: seconds + GOOD_FOR, iss: appId } })
}

/** What an installation is known by: its id, or the account that it is for. */
export type Installation = { readonly id: number } | { readonly owner: string }

export interface InstallationToken {
  readonly token: Redacted.Redacted
  readonly issuedAt: DateTime.Utc
  readonly expiresAt: DateTime.Utc
}

const Found = Schema.Struct({ id: Schema.Int })

const Issued = Schema.Struct({
  token: Schema.Redacted(Schema.String.pipe(Schema.pattern(tokenText))),
  expires_at: Schema.DateTimeUtc
})

const Refusal = Schema.Struct({ message: Schema.String })

const NEEDED = "give the App the permission packages: write, and have the owner accept it"

const advice: Readonly<Record<number, string>> = {
  401: "appId and the private key do not belong together, or the key was deleted",
  403: "the installation may be suspended; ask its owner",
  404: "the App is not installed there; install it with the permission packages: write, and check apiUrl",
  422: NEEDED
}

/** Asks GitHub as the App; `resource` is whom it is for, for messages. */
export const issueToken = Effect.fnUntraced(function* (app: App, installation: Installation, resource: string) {
  const client = yield* HttpClient.HttpClient
  const issuedAt = yield* DateTime.now
  const proof = assertion(app, issuedAt)

  const failure = (error: unknown) =>
    fromUnknown(error, { connector, reason: "unavailable", resource, secrets: [proof] })

  const refuse = Effect.fnUntraced(function* (response: HttpClientResponse.HttpClientResponse) {
    const { status } = response
    const said = yield* Effect.option(HttpClientResponse.schemaBodyJson(Refusal)(response))
    const words = Option.match(said, { onNone: () => "", onSome: ({ message }) => ` (${message})` })
    const clock = status === 401 ? clockDifference(response, yield* DateTime.now) : Option.none()
    const fails = isPassing(response) ? "unavailable" : advice[status] === undefined ? "misconfigured" : "denied"
    const why = Option.getOrElse(clock, () => (fails === "unavailable" ? undefined : advice[status]))
    const detail = `GitHub answered ${status}${words}${why === undefined ? "" : `: ${why}`}`
    const reason = Option.isSome(clock) ? "expired" : fails
    return yield* fromUnknown(detail, { connector, reason, resource, secrets: [proof] })
  })

  const send = (request: HttpClientRequest.HttpClientRequest) =>
    client
      .execute(
        request.pipe(
          HttpClientRequest.prependUrl(app.apiUrl),
          HttpClientRequest.bearerToken(proof),
          HttpClientRequest.setHeaders({
            accept: "application/vnd.github+json",
            "user-agent": "gantry",
            "x-github-api-version": "2022-11-28"
          })
        )
      )
      .pipe(Effect.mapError((error) => failure(rootCause(error))))

  const read =
    <A, I>(answer: Schema.Schema<A, I>) =>
    (response: HttpClientResponse.HttpClientResponse) =>
      response.status >= 200 && response.status < 300
        ? Effect.mapError(HttpClientResponse.schemaBodyJson(answer)(response), failure)
        : refuse(response)

  /** An organisation has the one address, a user the other: https://docs.github.com/rest/apps/apps */
  const find = (owner: string) =>
    send(HttpClientRequest.get(`/orgs/${owner}/installation`)).pipe(
      Effect.flatMap((response) =>
        response.status === 404 ? send(HttpClientRequest.get(`/users/${owner}/installation`)) : Effect.succeed(response)
      ),
      Effect.flatMap(read(Found))
    )

  const { id } = "owner" in installation ? yield* find(installation.owner) : installation
  const issue = HttpClientRequest.bodyUnsafeJson(HttpClientRequest.post(`/app/installations/${id}/access_tokens`), {
    permissions: { packages: "write" }
  })
  const { expires_at, token } = yield* Effect.flatMap(send(issue), read(Issued))
  const issued: InstallationToken = { token, issuedAt, expiresAt: expires_at }
  return issued
})
