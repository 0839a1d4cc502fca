/**
 * The registries of one program, by name.
 *
 * @since 0.1.0
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import { NoMatchingRegistry, type PushError } from "../push/PushError.ts"
import type { ImageReference } from "../reference/ImageReference.ts"
import * as RegistryUri from "../reference/RegistryUri.ts"
import type { PushTransport } from "../transport/PushTransport.ts"
import type { Authentication } from "./Authentication.ts"
import * as ContainerRegistry from "./ContainerRegistry.ts"

/**
 * Named registries. `forImage` gives the one with the longest URI that owns the image.
 *
 * @since 0.1.0
 * @category services
 */
export class RegistryCatalog extends Context.Tag("gantry/RegistryCatalog")<
  RegistryCatalog,
  {
    readonly registries: ReadonlyMap<string, ContainerRegistry.ContainerRegistry>
    readonly get: (name: string) => Option.Option<ContainerRegistry.ContainerRegistry>
    readonly forImage: (image: ImageReference) => Effect.Effect<ContainerRegistry.ContainerRegistry, NoMatchingRegistry>
  }
>() {}

/**
 * A catalog of registries that exist already.
 *
 * @since 0.1.0
 * @category constructors
 */
export const make = (
  registries: ReadonlyMap<string, ContainerRegistry.ContainerRegistry>
): Context.Tag.Service<RegistryCatalog> => {
  const mostSpecificFirst = Array.from(registries.values()).sort(
    (left, right) => right.config.uri.path.length - left.config.uri.path.length
  )
  return {
    registries,
    get: (name) => Option.fromNullable(registries.get(name)),
    forImage: (image) => {
      const owner = mostSpecificFirst.find((registry) => RegistryUri.owns(registry.config.uri, image))
      return owner === undefined
        ? Effect.fail(
            new NoMatchingRegistry({
              image: String(image),
              registries: mostSpecificFirst.map((registry) => registry.config.uri.name)
            })
          )
        : Effect.succeed(owner)
    }
  }
}

/**
 * What makes each registry, by its name.
 *
 * @since 0.1.0
 * @category models
 */
export type NamedRegistries = Readonly<Record<string, ContainerRegistry.ContainerRegistryOptions<unknown, unknown>>>

/**
 * A catalog with one registry for each key. What they need together is what the layer needs.
 *
 * @since 0.1.0
 * @category layers
 */
export const layer = <const Registries extends NamedRegistries>(
  registries: Registries
): Layer.Layer<RegistryCatalog, RegistryUri.InvalidRegistryUri, Requirements<Registries> | PushTransport> =>
  Layer.scoped(
    RegistryCatalog,
    Effect.map(
      Effect.forEach(Object.entries(registries), ([name, options]) =>
        Effect.map(
          // The loop widens each registry's own requirements to unknown; Requirements says what they are together.
          ContainerRegistry.make(options as ContainerRegistry.ContainerRegistryOptions<Requirements<Registries>>),
          (registry) => [name, registry] as const
        )
      ),
      (entries) => make(new Map(entries))
    )
  )

/**
 * A catalog that holds just the application's `ContainerRegistry`, under the name `default`.
 *
 * @since 0.1.0
 * @category layers
 */
export const layerSingle: Layer.Layer<RegistryCatalog, never, ContainerRegistry.ContainerRegistry> = Layer.effect(
  RegistryCatalog,
  Effect.map(ContainerRegistry.ContainerRegistry, (registry) => make(new Map([["default", registry]])))
)

type AuthenticationRequirements<Options> = Options extends {
  readonly authentication: Authentication<infer R>
}
  ? R
  : never

type HookRequirements<Options> = Options extends {
  readonly prepareImagePush: (image: ImageReference) => Effect.Effect<void, PushError, infer R>
}
  ? R
  : never

/**
 * What named registries need together: the services of their authentications and of their hooks.
 *
 * @since 0.1.0
 * @category models
 */
export type Requirements<Registries> = {
  readonly [Name in keyof Registries]: AuthenticationRequirements<Registries[Name]> | HookRequirements<Registries[Name]>
}[keyof Registries]
