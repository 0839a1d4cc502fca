import * as Encoding from "effect/Encoding"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import type { Credential, CredentialKind } from "../../credential/Credential.ts"

const DOCKER_HUB = "docker.io"

/** The engine's containerd store uses a credential only when this is the image's host: reference/auth.md section 3. */
const serverAddress = (registry: string): string => (registry === DOCKER_HUB ? "https://index.docker.io/v1/" : registry)

const fields = (kind: CredentialKind): Record<string, string> => {
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

/**
 * The value of `X-Registry-Auth`, which older engines want on every push, even as `{}`.
 *
 * Base64url keeps its padding here: without it every Docker Engine pushes anonymously and says nothing
 * (reference/engine.md section 4), which `Encoding.encodeBase64Url` would leave out.
 */
export const registryAuth = (registry: string, credential: Option.Option<Credential>): Redacted.Redacted => {
  const config = Option.match(credential, {
    onNone: () => ({}),
    onSome: ({ kind }) => ({ ...fields(kind), serveraddress: serverAddress(registry) })
  })
  const base64 = Encoding.encodeBase64(JSON.stringify(config))
  return Redacted.make(base64.replaceAll("+", "-").replaceAll("/", "_"))
}
