import * as Either from "effect/Either"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import { scrubText } from "../../reference/internal/scrubText.ts"
import type { RegistryResponse } from "../RegistryHttp.ts"

/** A registry's own words: its error codes, in upper case, and its messages as one text. */
export interface AnswerText {
  readonly codes: ReadonlyArray<string>
  readonly text: string
}

/** The longest refusal that is read, in bytes. */
export const MAXIMUM_REFUSAL = 64 * 1024

const text = Schema.optionalWith(Schema.String, { nullable: true, as: "Option" })

// https://github.com/opencontainers/distribution-spec/blob/v1.1.1/spec.md#error-codes; `code` is a number at some proxies.
const RegistryErrors = Schema.Struct({
  errors: Schema.NonEmptyArray(
    Schema.Struct({
      code: Schema.optionalWith(Schema.Union(Schema.String, Schema.Number), { nullable: true, as: "Option" }),
      message: text
    })
  )
})

// Token servers answer as OAuth 2 does (RFC 6749 section 5.2), Docker Hub's with `details`.
const OtherErrors = Schema.Struct({ error: text, error_description: text, details: text, message: text })

const RegistryErrorsText = Schema.parseJson(RegistryErrors)
const OtherErrorsText = Schema.parseJson(OtherErrors)

export const stripMarkup = (html: string): string => html.replace(/<[^<>]*>/g, " ")

const fromRegistryErrors = ({ errors }: typeof RegistryErrors.Type): AnswerText => ({
  codes: errors.flatMap(({ code }) => Option.toArray(Option.map(code, (value) => String(value).toUpperCase()))),
  text: errors
    .flatMap(({ code, message }) =>
      Option.toArray(
        Option.orElse(
          Option.filter(message, (words) => words !== ""),
          () => Option.map(code, String)
        )
      )
    )
    .join("; ")
})

const fromOtherErrors = (answer: typeof OtherErrors.Type): AnswerText => ({
  codes: Option.toArray(Option.map(answer.error, (code) => code.toUpperCase())),
  text: Option.firstSomeOf([answer.error_description, answer.details, answer.message, answer.error]).pipe(
    Option.getOrElse(() => "")
  )
})

const textOf = (response: RegistryResponse): string =>
  new TextDecoder().decode(response.body.subarray(0, MAXIMUM_REFUSAL))

/** Whether an answer is a page for people, as proxies and other servers give. */
export const isMarkup = (response: RegistryResponse): boolean => textOf(response).trimStart().startsWith("<")

/** Reads a refusal's body, whatever form it has. */
export const readAnswerText = (response: RegistryResponse, secrets: ReadonlyArray<string>): AnswerText => {
  const body = textOf(response)
  const { codes, text: words } = Schema.decodeEither(RegistryErrorsText)(body).pipe(
    Either.map(fromRegistryErrors),
    Either.orElse(() => Either.map(Schema.decodeEither(OtherErrorsText)(body), fromOtherErrors)),
    Either.getOrElse((): AnswerText => ({ codes: [], text: isMarkup(response) ? stripMarkup(body) : body }))
  )
  return { codes, text: scrubText(words, secrets) }
}
