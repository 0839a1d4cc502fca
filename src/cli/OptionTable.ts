/**
 * Options as data: one table a command, from which come its help, its environment variables and its values.
 *
 * An option's value is a list of texts until it is decoded, so that everything wrong with a command line is told at once.
 */
import * as Arr from "effect/Array"
import * as Config from "effect/Config"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Option from "effect/Option"
import * as Str from "effect/String"
import { UsageError } from "./UsageError.ts"

/** One option. `decode` gets every text that was given, none for the default, and fails with what is wrong with them. */
export interface OptionSpec<out A> {
  readonly shape: "flag" | "value" | "list"
  readonly placeholder: string
  readonly about: string
  readonly decode: (texts: ReadonlyArray<string>) => Either.Either<A, string>
}

/** The options of a command by their names in camelCase: `dryRun` is `--dry-run` and `GANTRY_DRY_RUN`. */
export type OptionTable = { readonly [name: string]: OptionSpec<unknown> }

/** What a table's options say once they are decoded. */
export type Settings<Table extends OptionTable> = {
  readonly [Name in keyof Table]: Table[Name] extends OptionSpec<infer A> ? A : never
}

type Decode<A> = (text: string) => Either.Either<A, string>

/** What to say of a value that is not what it should be. */
export const expected = (what: string, text: string): string => `${JSON.stringify(text)} is not ${what}`

interface Words {
  readonly placeholder: string
  readonly about: string
}

const each = <A>(decode: Decode<A>, texts: ReadonlyArray<string>): Either.Either<ReadonlyArray<A>, string> =>
  Either.all(texts.map(decode))

/** An option with a default. */
export const value = <A>(
  words: Words & { readonly decode: Decode<A>; readonly fallback: NoInfer<A> }
): OptionSpec<A> => ({
  ...words,
  shape: "value",
  decode: (texts) =>
    Either.map(each(words.decode, texts), (all) => Option.getOrElse(Arr.last(all), () => words.fallback))
})

/** An option that may be absent. */
export const optional = <A>(words: Words & { readonly decode: Decode<A> }): OptionSpec<Option.Option<A>> => ({
  ...words,
  shape: "value",
  decode: (texts) => Either.map(each(words.decode, texts), Arr.last)
})

/** An option that may be repeated; its environment variable separates the values with commas. */
export const list = <A>(words: Words & { readonly decode: Decode<A> }): OptionSpec<ReadonlyArray<A>> => ({
  ...words,
  shape: "list",
  decode: (texts) => each(words.decode, texts)
})

const yes: ReadonlyArray<string> = ["true", "1", "yes"]
const no: ReadonlyArray<string> = ["false", "0", "no"]

/** An option without a value, off unless given; its environment variable says `true` or `false`. */
export const flag = (about: string): OptionSpec<boolean> => ({
  shape: "flag",
  placeholder: "",
  about,
  decode: ([text]) => {
    if (text === undefined || no.includes(text)) return Either.right(false)
    return yes.includes(text) ? Either.right(true) : Either.left(expected("true or false", text))
  }
})

export const optionName = (name: string): string => `--${Str.snakeToKebab(Str.camelToSnake(name))}`

export const variableName = (name: string): string => `GANTRY_${Str.camelToSnake(name).toUpperCase()}`

/** The texts given for options, by their names in camelCase; nothing for those that were left out. */
export type Given = { readonly [name: string]: ReadonlyArray<string> }

/** Where an option's texts came from, as messages name it. */
interface Found {
  readonly texts: ReadonlyArray<string>
  readonly origin: string
}

const find = (spec: OptionSpec<unknown>, name: string, given: ReadonlyArray<string>): Effect.Effect<Found> =>
  given.length > 0
    ? Effect.succeed({ texts: given, origin: optionName(name) })
    : Config.string(variableName(name)).pipe(
        Effect.map((text) => (spec.shape === "list" ? text.split(",") : [text])),
        Effect.orElseSucceed(() => []),
        Effect.map((texts) => ({
          texts: texts.map((text) => text.trim()).filter((text) => text !== ""),
          origin: variableName(name)
        }))
      )

/** Every option's value, from the command line, else from its environment variable; all wrong ones fail together. */
export const decode = <const Table extends OptionTable>(
  table: Table,
  given: Given
): Effect.Effect<Settings<Table>, UsageError> =>
  Effect.gen(function* () {
    const decoded = yield* Effect.forEach(Object.entries(table), ([name, spec]) =>
      Effect.map(find(spec, name, given[name] ?? []), ({ origin, texts }) =>
        Either.mapBoth(spec.decode(texts), {
          onLeft: (problem) => `${origin}: ${problem}`,
          onRight: (setting) => [name, setting] as const
        })
      )
    )
    const [problems, settings] = Arr.separate(decoded)
    if (problems.length > 0) return yield* new UsageError({ problems })
    // The entries are the table's own, each decoded by its own spec.
    return Object.fromEntries(settings) as Settings<Table>
  })
