/**
 * A Docker Engine as one registry's user.
 *
 * @since 0.1.0
 */
import type Dockerode from "dockerode"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import type { ResolvedCredential } from "../credential/Credential.ts"
import * as DockerEngine from "../engine/DockerEngine.ts"
import type { EngineError } from "../engine/EngineError.ts"
import type { RegistryUri } from "../reference/RegistryUri.ts"

/**
 * An engine, and who we are at the registry.
 *
 * `use` is the way out to dockerode for what gantry does not do. `authconfig` holds the credential in the clear, in the
 * form dockerode's own options want: hand it on and keep it nowhere. Hand `signal` on as `abortSignal`, and interruption
 * aborts the call.
 *
 * @since 0.1.0
 * @category models
 */
export interface AuthenticatedEngine {
  readonly engine: DockerEngine.Service
  readonly credential: Option.Option<ResolvedCredential>
  readonly use: <A>(
    run: (
      client: Dockerode,
      options: { readonly authconfig: DockerEngine.AuthConfig; readonly abortSignal: AbortSignal }
    ) => Promise<A>
  ) => Effect.Effect<A, EngineError>
}

/**
 * The application's engine as the registry's user. The engine itself learns nothing: each call carries the credential.
 *
 * @since 0.1.0
 * @category constructors
 */
export const make = (
  uri: RegistryUri,
  credential: Option.Option<ResolvedCredential>
): Effect.Effect<AuthenticatedEngine, never, DockerEngine.DockerEngine> =>
  Effect.map(DockerEngine.DockerEngine, (engine) => {
    const authconfig = DockerEngine.authConfig(
      uri.host,
      Option.map(credential, (resolved) => resolved.credential)
    )
    return {
      engine,
      credential,
      use: (run) => engine.use((client, abortSignal) => run(client, { authconfig, abortSignal }))
    }
  })
