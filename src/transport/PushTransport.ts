/**
 * How an image gets from its source to its registry.
 *
 * @since 0.1.0
 */
import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type * as Option from "effect/Option"
import type { Credential } from "../credential/Credential.ts"
import type { RegistryTls } from "../distribution/RegistryHttp.ts"
import type { DockerEngine } from "../engine/DockerEngine.ts"
import type { ImageSource } from "../image/ImageSource.ts"
import type { PushError } from "../push/PushError.ts"
import type { AttemptEvent } from "../push/PushEvent.ts"
import type { TransferredBytes, TransportKind } from "../push/PushedImage.ts"
import type { Platform } from "../push/PushRequest.ts"
import type { Digest } from "../reference/Digest.ts"
import type { ImageReference } from "../reference/ImageReference.ts"
import * as EngineTransport from "./EngineTransport.ts"

/**
 * One image, one target, and who we are there. `credential` is for the target's host, `sourceCredential` for the
 * source's, when the source is a registry. `tls` is how gantry's own requests reach the target, and
 * an engine's that has no settings of its own for that (Podman).
 *
 * @since 0.1.0
 * @category models
 */
export interface TransportRequest {
  readonly source: ImageSource
  readonly target: ImageReference
  readonly platform: Option.Option<Platform>
  readonly credential: Option.Option<Credential>
  readonly sourceCredential: Option.Option<Credential>
  readonly tls: Option.Option<RegistryTls>
}

/**
 * What one good attempt leaves.
 *
 * @since 0.1.0
 * @category models
 */
export interface TransportResult extends TransferredBytes {
  readonly digest: Digest
  readonly status: "pushed" | "unchanged"
  readonly transport: TransportKind
}

/**
 * What a registry has under the target's tag, compared with the source: nothing, the same image, or another one.
 *
 * @since 0.1.0
 * @category models
 */
export type Comparison =
  | { readonly _tag: "Absent" }
  | { readonly _tag: "Same"; readonly digest: Digest }
  | { readonly _tag: "Different"; readonly digest: Digest }

/**
 * One attempt of one push. `emit` is synchronous and never waits; interruption stops the attempt at its source.
 *
 * `compare` asks the registry and writes nothing.
 *
 * @since 0.1.0
 * @category services
 */
export class PushTransport extends Context.Tag("gantry/PushTransport")<
  PushTransport,
  {
    readonly push: (
      request: TransportRequest & { readonly emit: (event: AttemptEvent) => void }
    ) => Effect.Effect<TransportResult, PushError>
    readonly compare: (request: TransportRequest) => Effect.Effect<Comparison, PushError>
  }
>() {}

/**
 * Pushes through the engine. Fails with `UnsupportedSource` for images that are not in it.
 *
 * An image whose layer is on its way to another repository of the registry waits until it is there, and the engine mounts
 * it: while it waits, `emit` has that layer's progress. It waits for no layer that has not moved for a minute, or has not
 * begun in two, and only on an engine with the classic image store: others name layers by what is known afterwards.
 *
 * @since 0.1.0
 * @category layers
 */
export const layerEngine: Layer.Layer<PushTransport, never, DockerEngine> = Layer.scoped(
  PushTransport,
  EngineTransport.make
)
