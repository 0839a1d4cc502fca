import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Encoding from "effect/Encoding"
import * as Option from "effect/Option"
import * as Predicate from "effect/Predicate"
import * as Redacted from "effect/Redacted"
import * as Credential from "../../credential/Credential.ts"
import * as CredentialExpiry from "../../credential/CredentialExpiry.ts"
import type { ConnectorError } from "../ConnectorError.ts"
import { identityOf, type Session, secretsOf, settings, use } from "./awsClient.ts"
import { CONNECTOR, fromSdk, incompleteAnswer } from "./awsFailure.ts"
import { type EcrRegistry, type PrivateRegistry, type PublicRegistry, parse } from "./ecrRegistry.ts"
import { load, type OptionalPeer } from "./optionalPeer.ts"

const privateSdk: OptionalPeer<typeof import("@aws-sdk/client-ecr")> = {
  name: "@aws-sdk/client-ecr",
  range: "^3",
  load: () => import("@aws-sdk/client-ecr")
}

const publicSdk: OptionalPeer<typeof import("@aws-sdk/client-ecr-public")> = {
  name: "@aws-sdk/client-ecr-public",
  range: "^3",
  load: () => import("@aws-sdk/client-ecr-public")
}

interface Authorization {
  readonly authorizationToken?: string | undefined
  readonly expiresAt?: Date | undefined
  readonly proxyEndpoint?: string | undefined
}

/** What both of AWS's registries can be asked, in the SDK's terms. */
interface EcrClient {
  readonly authorization: (abortSignal: AbortSignal) => Promise<Authorization | undefined>
  readonly describe: (repositoryName: string, abortSignal: AbortSignal) => Promise<unknown>
  readonly create: (repositoryName: string, abortSignal: AbortSignal) => Promise<unknown>
  readonly destroy: () => void
}

const privateClient = (
  sdk: typeof import("@aws-sdk/client-ecr"),
  { account, dualStack, fips, region }: PrivateRegistry,
  options: { readonly endpoint: string | undefined; readonly session: Session }
): EcrClient => {
  const client = new sdk.ECRClient({
    ...settings({ region, endpoint: options.endpoint }),
    ...(fips && options.endpoint === undefined ? { useFipsEndpoint: true } : {}),
    ...(dualStack && options.endpoint === undefined ? { useDualstackEndpoint: true } : {}),
    credentials: identityOf(options.session)
  })
  return {
    // Without `registryIds`: one token is good for every registry of the region that the identity may use.
    authorization: async (abortSignal) => {
      const { authorizationData } = await client.send(new sdk.GetAuthorizationTokenCommand({}), { abortSignal })
      return authorizationData?.[0]
    },
    describe: (name, abortSignal) =>
      client.send(new sdk.DescribeRepositoriesCommand({ registryId: account, repositoryNames: [name] }), {
        abortSignal
      }),
    create: (name, abortSignal) =>
      client.send(new sdk.CreateRepositoryCommand({ registryId: account, repositoryName: name }), { abortSignal }),
    destroy: () => client.destroy()
  }
}

const publicClient = (
  sdk: typeof import("@aws-sdk/client-ecr-public"),
  { region }: PublicRegistry,
  options: { readonly endpoint: string | undefined; readonly session: Session }
): EcrClient => {
  const client = new sdk.ECRPUBLICClient({
    ...settings({ region, endpoint: options.endpoint }),
    credentials: identityOf(options.session)
  })
  return {
    authorization: async (abortSignal) => {
      const { authorizationData } = await client.send(new sdk.GetAuthorizationTokenCommand({}), { abortSignal })
      return authorizationData
    },
    describe: (name, abortSignal) =>
      client.send(new sdk.DescribeRepositoriesCommand({ repositoryNames: [name] }), { abortSignal }),
    create: (name, abortSignal) =>
      client.send(new sdk.CreateRepositoryCommand({ repositoryName: name }), { abortSignal }),
    destroy: () => client.destroy()
  }
}

export interface Endpoints {
  readonly ecr?: string | undefined
  readonly ecrPublic?: string | undefined
  readonly sts?: string | undefined
}

/** Who asks which registry, and where its API is. */
export interface Ecr {
  readonly registry: EcrRegistry
  readonly session: Session
  readonly endpoints: Endpoints
}

const clientOf = ({ endpoints, registry, session }: Ecr): Effect.Effect<() => EcrClient, ConnectorError> =>
  registry._tag === "PrivateRegistry"
    ? Effect.map(
        load(CONNECTOR, privateSdk),
        (sdk) => () => privateClient(sdk, registry, { endpoint: endpoints.ecr, session })
      )
    : Effect.map(
        load(CONNECTOR, publicSdk),
        (sdk) => () => publicClient(sdk, registry, { endpoint: endpoints.ecrPublic, session })
      )

const failureOf =
  ({ registry, session }: Ecr) =>
  (error: unknown): ConnectorError =>
    fromSdk(error, { resource: registry.host, secrets: secretsOf(session) })

const askAuthorization = Effect.fnUntraced(function* (ecr: Ecr) {
  const make = yield* clientOf(ecr)
  const authorization = yield* use(make, (client, signal) => client.authorization(signal)).pipe(
    Effect.mapError(failureOf(ecr))
  )
  return authorization ?? {}
})

/** `AWS:<password>` in base64. */
const loginOf = (token: string | undefined) =>
  Either.getRight(Encoding.decodeBase64String(token ?? "")).pipe(
    Option.flatMapNullable((text) => /^([^:]+):(.+)$/.exec(text)),
    Option.map(([, username = "", password = ""]) => ({ username, password }))
  )

/** A login, good until its token or the session behind it ends. */
export const issue = Effect.fnUntraced(function* (ecr: Ecr) {
  const issuedAt = yield* DateTime.now
  const { authorizationToken, expiresAt } = yield* askAuthorization(ecr)
  const login = loginOf(authorizationToken)
  if (Option.isNone(login)) return yield* incompleteAnswer(ecr.registry.host, "authorization token")
  const end = Option.flatMap(Option.fromNullable(expiresAt), DateTime.make)
  const expiry = Option.match(end, {
    onNone: () => Credential.Expiry.Unknown({ issuedAt }),
    onSome: (at) => Credential.Expiry.At({ at, issuedAt })
  })
  return Credential.usernamePassword({
    host: ecr.registry.host,
    username: login.value.username,
    password: Redacted.make(login.value.password),
    expiry: CredentialExpiry.earliest(ecr.session.expiry, expiry)
  })
})

/** The host of the registry that is the caller's own, as its token says it. */
export const ownRegistry = Effect.fnUntraced(function* (ecr: Ecr) {
  const { proxyEndpoint = "" } = yield* askAuthorization(ecr)
  const { host } = yield* Either.mapLeft(parse(proxyEndpoint), () =>
    incompleteAnswer(ecr.registry.host, "address of the registry")
  )
  return host
})

const isNamed =
  (name: string) =>
  (error: unknown): boolean =>
    Predicate.hasProperty(error, "name") && error.name === name

/** Whether a repository exists: asks for that one, however many there are. */
export const repositoryExists = Effect.fnUntraced(function* (ecr: Ecr, repository: string) {
  const make = yield* clientOf(ecr)
  return yield* use(make, (client, signal) => client.describe(repository, signal)).pipe(
    Effect.as(true),
    Effect.catchIf(isNamed("RepositoryNotFoundException"), () => Effect.succeed(false)),
    Effect.mapError(failureOf(ecr))
  )
})

/** Creates a repository; one that somebody else created meanwhile is as good. */
export const createRepository = Effect.fnUntraced(function* (ecr: Ecr, repository: string) {
  const make = yield* clientOf(ecr)
  yield* use(make, (client, signal) => client.create(repository, signal)).pipe(
    Effect.catchIf(isNamed("RepositoryAlreadyExistsException"), () => Effect.void),
    Effect.mapError(failureOf(ecr))
  )
})
