/**
 * OpenID Connect id tokens, with which a CI job or a pod proves to a cloud who it is, without a stored secret.
 *
 * @since 0.1.0
 */
import * as FileSystem from "@effect/platform/FileSystem"
import * as HttpClient from "@effect/platform/HttpClient"
import type * as HttpClientError from "@effect/platform/HttpClientError"
import * as HttpClientRequest from "@effect/platform/HttpClientRequest"
import * as HttpClientResponse from "@effect/platform/HttpClientResponse"
import * as Config from "effect/Config"
import type * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import type * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import { ConnectorError, fromUnknown, type Reason } from "./ConnectorError.ts"
import { expiresAt, isJsonWebToken } from "./internal/jsonWebToken.ts"

/**
 * Who asks for a token: the connector's type, for messages, and whom the token is for, where its source can choose that.
 *
 * @since 0.1.0
 * @category models
 */
export interface Asker {
  readonly connector: string
  readonly audience: string
}

/**
 * A token, and when it says that it is over. Nothing of it was verified: that is up to whom it is for.
 *
 * @since 0.1.0
 * @category models
 */
export interface Issued {
  readonly token: Redacted.Redacted
  readonly expiresAt: Option.Option<DateTime.Utc>
}

/**
 * A source of id tokens: a description, whose `R` says what it needs. Each `get` asks the source again, because such tokens
 * live for minutes. `origin` names it in messages, as in `GitHub Actions`.
 *
 * @since 0.1.0
 * @category models
 */
export interface IdToken<out R = never> {
  readonly origin: string
  readonly get: (asker: Asker) => Effect.Effect<Issued, ConnectorError, R>
}

/**
 * A user's own source. What it gives must have the form of a JSON Web Token (`misconfigured`); surrounding white space is
 * dropped.
 *
 * @since 0.1.0
 * @category constructors
 * @example
 * import { ConnectorError, IdToken } from "gantry"
 * import { Config, Effect } from "effect"
 *
 * const fromBuildkite = IdToken.make({
 *   origin: "Buildkite",
 *   get: ({ connector }) =>
 *     Effect.mapError(Config.redacted("BUILDKITE_OIDC_TOKEN"), () => {
 *       const detail = "run the step under buildkite-agent oidc request-token"
 *       return new ConnectorError.ConnectorError({ connector, reason: "misconfigured", detail })
 *     })
 * })
 */
export const make = <R = never>(options: {
  readonly origin: string
  readonly get: (asker: Asker) => Effect.Effect<Redacted.Redacted, ConnectorError, R>
}): IdToken<R> => ({
  origin: options.origin,
  get: Effect.fn("IdToken.get")(function* (asker: Asker) {
    const text = Redacted.value(yield* options.get(asker)).trim()
    if (!isJsonWebToken(text)) {
      return yield* new ConnectorError({
        connector: asker.connector,
        reason: "misconfigured",
        detail: `${options.origin} gave something that is no JSON Web Token`
      })
    }
    const token = Redacted.make(text)
    return { token, expiresAt: expiresAt(token) }
  })
})

const fromVariable = (name: string, options: { readonly origin: string; readonly advice: string }): IdToken =>
  make({
    origin: options.origin,
    get: ({ connector }) =>
      Effect.mapError(
        Config.redacted(Config.nonEmptyString(name)),
        () =>
          new ConnectorError({
            connector,
            reason: "misconfigured",
            detail: `the variable ${name} is not set; ${options.advice}`
          })
      )
  })

/**
 * The token in a variable, from the configuration (the environment, unless the application set another
 * `ConfigProvider`). Fails with a `ConnectorError` (`misconfigured`) when it is not set.
 *
 * @since 0.1.0
 * @category constructors
 */
export const environment = (name: string): IdToken =>
  fromVariable(name, { origin: `the variable ${name}`, advice: "set it to the id token itself" })

/**
 * The token that a job of GitLab CI declares under `id_tokens`, by the name it has there. The job says there whom the
 * token is for (`aud`). Fails with a `ConnectorError` (`misconfigured`) when the job has none of that name.
 *
 * @since 0.1.0
 * @category constructors
 * @see https://docs.gitlab.com/ci/secrets/id_token_authentication/
 */
export const gitlab = (name: string): IdToken =>
  fromVariable(name, {
    origin: `GitLab's id token ${name}`,
    advice: `add \`id_tokens: { ${name}: { aud: … } }\` to the job`
  })

/**
 * The token in a file, such as the one Kubernetes projects into a pod; read again at each use, because it is rotated
 * there. Fails with a `ConnectorError` (`misconfigured`) when it can not be read.
 *
 * @since 0.1.0
 * @category constructors
 */
export const file = (path: string): IdToken<FileSystem.FileSystem> =>
  make({
    origin: `the file ${path}`,
    get: ({ connector }) =>
      Effect.flatMap(FileSystem.FileSystem, (files) => files.readFileString(path)).pipe(
        Effect.mapBoth({
          onSuccess: Redacted.make,
          onFailure: (error) => fromUnknown(error, { connector, reason: "misconfigured" })
        })
      )
  })

const Answer = Schema.Struct({ value: Schema.Redacted(Schema.String) })

const requestVariables = Config.all({
  url: Config.url("ACTIONS_ID_TOKEN_REQUEST_URL"),
  token: Config.redacted(Config.nonEmptyString("ACTIONS_ID_TOKEN_REQUEST_TOKEN"))
})

const reasonOf = (error: HttpClientError.HttpClientError): Reason => {
  if (error._tag === "RequestError" || error.reason !== "StatusCode") return "unavailable"
  return error.response.status >= 500 || error.response.status === 429 ? "unavailable" : "denied"
}

/**
 * The token of a job of GitHub Actions, whose workflow gives it `permissions: id-token: write`.
 *
 * `audience` is whom it is for, in place of what the connector would ask for. Fails with a `ConnectorError`: `misconfigured`
 * outside of such a job, `denied` when GitHub refuses, `unavailable` when it does not answer.
 *
 * @since 0.1.0
 * @category constructors
 * @see https://docs.github.com/en/actions/reference/security/oidc
 */
export const githubActions = (options?: { readonly audience?: string | undefined }): IdToken<HttpClient.HttpClient> =>
  make({
    origin: "GitHub Actions",
    get: Effect.fnUntraced(function* ({ audience, connector }) {
      const client = HttpClient.filterStatusOk(yield* HttpClient.HttpClient)
      const { token, url } = yield* Effect.mapError(
        requestVariables,
        () =>
          new ConnectorError({
            connector,
            reason: "misconfigured",
            detail:
              "GitHub Actions offers no id token here (ACTIONS_ID_TOKEN_REQUEST_URL and ACTIONS_ID_TOKEN_REQUEST_TOKEN); add `permissions: id-token: write` to the workflow's job"
          })
      )
      const request = HttpClientRequest.get(url).pipe(
        HttpClientRequest.appendUrlParam("audience", options?.audience ?? audience),
        HttpClientRequest.bearerToken(token)
      )
      const { value } = yield* client.execute(request).pipe(
        Effect.flatMap(HttpClientResponse.schemaBodyJson(Answer)),
        Effect.mapError((error) =>
          fromUnknown(error, {
            connector,
            reason: error._tag === "ParseError" ? "unavailable" : reasonOf(error),
            secrets: [token]
          })
        )
      )
      return value
    })
  })
