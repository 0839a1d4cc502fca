import * as Config from "effect/Config"
import * as Effect from "effect/Effect"
import { ConnectorError } from "../ConnectorError.ts"
import type { Login } from "./givenToken.ts"
import { requireAllowed } from "./implicitMethod.ts"

/** A pair of variables that a CI system sets. */
interface LoginVariables {
  readonly username: Config.Config<string>
  readonly token: string
}

/**
 * The login that a CI system left in the environment, once it is allowed: the first pair that is there, read again at each
 * issue from the configuration that the connector was made with.
 */
export const environmentLogin = Effect.fnUntraced(function* (options: {
  readonly connector: string
  readonly method: string
  readonly allowed: boolean | undefined
  readonly candidates: readonly [LoginVariables, ...ReadonlyArray<LoginVariables>]
}) {
  const { candidates, connector } = options
  yield* requireAllowed(options)
  const provider = yield* Effect.configProviderWith(Effect.succeed)
  const read = ({ token, username }: LoginVariables) =>
    provider.load(Config.all({ username, token: Config.redacted(Config.nonEmptyString(token)) }))
  const login: Effect.Effect<Login, ConnectorError> = Effect.mapError(
    Effect.firstSuccessOf(candidates.map(read)),
    () => {
      const detail = `${candidates.map(({ token }) => token).join(" or ")} is not in the environment, where the CI system puts it`
      return new ConnectorError({ connector, reason: "misconfigured", detail })
    }
  )
  return login
})
