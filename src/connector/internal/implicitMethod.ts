import * as Config from "effect/Config"
import * as Effect from "effect/Effect"
import { ConnectorError } from "../ConnectorError.ts"

const VARIABLE = "GANTRY_ENABLE_IMPLICIT_AUTH_METHODS"

const switchedOn = Config.withDefault(Config.boolean(VARIABLE), false)

/**
 * Refuses a method that takes whatever identity the machine has, unless it was switched on: a configuration written by
 * one person must not act as the machine of another (reference/zenml.md section 1.9).
 */
export const requireAllowed = (options: {
  readonly connector: string
  readonly method: string
  readonly allowed: boolean | undefined
}): Effect.Effect<void, ConnectorError> =>
  Effect.gen(function* () {
    const { allowed, connector, method } = options
    if (allowed ?? (yield* switchedOn)) return
    const detail = `the method ${method} takes the machine's own identity and is off; set \`allowImplicitMethods\`, or ${VARIABLE}=true`
    return yield* new ConnectorError({ connector, reason: "misconfigured", detail })
  }).pipe(
    Effect.catchTag("ConfigError", () =>
      Effect.fail(
        new ConnectorError({
          connector: options.connector,
          reason: "misconfigured",
          detail: `${VARIABLE} is neither true nor false`
        })
      )
    )
  )
