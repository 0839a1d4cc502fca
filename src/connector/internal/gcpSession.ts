import type * as HttpClient from "@effect/platform/HttpClient"
import * as HttpClientRequest from "@effect/platform/HttpClientRequest"
import * as DateTime from "effect/DateTime"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import { Expiry } from "../../credential/Credential.ts"
import type { ConnectorError } from "../ConnectorError.ts"
import type { AccessToken, Impersonation, Method, WorkloadIdentity } from "../GcpConnector.ts"
import { ask, askToken, expiryAt, SCOPE, type Session, Token } from "./gcpClient.ts"
import { CONNECTOR, misconfigured } from "./gcpFailure.ts"
import { defaultCredentials } from "./gcpLibrary.ts"
import { exchange, readKey } from "./gcpServiceAccount.ts"
import { tokenText } from "./givenToken.ts"

/** Where Google's services are. */
export interface Endpoints {
  readonly sts: string
  readonly iamCredentials: string
}

/** Opens a session; the resource is the registry that it is for, for messages. */
export type Open<R> = (resource: string) => Effect.Effect<Session, ConnectorError, R | HttpClient.HttpClient>

const openGiven =
  ({ expiresAt, token }: AccessToken): Open<never> =>
  (resource) =>
    tokenText.test(Redacted.value(token))
      ? Effect.map(DateTime.now, (issuedAt) => ({ token, expiry: expiryAt(expiresAt?.epochMillis, issuedAt) }))
      : Effect.fail(misconfigured("the token is empty, or has blanks or line breaks in it", resource))

const providerName =
  /^(?:https:)?(?:\/\/iam\.googleapis\.com\/)?(projects\/\d+\/locations\/global\/workloadIdentityPools\/[a-z0-9-]+\/providers\/[a-z0-9-]+)$/

const readProvider = (text: string): Either.Either<string, ConnectorError> =>
  Either.fromNullable(providerName.exec(text)?.[1], () =>
    misconfigured(
      "the workload identity provider is not written as projects/NUMBER/locations/global/workloadIdentityPools/POOL/providers/PROVIDER"
    )
  )

/** https://cloud.google.com/iam/docs/reference/sts/rest/v1/TopLevel/token */
const federate = Effect.fnUntraced(function* <R>(
  { idToken }: WorkloadIdentity<R>,
  provider: string,
  options: { readonly endpoint: string; readonly resource: string }
) {
  const { resource } = options
  const issued = yield* idToken.get({ connector: CONNECTOR, audience: `https://iam.googleapis.com/${provider}` })
  const request = HttpClientRequest.bodyUrlParams(HttpClientRequest.post(`${options.endpoint}/v1/token`), {
    grant_type: "urn:ietf:params:oauth:grant-type:token-exchange",
    audience: `//iam.googleapis.com/${provider}`,
    scope: SCOPE,
    requested_token_type: "urn:ietf:params:oauth:token-type:access_token",
    subject_token: Redacted.value(issued.token),
    subject_token_type: "urn:ietf:params:oauth:token-type:jwt"
  })
  const advice = `check the provider's issuer, audience and conditions, and the token of ${idToken.origin}`
  return yield* askToken(request, { resource, secrets: [issued.token], advice })
})

const Impersonated = Schema.Struct({ accessToken: Token, expireTime: Schema.DateTimeUtc })

interface ServiceAccount {
  readonly serviceAccount: string
  readonly delegates?: ReadonlyArray<string> | undefined
  readonly lifetime?: Duration.DurationInput | undefined
}

const nameOf = (email: string): string => `projects/-/serviceAccounts/${email}`

const emailText = /^[a-z0-9][a-z0-9.:-]*@[a-z0-9][a-z0-9.-]*$/

/** https://cloud.google.com/iam/docs/reference/credentials/rest/v1/projects.serviceAccounts/generateAccessToken */
const impersonate = Effect.fnUntraced(function* (
  source: Session,
  { delegates = [], lifetime, serviceAccount }: ServiceAccount,
  options: { readonly endpoint: string; readonly resource: string }
) {
  const { resource } = options
  const issuedAt = yield* DateTime.now
  const request = HttpClientRequest.post(`${options.endpoint}/v1/${nameOf(serviceAccount)}:generateAccessToken`).pipe(
    HttpClientRequest.bearerToken(source.token),
    HttpClientRequest.bodyUnsafeJson({
      scope: [SCOPE],
      delegates: delegates.map(nameOf),
      lifetime: lifetime === undefined ? undefined : `${Math.round(Duration.toSeconds(lifetime))}s`
    })
  )
  const advice = `let the identity act as ${serviceAccount} (roles/iam.serviceAccountTokenCreator)`
  const { accessToken, expireTime } = yield* ask(request, Impersonated, { resource, secrets: [source.token], advice })
  const session: Session = { token: accessToken, expiry: Expiry.At({ at: expireTime, issuedAt }) }
  return session
})

const through =
  <R>(open: Open<R>, account: ServiceAccount, { iamCredentials }: Endpoints): Open<R> =>
  (resource) =>
    Effect.flatMap(open(resource), (source) => impersonate(source, account, { endpoint: iamCredentials, resource }))

const readAccount = (account: ServiceAccount): Either.Either<ServiceAccount, ConnectorError> =>
  [account.serviceAccount, ...(account.delegates ?? [])].every((email) => emailText.test(email))
    ? Either.right(account)
    : Either.left(misconfigured("a service account is not written as NAME@PROJECT.iam.gserviceaccount.com"))

const prepareImpersonation = <R>(method: Impersonation<R>, endpoints: Endpoints) =>
  Either.gen(function* () {
    const account = yield* readAccount(method)
    return through(yield* prepare(method.source, endpoints), account, endpoints)
  })

const prepareFederation = <R>(method: WorkloadIdentity<R>, endpoints: Endpoints) =>
  Either.gen(function* () {
    const provider = yield* readProvider(method.workloadIdentityProvider)
    const open: Open<R> = (resource) => federate(method, provider, { endpoint: endpoints.sts, resource })
    return method.serviceAccount === undefined
      ? open
      : through(open, yield* readAccount({ serviceAccount: method.serviceAccount }), endpoints)
  })

/** How sessions are opened by a method, or why they can not be. */
export const prepare = <R>(method: Method<R>, endpoints: Endpoints): Either.Either<Open<R>, ConnectorError> => {
  switch (method.authMethod) {
    case "default-credentials":
      return Either.right(defaultCredentials)
    case "service-account":
      return Either.map(readKey(method.key), (key) => (resource) => exchange(key, resource))
    case "workload-identity":
      return prepareFederation(method, endpoints)
    case "impersonation":
      return prepareImpersonation(method, endpoints)
    case "access-token":
      return Either.right(openGiven(method))
  }
}
