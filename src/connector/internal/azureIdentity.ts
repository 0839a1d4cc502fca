import type { AuthorityValidationOptions, TokenCredential, TokenCredentialOptions } from "@azure/identity"
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import type { AccessToken, Method, WorkloadIdentity } from "../AzureConnector.ts"
import { ConnectorError } from "../ConnectorError.ts"
import { CONNECTOR, fromSdk, outcomeIn, unreadableAnswer } from "./azureFailure.ts"
import { useNetwork } from "./azureHttp.ts"
import { cloudOf } from "./azureRegistry.ts"
import { tokenText } from "./givenToken.ts"
import { expiresAt } from "./jsonWebToken.ts"
import { load, type OptionalPeer } from "./optionalPeer.ts"

type Sdk = typeof import("@azure/identity")

const identity: OptionalPeer<Sdk> = {
  name: "@azure/identity",
  range: ">=4.9 <5",
  load: () => import("@azure/identity")
}

/** Whom a token is for, and where identities log in: the registry's cloud's own unless given. */
export interface Target {
  readonly resource: string
  readonly audience: string | undefined
  readonly authority: string | undefined
}

/** Few and short: an issue has 30 seconds, and whoever asked tries again later. */
const retryOptions = { maxRetries: 2, retryDelayInMs: 200, maxRetryDelayInMs: 2_000 }

type SdkOptions = TokenCredentialOptions & AuthorityValidationOptions

const optionsFor = ({ authority, resource }: Target): SdkOptions => ({
  retryOptions,
  redirectOptions: { maxRetries: 0 },
  // The SDK would ask Microsoft whether it knows the authority.
  ...(authority === undefined ? {} : { disableInstanceDiscovery: true }),
  ...Option.match(Option.fromNullable(authority ?? cloudOf(resource).authority), {
    onNone: () => ({}),
    onSome: (authorityHost) => ({ authorityHost })
  })
})

type Make = (sdk: Sdk, options: SdkOptions) => TokenCredential

const scopeFor = ({ audience, resource }: Target): string =>
  `${(audience ?? cloudOf(resource).audience).replace(/\/+$/, "")}/.default`

/** The SDK gives nothing where its service did. */
const tokenOf = (issued: { readonly token: string } | null, { resource }: Target) =>
  issued === null
    ? Effect.fail(unreadableAnswer(resource, "the identity's service"))
    : Effect.succeed(Redacted.make(issued.token))

/** A token of an application. The SDK's identity is made anew each time: it keeps tokens, and they may be refused by now. */
const ofApplication = Effect.fnUntraced(function* (target: Target, secret: Redacted.Redacted, make: Make) {
  const sdk = yield* load(CONNECTOR, identity)
  const issued = yield* useNetwork(async (httpClient) =>
    make(sdk, { ...optionsFor(target), httpClient }).getToken(scopeFor(target))
  ).pipe(Effect.mapError((failure) => fromSdk(failure, { resource: target.resource, secrets: [secret] })))
  return yield* tokenOf(issued, target)
})

/** A token of the machine's identity, which the SDK keeps for the whole process until it ends. */
const ofMachine = Effect.fnUntraced(function* (target: Target, make: Make) {
  const sdk = yield* load(CONNECTOR, identity)
  const issued = yield* Effect.tryPromise({
    try: async () => make(sdk, optionsFor(target)).getToken(scopeFor(target)),
    catch: (error) => fromSdk({ error, last: outcomeIn(error) }, { resource: target.resource, secrets: [] })
  })
  return yield* tokenOf(issued, target)
})

const given = Effect.fnUntraced(function* ({ token }: AccessToken, { resource }: Target) {
  const text = Redacted.value(token).trim()
  if (!tokenText.test(text)) {
    const detail = "the token is empty, or has blanks or line breaks in it"
    return yield* new ConnectorError({ connector: CONNECTOR, reason: "misconfigured", resource, detail })
  }
  const end = Option.filter(expiresAt(token), DateTime.lessThan(yield* DateTime.now))
  if (Option.isSome(end)) {
    const detail = `the given token was over at ${DateTime.formatIso(end.value)}`
    return yield* new ConnectorError({ connector: CONNECTOR, reason: "expired", resource, detail })
  }
  return Redacted.make(text)
})

const workloadIdentity = Effect.fnUntraced(function* <R>(method: WorkloadIdentity<R>, target: Target) {
  const { clientId, idToken, tenantId } = method
  const audience = cloudOf(target.resource).idTokenAudience
  const { token } = yield* idToken.get({ connector: CONNECTOR, audience })
  return yield* ofApplication(
    target,
    token,
    (sdk, options) => new sdk.ClientAssertionCredential(tenantId, clientId, async () => Redacted.value(token), options)
  )
})

/** A new Entra token of a method's identity. */
export const open = <R>(method: Method<R>, target: Target) => {
  switch (method.authMethod) {
    case "default-chain":
      return ofMachine(target, (sdk, options) => new sdk.DefaultAzureCredential(options))
    case "managed-identity": {
      const { clientId } = method
      return ofMachine(
        target,
        (sdk, options) => new sdk.ManagedIdentityCredential(clientId === undefined ? options : { ...options, clientId })
      )
    }
    case "service-principal": {
      const { clientId, clientSecret, tenantId } = method
      return ofApplication(
        target,
        clientSecret,
        (sdk, options) => new sdk.ClientSecretCredential(tenantId, clientId, Redacted.value(clientSecret), options)
      )
    }
    case "workload-identity":
      return workloadIdentity(method, target)
    case "access-token":
      return given(method, target)
  }
}
