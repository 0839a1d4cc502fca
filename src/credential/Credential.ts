/**
 * What a registry asks for, for one host, with the moment it stops being good.
 *
 * @since 0.1.0
 */
import * as Data from "effect/Data"
import type * as DateTime from "effect/DateTime"
import type * as Effect from "effect/Effect"
import * as Encoding from "effect/Encoding"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import { quirksOf } from "../flavor/RegistryFlavor.ts"
import type { ImageReference } from "../reference/ImageReference.ts"
import { canonicalHost } from "../reference/internal/grammar.ts"

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
 * What Docker calls a registry in its files, in questions to credential helpers and in `serveraddress`: the host, except
 * for Docker Hub, which is `https://index.docker.io/v1/`.
 *
 * @param host a host, with its port when it has one
 * @since 0.1.0
 * @category hosts
 */
export const serverAddress = (host: string): string => {
  const canonical = canonicalHost(host)
  return Option.getOrElse(quirksOf(canonical).credentialKey, () => canonical)
}

/**
 * A credential of any kind for a host.
 *
 * @param options `host`: any spelling of the registry's host; `expiry`: `Never` when left out
 * @since 0.1.0
 * @category constructors
 */
export const make = (options: {
  readonly host: string
  readonly kind: CredentialKind
  readonly expiry?: Expiry | undefined
}): Credential =>
  new Credential({
    host: canonicalHost(options.host),
    kind: options.kind,
    expiry: options.expiry ?? Expiry.Never()
  })

/**
 * A username and a password.
 *
 * @param options `host`: any spelling of the registry's host; `expiry`: `Never` when left out
 * @since 0.1.0
 * @category constructors
 */
export const usernamePassword = (options: {
  readonly host: string
  readonly username: string
  readonly password: Redacted.Redacted
  readonly expiry?: Expiry | undefined
}): Credential =>
  make({
    ...options,
    kind: CredentialKind.UsernamePassword({ username: options.username, password: options.password })
  })

/**
 * An OAuth2 refresh token, which Docker calls an identity token, with the username it was issued to when that is known.
 *
 * @param options `host`: any spelling of the registry's host; `expiry`: `Never` when left out
 * @since 0.1.0
 * @category constructors
 */
export const identityToken = (options: {
  readonly host: string
  readonly username?: string | undefined
  readonly token: Redacted.Redacted
  readonly expiry?: Expiry | undefined
}): Credential =>
  make({
    ...options,
    kind: CredentialKind.IdentityToken({ username: Option.fromNullable(options.username), token: options.token })
  })

/**
 * A bearer token that the registry itself accepts, sent as it is.
 *
 * @param options `host`: any spelling of the registry's host; `expiry`: `Never` when left out
 * @since 0.1.0
 * @category constructors
 */
export const registryToken = (options: {
  readonly host: string
  readonly token: Redacted.Redacted
  readonly expiry?: Expiry | undefined
}): Credential => make({ ...options, kind: CredentialKind.RegistryToken({ token: options.token }) })

/**
 * A credential with where it came from (`"~/.docker/config.json"`, `"secret ghcr"`), for messages.
 *
 * `revalidate` asks every borrower to read it again, because its source can change behind gantry's back.
 * `prepareImagePush` is what its source does before a push with it, such as creating the repository. It never fails,
 * because the push itself shows best whether it can be done.
 *
 * @since 0.1.0
 * @category models
 */
export interface ResolvedCredential {
  readonly credential: Credential
  readonly origin: string
  readonly revalidate: boolean
  readonly prepareImagePush?: ((image: ImageReference) => Effect.Effect<void>) | undefined
}

/** A shorter one would take ordinary words apart, and could be guessed from the gaps. */
const SHORTEST_SECRET = 4

const secretOf = (kind: CredentialKind): string =>
  Redacted.value(kind._tag === "UsernamePassword" ? kind.password : kind.token)

/** With the padding first, which would else be left. */
const base64Forms = (text: string): ReadonlyArray<string> => {
  const padded = Encoding.encodeBase64(text)
  return [padded, padded.replace(/=+$/, "")].flatMap((form) => [form, form.replaceAll("+", "-").replaceAll("/", "_")])
}

/**
 * Every form of a credential's secret that a server may have seen and repeat: as it is, escaped for JSON, a URL or a form,
 * and in Basic's base64 with either alphabet. They are secrets themselves: for taking them out of a text, and nothing else.
 *
 * @since 0.1.0
 * @category redaction
 */
export const echoes = (credential: Option.Option<Credential>): ReadonlyArray<string> =>
  Option.match(credential, {
    onNone: () => [],
    onSome: ({ kind }) => {
      const secret = secretOf(kind)
      return [
        ...(kind._tag === "UsernamePassword" ? base64Forms(`${kind.username}:${secret}`) : []),
        ...base64Forms(secret),
        JSON.stringify(secret).slice(1, -1),
        encodeURIComponent(secret),
        new URLSearchParams({ secret }).toString().slice("secret=".length),
        secret
      ]
    }
  })

/**
 * Takes a credential's secret out of somebody else's words, in every form of `echoes`.
 *
 * @since 0.1.0
 * @category redaction
 */
export const redactFrom = (text: string, credential: Option.Option<Credential>): string =>
  echoes(credential)
    .filter((form) => form.length >= SHORTEST_SECRET)
    .reduce((clean, form) => clean.replaceAll(form, "<redacted>"), text)
