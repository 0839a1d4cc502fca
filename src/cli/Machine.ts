/**
 * The machine's side of a command: how images travel, and whose credentials there are.
 */
import type { ConfigError } from "effect/ConfigError"
import type * as Layer from "effect/Layer"
import type { Keychain } from "../credential/Keychain.ts"
import type * as DockerContext from "../engine/DockerContext.ts"
import type * as DockerEngine from "../engine/DockerEngine.ts"
import type { EngineContextInvalid } from "../engine/EngineError.ts"
import type { PushTransport } from "../transport/PushTransport.ts"

/** Layers of their own, because only a push looks for an engine. `engine` is the one at an address, for who asks it himself. */
export interface Machine {
  readonly transport: (
    choice: DockerContext.Choice,
    /** What stands before the engine. */
    engine: Layer.Layer<DockerEngine.DockerEngine, never, DockerEngine.DockerEngine>
  ) => Layer.Layer<PushTransport, EngineContextInvalid | ConfigError>
  readonly engine: (options: DockerEngine.Options) => Layer.Layer<DockerEngine.DockerEngine, EngineContextInvalid>
  readonly keychain: Layer.Layer<Keychain, ConfigError>
  readonly version: string
  /** The program file of docker-credential-gantry. */
  readonly credentialHelper: string
}
