import type * as FileSystem from "@effect/platform/FileSystem"
import type * as HttpClient from "@effect/platform/HttpClient"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as Equal from "effect/Equal"
import * as Option from "effect/Option"
import * as Record from "effect/Record"
import type * as Redacted from "effect/Redacted"
import type * as Scope from "effect/Scope"
import { ConnectorError } from "../../connector/ConnectorError.ts"
import type { FieldValue } from "../../connector/ConnectorType.ts"
import type { ServiceConnector } from "../../connector/ServiceConnector.ts"
import * as Lease from "../../credential/Lease.ts"
import type { FileConnector } from "./connectorSchema.ts"
import { makeSecretReader } from "./fileSecrets.ts"
import type { SecretSource } from "./secretSource.ts"

type ReadSecret = (source: SecretSource) => Effect.Effect<Redacted.Redacted, string>

/** What the fields of a connector hold, secrets read anew; equal when every one is. */
const readFields = ({ fields, type }: FileConnector, read: ReadSecret) =>
  Effect.map(
    Effect.all(
      Record.map(
        { ...fields },
        (value, field): Effect.Effect<FieldValue, ConnectorError> =>
          typeof value === "object"
            ? Effect.mapError(
                Effect.suspend(() => read(value)),
                (expected) => {
                  const detail = `its ${field} must be ${expected}`
                  return new ConnectorError({ connector: type.type, reason: "misconfigured", detail })
                }
              )
            : Effect.succeed(value)
      )
    ),
    (values) => Data.struct(values)
  )

/** A connector that is made when somebody needs it, and made anew when one of its secrets has changed. */
const makeConnector = Effect.fnUntraced(function* (connector: FileConnector, read: ReadSecret) {
  const values = readFields(connector, read)
  const make = Effect.flatMap(values, (values) =>
    Effect.map(connector.method.make(values), (service) => ({ service, values }))
  )
  const made = yield* Lease.make({
    acquire: make,
    check: (held: Effect.Effect.Success<typeof make>) =>
      Effect.match(values, {
        onFailure: () => "stale" as const,
        onSuccess: (now) => (Equal.equals(held.values, now) ? "reuse" : "stale")
      })
  })
  const use = <A>(ask: (service: ServiceConnector) => Effect.Effect<A, ConnectorError>) =>
    Effect.scoped(Effect.flatMap(made.borrow, ({ value }) => ask(value.service)))

  const service: ServiceConnector = {
    type: connector.type.type,
    authMethod: connector.method.name,
    issue: (resourceId) => use(({ issue }) => issue(resourceId)),
    resources: use(({ resources }) => resources),
    ensureRepository: Option.some((image) =>
      use(({ ensureRepository }) =>
        Option.match(ensureRepository, { onNone: () => Effect.void, onSome: (ensure) => ensure(image) })
      )
    )
  }
  return service
})

/** The connectors of a file by their names. Nothing is read or asked until one is used. */
export const makeFileConnectors = Effect.fnUntraced(function* (
  connectors: Readonly<Record<string, FileConnector>>,
  stdin: Effect.Effect<Option.Option<string>>
): Effect.fn.Return<
  ReadonlyMap<string, ServiceConnector>,
  never,
  FileSystem.FileSystem | HttpClient.HttpClient | Scope.Scope
> {
  const read = yield* makeSecretReader(stdin)
  const made = yield* Effect.forEach(Object.entries(connectors), ([name, connector]) =>
    Effect.map(makeConnector(connector, read), (service) => [name, service] as const)
  )
  return new Map(made)
})
