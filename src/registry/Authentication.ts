/**
 * Ways for a registry to find its credential: a description, whose `R` says what it needs.
 *
 * @since 0.1.0
 */
import type * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { type Pipeable, pipeArguments } from "effect/Pipeable"
import type * as Redacted from "effect/Redacted"
import { ConnectorCatalog } from "../connector/ConnectorCatalog.ts"
import type { ConnectorError } from "../connector/ConnectorError.ts"
import { type ServiceConnector, ServiceConnector as ServiceConnectorTag } from "../connector/ServiceConnector.ts"
import type { Credential, ResolvedCredential } from "../credential/Credential.ts"
import * as Credentials from "../credential/Credential.ts"
import { type CredentialError, CredentialHostMismatch } from "../credential/CredentialError.ts"
import { Keychain } from "../credential/Keychain.ts"
import * as SecretStore from "../credential/SecretStore.ts"
import type { ImageReference } from "../reference/ImageReference.ts"
import type { RegistryUri } from "../reference/RegistryUri.ts"

/**
 * @since 0.1.0
 * @category errors
 */
export type AuthenticationError = CredentialError | ConnectorError

/**
 * How a registry finds its credential.
 *
 * `isRequired` says that `resolve` never gives none; `label` names it in messages, as in `secret ghcr`.
 *
 * @since 0.1.0
 * @category models
 */
export interface Authentication<out R = never> extends Pipeable {
  readonly label: string
  readonly isRequired: boolean
  readonly resolve: (uri: RegistryUri) => Effect.Effect<Option.Option<ResolvedCredential>, AuthenticationError, R>
}

/**
 * A user's own way to find a credential.
 *
 * @since 0.1.0
 * @category constructors
 * @example
 * import { Authentication, Credential } from "gantry"
 * import { Config, Effect, Option } from "effect"
 *
 * const fromVault = Authentication.make({
 *   label: "vault",
 *   isRequired: true,
 *   resolve: (uri) =>
 *     Config.redacted("VAULT_REGISTRY_PASSWORD").pipe(
 *       Effect.orDie,
 *       Effect.map((password) =>
 *         Option.some({
 *           credential: Credential.usernamePassword({ host: uri.host, username: "ci", password }),
 *           origin: "vault",
 *           revalidate: true
 *         })
 *       )
 *     )
 * })
 */
export const make = <R = never>(options: {
  readonly label: string
  readonly isRequired: boolean
  readonly resolve: (uri: RegistryUri) => Effect.Effect<Option.Option<ResolvedCredential>, AuthenticationError, R>
}): Authentication<R> => ({
  ...options,
  pipe() {
    // biome-ignore lint/complexity/noArguments: pipeArguments takes the arguments object
    return pipeArguments(this, arguments)
  }
})

/**
 * No credential at all. The library's default: nothing of the machine's is used unless asked for.
 *
 * @since 0.1.0
 * @category constructors
 */
export const anonymous: Authentication = make({
  label: "anonymous",
  isRequired: false,
  resolve: () => Effect.succeedNone
})

/**
 * One given credential. Fails with `CredentialHostMismatch` at a registry on another host.
 *
 * @since 0.1.0
 * @category constructors
 */
export const credential = (value: Credential): Authentication =>
  make({
    label: "credential",
    isRequired: true,
    resolve: (uri) =>
      value.host === uri.host
        ? Effect.succeedSome({ credential: value, origin: "the given credential", revalidate: false })
        : Effect.fail(new CredentialHostMismatch({ host: value.host, registry: String(uri) }))
  })

/**
 * A username and a password for whichever host the registry is on.
 *
 * @since 0.1.0
 * @category constructors
 */
export const usernamePassword = (username: string, password: Redacted.Redacted): Authentication =>
  make({
    label: "username and password",
    isRequired: true,
    resolve: (uri) =>
      Effect.succeedSome({
        credential: Credentials.usernamePassword({ host: uri.host, username, password }),
        origin: "the given username and password",
        revalidate: false
      })
  })

/**
 * The `username` and `password` of a stored secret, read again for each push so that a rotated one is picked up.
 *
 * Fails with `SecretNotFound` when the secret does not exist and with `SecretInvalid` when a field is missing.
 *
 * @since 0.1.0
 * @category constructors
 */
export const secret = (name: string): Authentication<SecretStore.SecretStore> =>
  make({
    label: `secret ${name}`,
    isRequired: true,
    resolve: Effect.fnUntraced(function* (uri) {
      const values = yield* SecretStore.getTyped(name, SecretStore.UsernamePasswordSecret, { registry: String(uri) })
      return Option.some({
        credential: Credentials.usernamePassword({ host: uri.host, ...values }),
        origin: `secret ${name}`,
        revalidate: true
      })
    })
  })

/**
 * What the machine already knows of the host; none when it knows nothing.
 *
 * @since 0.1.0
 * @category constructors
 */
export const keychain: Authentication<Keychain> = make({
  label: "keychain",
  isRequired: false,
  resolve: (uri) =>
    Effect.flatMap(Keychain, (known) => known.find(uri.host, { repository: uri.path === "" ? undefined : uri.path }))
})

/**
 * What a connector issues for the registry: the application's `ServiceConnector`, or the one behind a tag of its own.
 *
 * @since 0.1.0
 * @category constructors
 */
export function connector(): Authentication<ServiceConnector>
export function connector<Identifier>(tag: Context.Tag<Identifier, ServiceConnector>): Authentication<Identifier>
export function connector<Identifier>(
  tag?: Context.Tag<Identifier, ServiceConnector>
): Authentication<Identifier> | Authentication<ServiceConnector> {
  return tag === undefined ? fromTag(ServiceConnectorTag) : fromTag(tag)
}

const fromTag = <Identifier>(tag: Context.Tag<Identifier, ServiceConnector>): Authentication<Identifier> =>
  fromConnector({
    label: `connector ${tag.key}`,
    find: tag,
    origin: ({ authMethod, type }) => `the ${type} connector (${authMethod})`
  })

/**
 * What a connector of the application's `ConnectorCatalog` issues for the registry. Fails with a `ConnectorError`
 * (`misconfigured`) when none has the name.
 *
 * @since 0.1.0
 * @category constructors
 */
export const connectorNamed = (name: string): Authentication<ConnectorCatalog> =>
  fromConnector({
    label: `connector ${name}`,
    find: Effect.flatMap(ConnectorCatalog, (catalog) => catalog.get(name)),
    origin: ({ authMethod, type }) => `connector ${name} (${type}, ${authMethod})`
  })

/** An identity that may push need not be one that may list repositories: reference/zenml.md W35. */
const advisory =
  (ensureRepository: (image: ImageReference) => Effect.Effect<void, ConnectorError>) => (image: ImageReference) =>
    Effect.catchAll(ensureRepository(image), ({ message }) =>
      Effect.logWarning(`${image.name} is pushed all the same, although: ${message}`)
    )

const fromConnector = <R>(options: {
  readonly label: string
  readonly find: Effect.Effect<ServiceConnector, ConnectorError, R>
  readonly origin: (connector: ServiceConnector) => string
}): Authentication<R> =>
  make({
    label: options.label,
    isRequired: true,
    resolve: Effect.fnUntraced(function* (uri) {
      const connector = yield* options.find
      const credential = yield* connector.issue(uri.name)
      if (credential.host !== uri.host) {
        return yield* new CredentialHostMismatch({ host: credential.host, registry: String(uri) })
      }
      return Option.some({
        credential,
        origin: options.origin(connector),
        revalidate: false,
        prepareImagePush: Option.getOrUndefined(Option.map(connector.ensureRepository, advisory))
      })
    })
  })

/**
 * The first that gives a credential. One that fails, fails the whole: it is not skipped.
 *
 * @since 0.1.0
 * @category combinators
 */
export const firstOf = <Requirements extends ReadonlyArray<unknown>>(
  ...candidates: { readonly [Index in keyof Requirements]: Authentication<Requirements[Index]> }
): Authentication<Requirements[number]> =>
  make({
    label: candidates.map((candidate) => candidate.label).join(", then "),
    isRequired: candidates.some((candidate) => candidate.isRequired),
    resolve: (uri) =>
      Effect.reduce(candidates, Option.none<ResolvedCredential>(), (found, candidate) =>
        Option.isSome(found) ? Effect.succeed(found) : candidate.resolve(uri)
      )
  })
