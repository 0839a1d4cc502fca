import * as Effect from "effect/Effect"
import * as Predicate from "effect/Predicate"
import { ConnectorError, fromUnknown } from "../ConnectorError.ts"

/** A vendor's SDK, which only who uses its connector installs. */
export interface OptionalPeer<A> {
  readonly name: string
  /** The versions that the connector works with, as `package.json` states them. */
  readonly range: string
  readonly load: () => Promise<A>
}

/** Not of a package that the peer itself lacks: installing the peer again would not cure that. */
const isMissing = (error: unknown, name: string): boolean =>
  Predicate.hasProperty(error, "code") &&
  error.code === "ERR_MODULE_NOT_FOUND" &&
  Predicate.hasProperty(error, "message") &&
  String(error.message).startsWith(`Cannot find package '${name}'`)

/** A range of two ends has characters that a shell takes for its own. */
const installation = ({ name, range }: OptionalPeer<unknown>): string =>
  /[<>\s]/.test(range) ? `npm install "${name}@${range}"` : `npm install ${name}@${range}`

/** Loads an SDK when it is needed, which takes a tenth of a second. A missing one is `misconfigured`. */
export const load = <A>(connector: string, peer: OptionalPeer<A>): Effect.Effect<A, ConnectorError> =>
  Effect.tryPromise({
    try: peer.load,
    catch: (error) =>
      isMissing(error, peer.name)
        ? new ConnectorError({
            connector,
            reason: "misconfigured",
            detail: `the package ${peer.name} is not installed; run \`${installation(peer)}\``
          })
        : fromUnknown(error, { connector, reason: "misconfigured" })
  })
