/**
 * Variables in the texts of a file: `${NAME}`, `${NAME:-default}`, `${NAME:?message}`, and `$$` for a dollar.
 *
 * @since 0.1.0
 */
import * as Arr from "effect/Array"
import * as Config from "effect/Config"
import type { ConfigError } from "effect/ConfigError"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Option from "effect/Option"
import * as Predicate from "effect/Predicate"
import * as Record from "effect/Record"
import * as Schema from "effect/Schema"

/**
 * A text whose variables are written wrongly: at `position` (offset from 0) something else was `expected`.
 *
 * @since 0.1.0
 * @category errors
 */
export class InvalidInterpolation extends Schema.TaggedError<InvalidInterpolation>("gantry/InvalidInterpolation")(
  "InvalidInterpolation",
  { position: Schema.NonNegativeInt, expected: Schema.String }
) {
  get isRetryable(): boolean {
    return false
  }
  get advice(): string {
    return `write a variable as \${NAME}, \${NAME:-default} or \${NAME:?message}, and a dollar as $$`
  }
  override get message(): string {
    return `expected ${this.expected} at offset ${this.position}; ${this.advice}`
  }
}

/**
 * Variables without a value, each once, with what the text says should be done about it.
 *
 * @since 0.1.0
 * @category errors
 */
export class VariablesUnset extends Schema.TaggedError<VariablesUnset>("gantry/VariablesUnset")("VariablesUnset", {
  variables: Schema.NonEmptyArray(Schema.Struct({ name: Schema.String, advice: Schema.optional(Schema.String) }))
}) {
  get isRetryable(): boolean {
    return false
  }
  get advice(): string {
    const names = this.variables.map(({ name }) => name)
    return `set ${names.join(" and ")} in the environment, or give ${names.map((name) => `--set ${name}=VALUE`).join(" ")}`
  }
  override get message(): string {
    const unset = this.variables.map(({ advice, name }) =>
      advice === undefined ? `\${${name}} is not set` : `\${${name}} is not set (${advice})`
    )
    return `${unset.join(", ")}; ${this.advice}`
  }
}

/**
 * What to do when a variable is unset or empty; without one of these, an unset variable is an error and an empty one
 * is the empty text.
 *
 * @since 0.1.0
 * @category models
 */
export type Otherwise = Data.TaggedEnum<{
  Default: { readonly text: string }
  Refuse: { readonly advice: string }
}>

/**
 * @since 0.1.0
 * @category constructors
 */
export const Otherwise = Data.taggedEnum<Otherwise>()

/**
 * A piece of a text: as it is, or a variable.
 *
 * @since 0.1.0
 * @category models
 */
export type Part = Data.TaggedEnum<{
  Text: { readonly text: string }
  Variable: { readonly name: string; readonly otherwise: Option.Option<Otherwise> }
}>

/**
 * @since 0.1.0
 * @category constructors
 */
export const Part = Data.taggedEnum<Part>()

const invalid = (position: number, expected: string) => Either.left(new InvalidInterpolation({ position, expected }))

/** Reads what stands behind `:-` or `:?`, where `$$` is a dollar as well; `position` is where it begins. */
const parseWords = (words: string, position: number): Either.Either<string, InvalidInterpolation> => {
  const lone = words.replaceAll("$$", "  ").indexOf("$")
  return lone < 0
    ? Either.right(words.replaceAll("$$", "$"))
    : invalid(position + lone, "no variable within a variable")
}

const variableName = /^[A-Za-z_][A-Za-z0-9_]*/

/** Reads what stands between the braces; `position` is where it begins. */
const parseVariable = (inside: string, position: number): Either.Either<Part, InvalidInterpolation> => {
  const name = variableName.exec(inside)?.[0]
  if (name === undefined) return invalid(position, "the name of a variable (letters, digits and underscores)")
  const operator = inside.slice(name.length, name.length + 2)
  if (operator === "") return Either.right(Part.Variable({ name, otherwise: Option.none() }))
  if (operator !== ":-" && operator !== ":?") return invalid(position + name.length, "}, :- or :?")
  const start = name.length + operator.length
  return Either.map(parseWords(inside.slice(start), position + start), (words) =>
    Part.Variable({
      name,
      otherwise: Option.some(
        operator === ":-" ? Otherwise.Default({ text: words }) : Otherwise.Refuse({ advice: words })
      )
    })
  )
}

/**
 * Takes a text apart. A default or a message goes to the next `}` and holds no variables itself. Fails with
 * `InvalidInterpolation`, also for a `$` that begins nothing.
 *
 * @since 0.1.0
 * @category parsing
 */
export const parse = (text: string): Either.Either<ReadonlyArray<Part>, InvalidInterpolation> => {
  const parts: Array<Part> = []
  let at = 0
  for (let dollar = text.indexOf("$"); dollar >= 0; dollar = text.indexOf("$", at)) {
    parts.push(Part.Text({ text: text.slice(at, dollar) }))
    if (text[dollar + 1] === "$") {
      parts.push(Part.Text({ text: "$" }))
      at = dollar + 2
    } else {
      if (text[dollar + 1] !== "{") return invalid(dollar + 1, "{ or a second $")
      const close = text.indexOf("}", dollar)
      if (close < 0) return invalid(text.length, "} at the variable's end")
      const variable = parseVariable(text.slice(dollar + 2, close), dollar + 2)
      if (Either.isLeft(variable)) return Either.left(variable.left)
      parts.push(variable.right)
      at = close + 1
    }
  }
  parts.push(Part.Text({ text: text.slice(at) }))
  return Either.right(parts)
}

/**
 * Where the values of variables come from; `None` is a variable that is not set.
 *
 * @since 0.1.0
 * @category models
 */
export type Lookup = (name: string) => Effect.Effect<Option.Option<string>, ConfigError>

/**
 * The given values, and the configuration for the other names: the environment, unless the application set another
 * `ConfigProvider`.
 *
 * @since 0.1.0
 * @category constructors
 */
export const lookup =
  (values: Readonly<Record<string, string>>): Lookup =>
  (name) =>
    Option.match(Record.get(values, name), {
      // The provider of the environment finds `constructor` on the object that holds it, and no text there.
      onNone: () => Effect.map(Config.option(Config.string(name)), Option.filter(Predicate.isString)),
      onSome: Effect.succeedSome
    })

/** A piece with its value put in, or what is missing for it. */
const resolve = (part: Part, lookup: Lookup) =>
  Part.$is("Text")(part)
    ? Effect.succeed(Either.right(part.text))
    : Effect.map(
        lookup(part.name),
        (value): Either.Either<string, { readonly name: string; readonly advice?: string }> => {
          const { name, otherwise } = part
          if (Option.isNone(otherwise)) return Either.fromOption(value, () => ({ name }))
          if (Option.isSome(value) && value.value !== "") return Either.right(value.value)
          return Otherwise.$match(otherwise.value, {
            Default: ({ text }) => Either.right(text),
            Refuse: ({ advice }) => Either.left(advice === "" ? { name } : { name, advice })
          })
        }
      )

/**
 * Puts the values of its variables into a text.
 *
 * @param text the text, as it is written in the file
 * @param lookup where the values come from
 * @returns the text; fails with `InvalidInterpolation`, with `VariablesUnset` for all variables that have no value, and
 * with the lookup's `ConfigError`
 * @since 0.1.0
 * @category interpolation
 */
export const expand = Effect.fn("Interpolation.expand")(function* (text: string, lookup: Lookup) {
  const parts = yield* parse(text)
  const [unset, pieces] = Arr.separate(yield* Effect.forEach(parts, (part) => resolve(part, lookup)))
  const variables = Arr.dedupeWith(unset, (left, right) => left.name === right.name)
  return Arr.isNonEmptyReadonlyArray(variables) ? yield* new VariablesUnset({ variables }) : pieces.join("")
})

/**
 * Writes a text so that `expand` gives it back: every dollar twice.
 *
 * @since 0.1.0
 * @category interpolation
 */
export const escape = (text: string): string => text.replaceAll("$", "$$$$")

/**
 * Reads `NAME=VALUE`, as `--set` has it; the value may be empty and may hold further equal signs. Fails with what was
 * expected.
 *
 * @since 0.1.0
 * @category parsing
 */
export const parseAssignment = (text: string): Either.Either<readonly [name: string, value: string], string> => {
  const name = variableName.exec(text)?.[0] ?? ""
  return name !== "" && text[name.length] === "="
    ? Either.right([name, text.slice(name.length + 1)])
    : Either.left("NAME=VALUE, the name of letters, digits and underscores")
}
