import type * as HttpClient from "@effect/platform/HttpClient"
import * as Effect from "effect/Effect"
import type * as Redacted from "effect/Redacted"
import type { IdToken } from "../IdToken.ts"
import { optional, secret } from "./connectorType.ts"

/** The field of every method that logs in with an id token. */
export const idToken = optional(secret("the id token of a GitLab job or a pod; GitHub Actions is asked when left out"))

const sources = Effect.promise(() => import("../IdToken.ts"))

/** Where the id token comes from, as the field says it. */
export const idTokenOf = (given: Redacted.Redacted | undefined): Effect.Effect<IdToken<HttpClient.HttpClient>> =>
  Effect.map(
    sources,
    ({ githubActions, make }): IdToken<HttpClient.HttpClient> =>
      given === undefined
        ? githubActions()
        : make({ origin: "the connector's idToken", get: () => Effect.succeed(given) })
  )
