import * as Arr from "effect/Array"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as JSONSchema from "effect/JSONSchema"
import * as ParseResult from "effect/ParseResult"
import * as Predicate from "effect/Predicate"
import * as Record from "effect/Record"
import * as Schema from "effect/Schema"
import type * as AST from "effect/SchemaAST"
import * as ConnectorType from "../../connector/ConnectorType.ts"
import { didYouMean } from "../../reference/internal/nearest.ts"
import type { FileScope } from "./fileScope.ts"
import { plainText, SecretSource, sources } from "./secretSource.ts"

type WrittenValue = string | number | boolean | SecretSource

/** What a file says of one connector: the method's fields as they are written, and of secrets where they are. */
export interface FileConnector {
  readonly type: ConnectorType.ConnectorType
  readonly method: ConnectorType.AuthMethod
  readonly fields: Readonly<Record<string, WrittenValue>>
}

const valueSchema = {
  text: (about: string) => plainText(about, "write the text itself"),
  secret: (about: string) => SecretSource.annotations({ description: `${about}: ${sources}` }),
  integer: (about: string) => Schema.Int.pipe(Schema.positive(), Schema.annotations({ description: about })),
  flag: (about: string) => Schema.Boolean.annotations({ description: about })
} satisfies Record<ConnectorType.FieldKind, (about: string) => Schema.Schema.All>

const word = (text: string, about: string) => Schema.Literal(text).annotations({ description: about })

const methodSchema = (type: ConnectorType.ConnectorType, method: ConnectorType.AuthMethod) =>
  Schema.Struct({
    ...Record.map({ ...method.fields }, ({ about, isRequired, kind }) => {
      const value = valueSchema[kind](about)
      return isRequired ? value : Schema.optionalWith(value, { exact: true })
    }),
    type: word(type.type, type.displayName),
    method: word(method.name, method.about)
  }).annotations({ description: `${type.displayName}: ${method.about}` })

const names = (types: ReadonlyArray<ConnectorType.ConnectorType>) => types.map(({ type }) => type).join(", ")

const description = "a connector: { type: TYPE, method: METHOD, … }"

const Head = Schema.Struct({
  type: Schema.String.annotations({ description: `the type of the connector: ${names(ConnectorType.builtin)}` }),
  method: Schema.String.annotations({ description: "how the connector authenticates itself, a method of its type" })
}).annotations({ description })

/** An object that is worked out when it is asked for, and that is when somebody wants the schema. */
const jsonSchema = {
  get anyOf() {
    return ConnectorType.builtin.flatMap((type) =>
      type.authMethods.map((method) => {
        const { $schema: _, ...schema } = JSONSchema.make(methodSchema(type, method))
        return schema
      })
    )
  }
}

const chosen = <A>(
  candidates: ReadonlyArray<A>,
  nameOf: (candidate: A) => string,
  written: { readonly key: string; readonly value: string; readonly around: unknown; readonly ast: AST.AST }
): Either.Either<A, ParseResult.ParseIssue> =>
  Either.fromOption(
    Arr.findFirst(candidates, (candidate) => nameOf(candidate) === written.value),
    () => {
      const known = candidates.map(nameOf)
      const message = `expected one of ${known.join(", ")}${didYouMean(written.value, known)}`
      return new ParseResult.Pointer(
        written.key,
        written.around,
        new ParseResult.Type(written.ast, written.value, message)
      )
    }
  )

const decode = Effect.fnUntraced(function* (around: unknown, options: AST.ParseOptions, ast: AST.AST) {
  const head = yield* ParseResult.decodeUnknown(Head)(around, { ...options, onExcessProperty: "ignore" })
  const types = yield* ConnectorType.ConnectorTypes
  const type = yield* chosen(types, ({ type }) => type, { key: "type", value: head.type, around, ast })
  const method = yield* chosen(type.authMethods, ({ name }) => name, { key: "method", value: head.method, around, ast })
  const {
    method: _,
    type: __,
    ...fields
  } = yield* ParseResult.decodeUnknown(methodSchema(type, method))(around, options)
  return { type, method, fields }
})

/** The words of a connector depend on its type and method, and those are known by the `ConnectorTypes` of the application. */
export const FileConnector: Schema.Schema<FileConnector, unknown, FileScope> = Schema.transformOrFail(
  Schema.Unknown.annotations({ description, jsonSchema }),
  Schema.declare(
    (value: unknown): value is FileConnector =>
      Predicate.hasProperty(value, "method") && Predicate.hasProperty(value, "fields"),
    { identifier: "FileConnector" }
  ),
  {
    strict: true,
    decode,
    encode: ({ fields, method, type }) => ParseResult.succeed({ type: type.type, method: method.name, ...fields })
  }
)
