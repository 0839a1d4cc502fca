import * as ConfigError from "effect/ConfigError"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as ParseResult from "effect/ParseResult"
import * as Schema from "effect/Schema"
import * as Interpolation from "../Interpolation.ts"
import { FileScope } from "./fileScope.ts"

type Service = typeof FileScope.Service

/** What is wrong with a text, without the text: at an offset, or as a whole. */
type Refusal = { readonly expected: string; readonly position: number } | string

/**
 * A text of the file in which variables are put in before it is parsed. No issue repeats the text: what a variable held
 * may be secret.
 *
 * @param options `written`: the text with its description for editors; `parsed`: what it becomes; `form`: how to write it
 */
export const interpolated = <A, I>(options: {
  readonly written: Schema.Schema<string>
  readonly parsed: Schema.Schema<A, I>
  readonly form: string
  readonly parse: (text: string, scope: Service) => Either.Either<A, Refusal>
  readonly print: (value: A) => string
}): Schema.Schema<A, string, FileScope> =>
  Schema.transformOrFail(options.written, Schema.typeSchema(options.parsed), {
    strict: true,
    decode: (text, _, ast) =>
      Effect.flatMap(FileScope, (scope) =>
        Interpolation.expand(text, scope.lookup).pipe(
          Effect.mapError((error) =>
            ConfigError.isConfigError(error)
              ? "a variable of this text can not be read from the configuration"
              : error.message
          ),
          Effect.flatMap((expanded) =>
            Either.mapLeft(options.parse(expanded, scope), (refusal) => {
              if (typeof refusal === "string") return refusal
              const where = expanded === text ? "" : " of the text with its variables put in"
              return `expected ${refusal.expected} at offset ${refusal.position}${where}; write ${options.form}`
            })
          ),
          Effect.mapError((message) => new ParseResult.Type(ast, text, message))
        )
      ),
    encode: (value) => ParseResult.succeed(Interpolation.escape(options.print(value)))
  })
