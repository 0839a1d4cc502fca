/**
 * What a registry asks for, for one host, with the moment it stops being good.
 *
 * @since 0.1.0
 */
import * as Data from "effect/Data"
import type * as DateTime from "effect/DateTime"
import type * as Option from "effect/Option"
import type * as Redacted from "effect/Redacted"

/**
 * When a credential stops being good: `Never`, `Unknown` since it was issued, or `At` a known instant.
 *
 * @since 0.1.0
 * @category models
 */
export type Expiry = Data.TaggedEnum<{
  readonly Never: {}
  readonly Unknown: { readonly issuedAt: DateTime.Utc }
  readonly At: { readonly at: DateTime.Utc; readonly issuedAt: DateTime.Utc }
}>

/**
 * @since 0.1.0
 * @category constructors
 */
export const Expiry = Data.taggedEnum<Expiry>()

/**
 * The forms a credential takes: a username with a password, an OAuth2 refresh token (`identitytoken` in Docker's files),
 * or a ready bearer token (`registrytoken`).
 *
 * @since 0.1.0
 * @category models
 */
export type CredentialKind = Data.TaggedEnum<{
  readonly UsernamePassword: { readonly username: string; readonly password: Redacted.Redacted }
  readonly IdentityToken: { readonly username: Option.Option<string>; readonly token: Redacted.Redacted }
  readonly RegistryToken: { readonly token: Redacted.Redacted }
}>

/**
 * @since 0.1.0
 * @category constructors
 */
export const CredentialKind = Data.taggedEnum<CredentialKind>()

/**
 * A credential for one registry host. Two are equal when host, secrets and expiry are, so a rotated one is not.
 *
 * `host` is canonical (`docker.io` for Docker Hub), with its port when it has one.
 *
 * @since 0.1.0
 * @category models
 */
export class Credential extends Data.Class<{
  readonly host: string
  readonly kind: CredentialKind
  readonly expiry: Expiry
}> {}

/**
 * A username and a password that never expire.
 *
 * @since 0.1.0
 * @category constructors
 */
export const usernamePassword = (options: {
  readonly host: string
  readonly username: string
  readonly password: Redacted.Redacted
}): Credential =>
  new Credential({
    host: options.host,
    kind: CredentialKind.UsernamePassword({ username: options.username, password: options.password }),
    expiry: Expiry.Never()
  })

/**
 * A credential with where it came from (`"~/.docker/config.json"`, `"secret ghcr"`), for messages.
 *
 * `revalidate` asks every borrower to read it again, because its source can change behind gantry's back.
 *
 * @since 0.1.0
 * @category models
 */
export interface ResolvedCredential {
  readonly credential: Credential
  readonly origin: string
  readonly revalidate: boolean
}
