/**
 * What asking a registry proves about it and about who we are there, without an engine.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import type { Expiry, ResolvedCredential } from "../credential/Credential.ts"
import type { PushPermission, RegistryClient } from "../distribution/RegistryClient.ts"
import type { RegistryError } from "../distribution/RegistryError.ts"

/**
 * A registry that answers and accepts the credential. `push` says whether it may push to `repository`, as far as that can
 * be known: token servers tell, registries with passwords only show it by an upload.
 *
 * @since 0.1.0
 * @category models
 */
export interface RegistryCheck {
  readonly registry: string
  /** Where the credential came from; none for nobody. */
  readonly origin: Option.Option<string>
  readonly expiry: Option.Option<Expiry>
  readonly repository: Option.Option<string>
  readonly push: PushPermission
}

/**
 * How the right to push is proved: by what the token server says, which writes nothing, or by opening and cancelling one
 * upload.
 *
 * @since 0.1.0
 * @category models
 */
export type PushProof = "token" | "upload"

const withUpload = (client: RegistryClient, repository: string): Effect.Effect<PushPermission, RegistryError> =>
  Effect.acquireUseRelease(
    client.openUpload(repository),
    () => Effect.succeed<PushPermission>("granted"),
    // The upload expires by itself where cancelling needs a right of its own: distribution 2.x asks for `delete`.
    (session) => Effect.ignore(client.cancelUpload(session))
  ).pipe(Effect.catchTag("RegistryDenied", () => Effect.succeed<PushPermission>("refused")))

/**
 * Asks a registry. A wrong password is `RegistryUnauthorized`, a registry that can not be reached `RegistryUnavailable`
 * with its reason, a repository that can not be pushed to because it does not exist `RepositoryNotFound`.
 *
 * @since 0.1.0
 * @category constructors
 */
export const make = Effect.fn("RegistryCheck.make")(function* (options: {
  readonly client: RegistryClient
  readonly credential: Option.Option<ResolvedCredential>
  readonly repository: Option.Option<string>
  readonly proof: PushProof
}) {
  const { client, credential, proof, repository } = options
  const push = yield* Option.match(repository, {
    onNone: () => Effect.as(client.ping, "unknown" as const),
    onSome: (name) => (proof === "upload" ? withUpload(client, name) : client.checkPush(name))
  })
  const check: RegistryCheck = {
    registry: client.host,
    origin: Option.map(credential, ({ origin }) => origin),
    expiry: Option.map(credential, ({ credential: { expiry } }) => expiry),
    repository,
    push
  }
  return check
})
