import * as Effect from "effect/Effect"
import { identity } from "effect/Function"
import * as Redacted from "effect/Redacted"
import type { Expiry } from "../../credential/Credential.ts"

/** Credentials of AWS's API, and until when they are good. */
export interface Session {
  readonly accessKeyId: string
  readonly secretAccessKey: Redacted.Redacted
  readonly sessionToken: Redacted.Redacted | undefined
  readonly expiry: Expiry
}

export interface Place {
  readonly region: string
  /** In place of AWS's own; without it the SDK obeys `AWS_ENDPOINT_URL_…`. */
  readonly endpoint: string | undefined
}

const ignore = () => {}

/** The SDK writes to the console otherwise, and what it writes there is not scrubbed. */
const logger = { trace: ignore, debug: ignore, info: ignore, warn: ignore, error: ignore }

/** Three tries that end within the time that an issue has. */
export const settings = ({ endpoint, region }: Place) => ({
  region,
  logger,
  maxAttempts: 3,
  requestHandler: { connectionTimeout: 3_000, requestTimeout: 8_000, throwOnRequestTimeout: true },
  ...(endpoint === undefined ? {} : { endpoint })
})

export const identityOf = ({ accessKeyId, secretAccessKey, sessionToken }: Session) => ({
  accessKeyId,
  secretAccessKey: Redacted.value(secretAccessKey),
  ...(sessionToken === undefined ? {} : { sessionToken: Redacted.value(sessionToken) })
})

export const secretsOf = ({ secretAccessKey, sessionToken }: Session): ReadonlyArray<Redacted.Redacted> =>
  sessionToken === undefined ? [secretAccessKey] : [secretAccessKey, sessionToken]

/** Uses a client of the SDK, whose connections close with it. Fails with what the SDK throws. */
export const use = <C extends { readonly destroy: () => void }, A>(
  make: () => C,
  ask: (client: C, abortSignal: AbortSignal) => Promise<A>
): Effect.Effect<A, unknown> =>
  Effect.acquireUseRelease(
    Effect.try({ try: make, catch: identity }),
    (client) => Effect.tryPromise({ try: (signal) => ask(client, signal), catch: identity }),
    (client) => Effect.sync(() => client.destroy())
  )
