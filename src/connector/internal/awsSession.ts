import * as DateTime from "effect/DateTime"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Predicate from "effect/Predicate"
import * as Redacted from "effect/Redacted"
import { Expiry } from "../../credential/Credential.ts"
import type { AssumeRole, Method, Profile, Role, WebIdentity } from "../AwsConnector.ts"
import { ConnectorError } from "../ConnectorError.ts"
import type { Issued } from "../IdToken.ts"
import { identityOf, type Place, type Session, secretsOf, settings, use } from "./awsClient.ts"
import { CONNECTOR, fromSdk, incompleteAnswer } from "./awsFailure.ts"
import { load, type OptionalPeer } from "./optionalPeer.ts"

const sts: OptionalPeer<typeof import("@aws-sdk/client-sts")> = {
  name: "@aws-sdk/client-sts",
  range: "^3",
  load: () => import("@aws-sdk/client-sts")
}

/** Whom a session is for: the registry in messages, and where its token service is. */
export interface Audience extends Place {
  readonly resource: string
}

const WEB_IDENTITY_AUDIENCE = "sts.amazonaws.com"

/** Credentials as the SDK has them. Temporary ones may not say when they end. */
interface Identity {
  readonly accessKeyId: string
  readonly secretAccessKey: string
  readonly sessionToken?: string | undefined
  readonly expiration?: Date | undefined
}

const expiryOf = ({ expiration, sessionToken }: Identity, issuedAt: DateTime.Utc): Expiry => {
  if (sessionToken === undefined) return Expiry.Never()
  const end = Option.flatMap(Option.fromNullable(expiration), DateTime.make)
  return Option.match(end, { onNone: () => Expiry.Unknown({ issuedAt }), onSome: (at) => Expiry.At({ at, issuedAt }) })
}

const sessionOf = (identity: Identity): Effect.Effect<Session> =>
  Effect.map(DateTime.now, (issuedAt) => ({
    accessKeyId: identity.accessKeyId,
    secretAccessKey: Redacted.make(identity.secretAccessKey),
    sessionToken: Option.getOrUndefined(Option.map(Option.fromNullable(identity.sessionToken), Redacted.make)),
    expiry: expiryOf(identity, issuedAt)
  }))

/** A profile that lacks credentials makes the SDK go on to the identity of the machine: that is not what was asked for. */
const isOfProfile = (identity: object): boolean =>
  Predicate.hasProperty(identity, "$source") &&
  Predicate.isRecord(identity.$source) &&
  Object.keys(identity.$source).some((feature) => feature.startsWith("CREDENTIALS_PROFILE"))

const fromMachine = Effect.fnUntraced(function* (profile: Profile["profile"] | undefined, audience: Audience) {
  const sdk = yield* load(CONNECTOR, sts)
  const identity = yield* use(
    () => new sdk.STSClient({ ...settings(audience), ...(profile === undefined ? {} : { profile }) }),
    (client) => client.config.credentials()
  ).pipe(Effect.mapError((error) => fromSdk(error, { resource: audience.resource, secrets: [] })))
  if (profile !== undefined && !isOfProfile(identity)) {
    const detail = `the profile ${profile} of the AWS configuration does not exist, or holds no credentials`
    return yield* new ConnectorError({
      connector: CONNECTOR,
      reason: "misconfigured",
      resource: audience.resource,
      detail
    })
  }
  return yield* sessionOf(identity)
})

const roleParameters = ({ duration, roleArn, sessionName }: Role) => ({
  RoleArn: roleArn,
  RoleSessionName: sessionName ?? "gantry",
  ...(duration === undefined ? {} : { DurationSeconds: Math.round(Duration.toSeconds(duration)) })
})

interface RoleAnswer {
  readonly Credentials?:
    | {
        readonly AccessKeyId: string | undefined
        readonly SecretAccessKey: string | undefined
        readonly SessionToken: string | undefined
        readonly Expiration: Date | undefined
      }
    | undefined
}

const fromRole = ({ Credentials }: RoleAnswer, resource: string): Effect.Effect<Session, ConnectorError> => {
  const { AccessKeyId, Expiration, SecretAccessKey, SessionToken } = Credentials ?? {}
  return AccessKeyId && SecretAccessKey && SessionToken
    ? sessionOf({
        accessKeyId: AccessKeyId,
        secretAccessKey: SecretAccessKey,
        sessionToken: SessionToken,
        expiration: Expiration
      })
    : Effect.fail(incompleteAnswer(resource, "credentials of the role"))
}

const assumeRole = Effect.fnUntraced(function* <R>(method: AssumeRole<R>, audience: Audience) {
  const source = yield* open(method.source, audience)
  const sdk = yield* load(CONNECTOR, sts)
  const command = new sdk.AssumeRoleCommand({
    ...roleParameters(method),
    ...(method.externalId === undefined ? {} : { ExternalId: method.externalId })
  })
  const answer = yield* use(
    () => new sdk.STSClient({ ...settings(audience), credentials: identityOf(source) }),
    (client, abortSignal) => client.send(command, { abortSignal })
  ).pipe(Effect.mapError((error) => fromSdk(error, { resource: audience.resource, secrets: secretsOf(source) })))
  return yield* fromRole(answer, audience.resource)
})

const withEndOf = (error: ConnectorError, { expiresAt }: Issued, origin: string): ConnectorError =>
  error.reason !== "expired" || Option.isNone(expiresAt)
    ? error
    : new ConnectorError({
        connector: error.connector,
        reason: error.reason,
        resource: error.resource,
        detail: `${error.detail}; ${origin} gave a token that is over at ${DateTime.formatIso(expiresAt.value)}`
      })

const webIdentity = Effect.fnUntraced(function* <R>(method: WebIdentity<R>, audience: Audience) {
  const issued = yield* method.idToken.get({ connector: CONNECTOR, audience: WEB_IDENTITY_AUDIENCE })
  const sdk = yield* load(CONNECTOR, sts)
  const command = new sdk.AssumeRoleWithWebIdentityCommand({
    ...roleParameters(method),
    WebIdentityToken: Redacted.value(issued.token)
  })
  const answer = yield* use(
    () => new sdk.STSClient(settings(audience)),
    (client, abortSignal) => client.send(command, { abortSignal })
  ).pipe(
    Effect.mapError((error) =>
      withEndOf(fromSdk(error, { resource: audience.resource, secrets: [issued.token] }), issued, method.idToken.origin)
    )
  )
  return yield* fromRole(answer, audience.resource)
})

/** New credentials of AWS's API by a method, for the registries of a region. */
export const open = <R>(method: Method<R>, audience: Audience): Effect.Effect<Session, ConnectorError, R> => {
  switch (method.authMethod) {
    case "default-chain":
      return fromMachine(undefined, audience)
    case "profile":
      return fromMachine(method.profile, audience)
    case "access-key":
      return Effect.succeed({ ...method, sessionToken: undefined, expiry: Expiry.Never() })
    case "session-token":
      return Effect.map(DateTime.now, (issuedAt) => ({
        ...method,
        expiry:
          method.expiresAt === undefined ? Expiry.Unknown({ issuedAt }) : Expiry.At({ at: method.expiresAt, issuedAt })
      }))
    case "assume-role":
      return assumeRole(method, audience)
    case "web-identity":
      return webIdentity(method, audience)
  }
}
