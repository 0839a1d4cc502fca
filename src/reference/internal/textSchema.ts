import * as Either from "effect/Either"
import * as Equal from "effect/Equal"
import * as ParseResult from "effect/ParseResult"
import * as Schema from "effect/Schema"

/** The schema of a value whose encoded form is its canonical text; issues repeat no more of a text than the error does. */
export const textSchema = <
  A extends Equal.Equal,
  E extends { readonly input: string; readonly message: string }
>(options: {
  readonly identifier: string
  readonly is: (value: unknown) => value is A
  readonly parse: (text: string) => Either.Either<A, E>
}): Schema.Schema<A, string> =>
  Schema.transformOrFail(
    Schema.String,
    Schema.declare(options.is, { identifier: options.identifier, equivalence: () => Equal.equals }),
    {
      strict: true,
      decode: (text, _options, ast) =>
        Either.mapLeft(options.parse(text), (error) => new ParseResult.Type(ast, error.input, error.message)),
      encode: (value) => ParseResult.succeed(String(value))
    }
  ).annotations({ identifier: `${options.identifier}FromString` })
