/**
 * An application's connectors by name.
 *
 * @since 0.1.0
 */
import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import { ConnectorError } from "./ConnectorError.ts"
import type { ServiceConnector } from "./ServiceConnector.ts"

/**
 * Connectors by name. `get` fails with a `ConnectorError` (`misconfigured`) when there is none of the name.
 *
 * @since 0.1.0
 * @category services
 */
export class ConnectorCatalog extends Context.Tag("gantry/ConnectorCatalog")<
  ConnectorCatalog,
  {
    readonly connectors: ReadonlyMap<string, ServiceConnector>
    readonly get: (name: string) => Effect.Effect<ServiceConnector, ConnectorError>
  }
>() {}

/**
 * A catalog of connectors that exist already.
 *
 * @since 0.1.0
 * @category constructors
 */
export const make = (connectors: ReadonlyMap<string, ServiceConnector>): Context.Tag.Service<ConnectorCatalog> => ({
  connectors,
  get: (name) =>
    Either.fromNullable(
      connectors.get(name),
      () =>
        new ConnectorError({
          connector: name,
          reason: "misconfigured",
          detail: `there is no connector of this name, but ${Array.from(connectors.keys()).join(", ") || "none at all"}`
        })
    )
})
