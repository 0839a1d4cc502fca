import * as Effect from "effect/Effect"
import * as ParseResult from "effect/ParseResult"
import * as Predicate from "effect/Predicate"
import * as Schema from "effect/Schema"
import { FileScope } from "./fileScope.ts"

/** Text that is not looked into for variables; one that seems to hope for it is refused. */
export const plainText = (description: string, advice: string) =>
  Schema.String.pipe(
    Schema.filter((text) => !text.includes("${") || `variables are not put in here; ${advice}`),
    Schema.minLength(1),
    Schema.annotations({ description })
  )

const VariableName = Schema.String.pipe(
  Schema.pattern(/^[A-Za-z_][A-Za-z0-9_]*$/),
  Schema.annotations({ description: "the name of an environment variable (letters, digits and underscores)" })
)

const SecretPath = Schema.transformOrFail(
  plainText(
    "the path of a file that holds just the secret, counted from the folder of this file",
    "write the path as it is, or use { env: NAME }"
  ),
  Schema.String,
  {
    strict: true,
    decode: (path) => Effect.map(FileScope, (scope) => scope.resolvePath(path)),
    encode: ParseResult.succeed
  }
)

const Stdin = Schema.Boolean.annotations({ description: "true", jsonSchema: { const: true } }).pipe(
  Schema.filterEffect((isWanted) =>
    Effect.map(FileScope, ({ stdinFields }) => {
      if (!isWanted) return "expected true, or env or file instead of stdin"
      return (
        stdinFields <= 1 ||
        "standard input can be read once, and several fields want it; use { env: NAME } or { file: PATH } for the others"
      )
    })
  )
)

export const EnvSource = Schema.Struct({ env: VariableName }).annotations({ description: "{ env: NAME }" })
export const FileSource = Schema.Struct({ file: SecretPath }).annotations({ description: "{ file: PATH }" })
export const StdinSource = Schema.Struct({ stdin: Stdin }).annotations({ description: "{ stdin: true }" })

export const sources = "{ env: NAME }, { file: PATH } or { stdin: true }"

export const SecretSource = Schema.Union(EnvSource, FileSource, StdinSource).annotations({
  description: `where the secret is: ${sources}`,
  message: ({ actual }) =>
    Predicate.isReadonlyRecord(actual)
      ? `expected exactly one of env, file and stdin, as in ${sources}`
      : `a secret does not stand in this file: put it into an environment variable or a file and write ${sources}; change a secret that stands here, for it has been seen`
})

export type SecretSource = typeof SecretSource.Type
