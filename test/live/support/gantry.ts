/**
 * gantry's own layers over the live stack: what an application would write.
 */
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import type { Engine } from "../../../scripts/lib/stack/Engine.ts"
import type { LabCredentials } from "../../../scripts/lib/stack/EngineApi.ts"
import * as DockerEngine from "../../../src/engine/DockerEngine.ts"
import * as Authentication from "../../../src/registry/Authentication.ts"
import * as ContainerRegistry from "../../../src/registry/ContainerRegistry.ts"
import * as PushTransport from "../../../src/transport/PushTransport.ts"

/** A registry at `host`, pushed to through `engine`, as nobody or with these credentials. */
export const registryAt = (engine: Pick<Engine, "host">, host: string, credentials?: LabCredentials) =>
  ContainerRegistry.layer({
    uri: host,
    authentication:
      credentials === undefined
        ? Authentication.anonymous
        : Authentication.usernamePassword(credentials.username, Redacted.make(credentials.password))
  }).pipe(Layer.provide(PushTransport.layerEngine), Layer.provide(DockerEngine.layer({ host: engine.host })))

/** Pushes with a registry made for this one push. */
export const push = (
  engine: Pick<Engine, "host">,
  reference: string,
  options?: ContainerRegistry.PushImageOptions & { readonly credentials?: LabCredentials | undefined }
) =>
  Effect.flatMap(ContainerRegistry.ContainerRegistry, (registry) => registry.pushImage(reference, options)).pipe(
    Effect.provide(registryAt(engine, reference.split("/")[0] ?? "", options?.credentials))
  )

/** The lab's user who may push, for registries that ask. */
export const credentialsOf = (registry: { readonly credentials: Option.Option<LabCredentials> }) =>
  Option.getOrUndefined(registry.credentials)
