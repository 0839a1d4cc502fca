/**
 * A service connector whose credentials expire on the Clock, for tests without a service.
 *
 * @since 0.1.0
 */
import * as Context from "effect/Context"
import * as DateTime from "effect/DateTime"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import type { ConnectorError } from "../connector/ConnectorError.ts"
import * as ServiceConnector from "../connector/ServiceConnector.ts"
import * as Credential from "../credential/Credential.ts"
import * as RegistryUri from "../reference/RegistryUri.ts"

/**
 * What a test asks the connector, and tells it.
 *
 * @since 0.1.0
 * @category services
 */
export class TestConnector extends Context.Tag("gantry/TestConnector")<
  TestConnector,
  {
    /** How many issues have begun, failed ones included. */
    readonly issues: Effect.Effect<number>
    /** Every credential it gave, in order: the password of issue number 3 is `password-3`. */
    readonly issued: Effect.Effect<ReadonlyArray<Credential.Credential>>
    /** Makes every issue fail, and listing too, until `recover`. */
    readonly failWith: (error: ConnectorError) => Effect.Effect<void>
    readonly recover: Effect.Effect<void>
  }
>() {}

/**
 * - `type`: the connector's type, `test` unless given; flavors that accept only some want theirs here, as `aws`
 * - `lifetime`: how long a credential is good, an hour unless given; `unknown` and `never` give one without an end
 * - `latency`: how long an issue takes on the Clock, no time unless given; over 30 seconds it is `unavailable`
 * - `resources`: the ids of the registries it lists, none unless given
 *
 * @since 0.1.0
 * @category models
 */
export interface Options {
  readonly type?: string | undefined
  readonly lifetime?: Duration.DurationInput | "unknown" | "never" | undefined
  readonly latency?: Duration.DurationInput | undefined
  readonly resources?: ReadonlyArray<string> | undefined
}

const expiryOf = (lifetime: NonNullable<Options["lifetime"]>, issuedAt: DateTime.Utc): Credential.Expiry => {
  if (lifetime === "never") return Credential.Expiry.Never()
  if (lifetime === "unknown") return Credential.Expiry.Unknown({ issuedAt })
  return Credential.Expiry.At({ issuedAt, at: DateTime.addDuration(issuedAt, lifetime) })
}

/**
 * A connector that issues another credential each time it is asked.
 *
 * @since 0.1.0
 * @category layers
 * @example
 * import { ServiceConnector } from "gantry"
 * import { TestConnector } from "gantry/testing"
 * import { Effect } from "effect"
 *
 * const program = Effect.gen(function* () {
 *   const connector = yield* ServiceConnector.ServiceConnector
 *   yield* connector.issue("registry.example.com")
 *   const test = yield* TestConnector.TestConnector
 *   return yield* test.issues
 * })
 *
 * export const one = Effect.provide(program, TestConnector.layer({ lifetime: "15 minutes" }))
 */
export const layer = (options: Options = {}): Layer.Layer<ServiceConnector.ServiceConnector | TestConnector> =>
  Layer.effectContext(
    Effect.sync(() => {
      const { latency = Duration.zero, lifetime = "1 hour", resources = [], type = "test" } = options
      const issued: Array<Credential.Credential> = []
      let issues = 0
      let failure = Option.none<ConnectorError>()
      const orFailure = <A>(value: Effect.Effect<A>): Effect.Effect<A, ConnectorError> =>
        Effect.suspend(() => Option.match(failure, { onNone: () => value, onSome: Effect.fail }))

      const connector = ServiceConnector.make({
        type,
        authMethod: "test",
        issue: Effect.fnUntraced(function* (resourceId) {
          const number = ++issues
          yield* Effect.sleep(latency)
          const issuedAt = yield* DateTime.now
          const credential = Credential.usernamePassword({
            host: RegistryUri.unsafeParse(resourceId).host,
            username: "test",
            password: Redacted.make(`password-${number}`),
            expiry: expiryOf(lifetime, issuedAt)
          })
          return yield* orFailure(
            Effect.sync(() => {
              issued.push(credential)
              return credential
            })
          )
        }),
        resources: orFailure(Effect.succeed(resources))
      })

      return Context.make(ServiceConnector.ServiceConnector, connector).pipe(
        Context.add(TestConnector, {
          issues: Effect.sync(() => issues),
          issued: Effect.sync(() => issued.slice()),
          failWith: (error) =>
            Effect.sync(() => {
              failure = Option.some(error)
            }),
          recover: Effect.sync(() => {
            failure = Option.none()
          })
        })
      )
    })
  )
