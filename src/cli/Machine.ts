/**
 * The machine's side of a command: how images travel, and whose credentials there are.
 */
import type { ConfigError } from "effect/ConfigError"
import type * as Layer from "effect/Layer"
import type { Keychain } from "../credential/Keychain.ts"
import type { EngineContextInvalid } from "../engine/EngineError.ts"
import type { PushTransport } from "../transport/PushTransport.ts"

/** Two layers, because only a push looks for an engine. */
export interface Machine {
  readonly transport: Layer.Layer<PushTransport, EngineContextInvalid | ConfigError>
  readonly keychain: Layer.Layer<Keychain, ConfigError>
}
