import type * as FileSystem from "@effect/platform/FileSystem"
import type * as HttpClient from "@effect/platform/HttpClient"
import * as Effect from "effect/Effect"
import * as Predicate from "effect/Predicate"
import * as Redacted from "effect/Redacted"
import type * as Scope from "effect/Scope"
import type * as Types from "effect/Types"
import { ConnectorError } from "../ConnectorError.ts"
import type { AuthMethod, ConnectorType, Field, FieldKind, FieldValue } from "../ConnectorType.ts"
import { resourceType, type ServiceConnector } from "../ServiceConnector.ts"

export interface ValueOf {
  readonly text: string
  readonly secret: Redacted.Redacted
  readonly integer: number
  readonly flag: boolean
}

/** What the fields of a method hold, as its connector takes them. */
type Values<Fields extends Readonly<Record<string, Field>>> = Types.Simplify<
  {
    readonly [Name in keyof Fields as Fields[Name]["isRequired"] extends true
      ? Name
      : never]: ValueOf[Fields[Name]["kind"]]
  } & {
    readonly [Name in keyof Fields as Fields[Name]["isRequired"] extends true ? never : Name]?:
      | ValueOf[Fields[Name]["kind"]]
      | undefined
  }
>

const field =
  <Kind extends FieldKind>(kind: Kind) =>
  (about: string) =>
    ({ kind, about, isRequired: true }) as const

export const text = field("text")
export const secret = field("secret")
export const integer = field("integer")
export const flag = field("flag")

export const optional = <F extends Field>(field: F) => ({ ...field, isRequired: false }) as const

/** Every implicit method has it. */
export const allowImplicitMethods = optional(
  flag("true, to let the connector take the identity that the machine happens to have")
)

const holds: Readonly<Record<FieldKind, (value: FieldValue) => boolean>> = {
  text: Predicate.isString,
  secret: Redacted.isRedacted,
  integer: Number.isSafeInteger,
  flag: Predicate.isBoolean
}

/** What is wrong with the values, if something is. */
const wrongValue = (
  fields: Readonly<Record<string, Field>>,
  values: Readonly<Record<string, FieldValue | undefined>>
): string | undefined => {
  const unknown = Object.keys(values).find((name) => !Object.hasOwn(fields, name))
  if (unknown !== undefined) return `there is no option ${unknown}`
  for (const [name, { isRequired, kind }] of Object.entries(fields)) {
    const value = values[name]
    if (value === undefined ? isRequired : !holds[kind](value)) return `the option ${name} is missing, or is no ${kind}`
  }
  return undefined
}

/** A method of a type, and how its connector is made of its fields. */
export const method =
  <const Fields extends Readonly<Record<string, Field>>>(options: {
    readonly name: string
    readonly about: string
    readonly isImplicit?: boolean
    readonly fields: Fields
    readonly make: (
      values: Values<Fields>
    ) => Effect.Effect<ServiceConnector, ConnectorError, HttpClient.HttpClient | FileSystem.FileSystem | Scope.Scope>
  }) =>
  (type: string): AuthMethod => ({
    name: options.name,
    about: options.about,
    isImplicit: options.isImplicit ?? false,
    fields: options.fields,
    make: (values) => {
      const detail = wrongValue(options.fields, values)
      return detail === undefined
        ? // Each field has just been seen to hold what its kind says.
          options.make(values as Values<Fields>)
        : Effect.fail(new ConnectorError({ connector: type, reason: "misconfigured", detail }))
    }
  })

export const make = (
  options: Pick<ConnectorType, "type" | "displayName" | "docsUrl"> &
    Partial<Pick<ConnectorType, "flavors" | "packages">> & {
      readonly authMethods: ReadonlyArray<(type: string) => AuthMethod>
    }
): ConnectorType => ({
  type: options.type,
  displayName: options.displayName,
  resourceType,
  flavors: options.flavors ?? [],
  authMethods: options.authMethods.map((method) => method(options.type)),
  packages: options.packages ?? [],
  docsUrl: options.docsUrl
})
