/**
 * Where an application keeps its secrets: named sets of values, read again each time they are asked for, so that a
 * rotated secret is picked up by whoever asks next.
 *
 * @since 0.1.0
 */
import type * as FileSystem from "@effect/platform/FileSystem"
import type * as Path from "@effect/platform/Path"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import { dual } from "effect/Function"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Record from "effect/Record"
import * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import { type CredentialError, SecretInvalid, SecretNotFound } from "./CredentialError.ts"
import { makeSecretFolder } from "./internal/secretFolder.ts"
import { firstMismatch } from "./internal/secretSchema.ts"
import { makeSecretVariables } from "./internal/secretVariables.ts"

/**
 * The values of one secret by field name.
 *
 * @since 0.1.0
 * @category models
 */
export type SecretValues = Readonly<Record<string, Redacted.Redacted>>

/**
 * Named secrets. `label` says in messages where they are kept; `get` gives `None` for a secret that does not exist.
 *
 * @since 0.1.0
 * @category tags
 */
export class SecretStore extends Context.Tag("gantry/SecretStore")<
  SecretStore,
  {
    readonly label: string
    readonly get: (name: string) => Effect.Effect<Option.Option<SecretValues>, CredentialError>
  }
>() {}

/**
 * The form of a secret that holds a registry's username and password.
 *
 * @since 0.1.0
 * @category schemas
 */
export const UsernamePasswordSecret = Schema.Struct({
  username: Schema.NonEmptyString,
  password: Schema.Redacted(Schema.NonEmptyString)
})

/**
 * Reads a secret and decodes its values with a schema whose encoded side is a record of strings.
 *
 * @param name the secret's name
 * @param schema what the secret must hold
 * @param options `registry`: the name of the registry that refers to the secret, for the error's message
 * @returns the decoded values; fails with `SecretNotFound` when there is no such secret and with `SecretInvalid`, which
 * names the field and never its value, when it does not fit the schema
 * @since 0.1.0
 * @category accessors
 * @example
 * import * as Effect from "effect/Effect"
 * import { SecretStore } from "gantry"
 *
 * const program = Effect.gen(function* () {
 *   const { username, password } = yield* SecretStore.getTyped("ghcr", SecretStore.UsernamePasswordSecret)
 *   return { username, password }
 * })
 */
export const getTyped = Effect.fn("SecretStore.getTyped")(function* <A, I extends Record<string, string>, R>(
  name: string,
  schema: Schema.Schema<A, I, R>,
  options?: { readonly registry?: string | undefined }
) {
  const store = yield* SecretStore
  const registry = options?.registry
  const values = yield* Effect.flatMap(
    store.get(name),
    Option.match({
      onNone: () => new SecretNotFound({ secret: name, registry, store: store.label }),
      onSome: Effect.succeed
    })
  )
  return yield* Schema.decodeUnknown(schema)(Record.map(values, Redacted.value)).pipe(
    // A ParseError prints the value it refused, so the error is rebuilt from the issue's path and schema alone.
    Effect.mapError(({ issue }) => new SecretInvalid({ secret: name, registry, ...firstMismatch(issue) }))
  )
})

/**
 * Secrets held in memory. The record is looked at on each `get`.
 *
 * @param secrets the values of each secret, by secret and field
 * @since 0.1.0
 * @category layers
 */
export const layerMemory = (secrets: Readonly<Record<string, SecretValues>>): Layer.Layer<SecretStore> =>
  Layer.succeed(SecretStore, {
    label: "memory",
    get: (name) => Effect.sync(() => Record.get(secrets, name))
  })

/**
 * Secrets in the configuration, which is the environment unless the application set another `ConfigProvider`: field
 * `username` of secret `ghcr-prod` is `GANTRY_SECRET_GHCR_PROD_USERNAME`.
 *
 * A name is written in upper case with every character that is not a letter or a digit as an underscore, so `ghcr-prod`
 * and `ghcr_prod` are one secret; a field is the rest of the variable's name in lower case. `get` fails with
 * `SecretInvalid` for a name that is not made of letters, digits, dots, dashes and underscores.
 *
 * @since 0.1.0
 * @category layers
 */
export const layerConfig: Layer.Layer<SecretStore> = Layer.effect(
  SecretStore,
  Effect.configProviderWith((provider) =>
    Effect.succeed(
      SecretStore.of({
        label: "the environment (GANTRY_SECRET_<NAME>_<FIELD>)",
        get: Effect.fn("SecretStore.get")(makeSecretVariables(provider))
      })
    )
  )
)

/**
 * Secrets in a folder that holds a folder for each secret with a file for each field, as Docker and Kubernetes mount
 * them: field `username` of secret `ghcr` is the file `ghcr/username`.
 *
 * One newline at the end of a file is not part of its value; files whose name begins with a dot are no fields. `get` fails
 * with `SecretInvalid` for a name that is not a plain file name (`../other`), and for a file that can not be read.
 *
 * @param path the folder
 * @since 0.1.0
 * @category layers
 */
export const layerFolder = (path: string): Layer.Layer<SecretStore, never, FileSystem.FileSystem | Path.Path> =>
  Layer.effect(
    SecretStore,
    Effect.map(makeSecretFolder(path), (get) => ({ label: path, get: Effect.fn("SecretStore.get")(get) }))
  )

/**
 * Two stores as one: a secret comes from the first that has it. A store that fails is not skipped.
 *
 * @since 0.1.0
 * @category combinators
 * @example
 * import { SecretStore } from "gantry"
 *
 * const layer = SecretStore.layerFolder("/run/secrets").pipe(SecretStore.orElse(SecretStore.layerConfig))
 */
export const orElse: {
  <E2, R2>(
    that: Layer.Layer<SecretStore, E2, R2>
  ): <E, R>(self: Layer.Layer<SecretStore, E, R>) => Layer.Layer<SecretStore, E | E2, R | R2>
  <E, R, E2, R2>(
    self: Layer.Layer<SecretStore, E, R>,
    that: Layer.Layer<SecretStore, E2, R2>
  ): Layer.Layer<SecretStore, E | E2, R | R2>
} = dual(2, <E, R, E2, R2>(self: Layer.Layer<SecretStore, E, R>, that: Layer.Layer<SecretStore, E2, R2>) =>
  Layer.scoped(
    SecretStore,
    Effect.gen(function* () {
      const first = Context.get(yield* Layer.build(self), SecretStore)
      const second = Context.get(yield* Layer.build(that), SecretStore)
      return {
        label: `${first.label} or ${second.label}`,
        get: (name) =>
          Effect.flatMap(first.get(name), Option.match({ onNone: () => second.get(name), onSome: Effect.succeedSome }))
      }
    })
  )
)
