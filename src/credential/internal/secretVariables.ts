import * as Config from "effect/Config"
import type * as ConfigProvider from "effect/ConfigProvider"
import * as Effect from "effect/Effect"
import * as HashMap from "effect/HashMap"
import * as Option from "effect/Option"
import type * as Redacted from "effect/Redacted"
import { SecretInvalid } from "../CredentialError.ts"
import { checkSecretName } from "./secretName.ts"

/**
 * `ghcr-prod` is kept in the variables that begin with `GANTRY_SECRET_GHCR_PROD_`.
 */
const variablePrefix = (secret: string): string => `GANTRY_SECRET_${secret.toUpperCase().replace(/[^A-Z0-9]/g, "_")}_`

/**
 * Reads the fields of a secret from the configuration. A provider may hold `GANTRY_SECRET_GHCR_USERNAME` as one key or as
 * a path of segments, so the walk follows whatever segments lead to the prefix.
 */
export const makeSecretVariables = (provider: ConfigProvider.ConfigProvider) => {
  const load = <A>(path: ReadonlyArray<string>, config: Config.Config<A>) =>
    provider.load(path.reduceRight((inner, segment) => Config.nested(inner, segment), config))

  const collect = (
    path: ReadonlyArray<string>,
    prefix: string
  ): Effect.Effect<ReadonlyArray<readonly [string, Redacted.Redacted]>, unknown> =>
    Effect.gen(function* () {
      const segments = HashMap.keys(yield* load(path, Config.hashMap(Config.succeed(true))))
      const found = yield* Effect.forEach(segments, (segment) => collectAt([...path, segment], prefix))
      return found.flat()
    })

  const collectAt = (path: ReadonlyArray<string>, prefix: string) =>
    Effect.gen(function* () {
      const variable = path.join("_")
      if (prefix.startsWith(`${variable}_`)) {
        return yield* collect(path, prefix)
      }
      if (!variable.startsWith(prefix)) {
        return []
      }
      const value = yield* load(path, Config.option(Config.redacted()))
      const field = variable.slice(prefix.length).toLowerCase()
      const here = Option.map(value, (redacted) => [[field, redacted] as const])
      return [...Option.getOrElse(here, () => []), ...(yield* collect(path, prefix))]
    })

  return Effect.fnUntraced(function* (name: string) {
    const secret = yield* checkSecretName(name)
    const fields = yield* Effect.mapError(
      collect([], variablePrefix(secret)),
      () => new SecretInvalid({ secret, expected: `readable as ${variablePrefix(secret)}<FIELD>` })
    )
    return fields.length === 0 ? Option.none() : Option.some(Object.fromEntries(fields))
  })
}
