import * as Encoding from "effect/Encoding"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import { type Credential, type CredentialKind, serverAddress } from "../../credential/Credential.ts"

const fields = (kind: CredentialKind): Omit<AuthConfig, "serveraddress"> => {
  switch (kind._tag) {
    case "UsernamePassword":
      return { username: kind.username, password: Redacted.value(kind.password) }
    case "IdentityToken":
      return {
        ...Option.match(kind.username, { onNone: () => ({}), onSome: (username) => ({ username }) }),
        identitytoken: Redacted.value(kind.token)
      }
    case "RegistryToken":
      return { registrytoken: Redacted.value(kind.token) }
  }
}

/** The fields of a credential in the clear, as dockerode's `authconfig` and `X-Registry-Auth` have them. */
export interface AuthConfig {
  readonly username?: string
  readonly password?: string
  readonly identitytoken?: string
  readonly registrytoken?: string
  readonly serveraddress?: string
}

/** The engine's containerd store uses a credential only when `serveraddress` is the image's: reference/auth.md section 3. */
export const authConfig = (registry: string, credential: Option.Option<Credential>): AuthConfig =>
  Option.match(credential, {
    onNone: () => ({}),
    onSome: ({ kind }) => ({ ...fields(kind), serveraddress: serverAddress(registry) })
  })

/**
 * The value of `X-Registry-Auth`, which older engines want on every push, even as `{}`.
 *
 * Base64url keeps its padding here: without it every Docker Engine pushes anonymously and says nothing
 * (reference/engine.md section 4), which `Encoding.encodeBase64Url` would leave out.
 */
export const registryAuth = (registry: string, credential: Option.Option<Credential>): Redacted.Redacted => {
  const base64 = Encoding.encodeBase64(JSON.stringify(authConfig(registry, credential)))
  return Redacted.make(base64.replaceAll("+", "-").replaceAll("/", "_"))
}
