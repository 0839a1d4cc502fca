import * as Option from "effect/Option"
import * as Predicate from "effect/Predicate"
import { scrubText } from "../../reference/internal/scrubText.ts"
import type { Scrub } from "../../transcript/Transcript.ts"
import type { RegistryRequest, RegistryResponse } from "../RegistryHttp.ts"
import { isMarkup, stripMarkup } from "./answerText.ts"
import { standIn } from "./tokenAnswer.ts"

const isSecretName = (name: string): boolean => /token|secret|passw|signature|cookie|^auth(?:orization)?$/i.test(name)

/** A token that is no text is none to gantry, and its stand-in is none either. */
const withoutSecret = (value: unknown): unknown => {
  if (value === null) return null
  return Predicate.isString(value) ? "<redacted>" : ["<redacted>"]
}

const safeValue =
  (scrub: Scrub) =>
  (name: string, value: unknown): unknown => {
    if (isSecretName(name)) return withoutSecret(value)
    return Predicate.isString(value) ? scrubText(scrub(value)) : value
  }

const parseJson = Option.liftThrowable((text: string): unknown => JSON.parse(text))

const isContent = ({ method, url }: RegistryRequest, { status }: RegistryResponse): boolean =>
  method === "GET" && status < 300 && url.pathname.includes("/manifests/")

/** A refusal's own words. What is no refusal says nothing to people, and may be a token in a form or a part of one. */
const safeWords = (response: RegistryResponse, body: string, scrub: Scrub): string => {
  const words = response.status < 400 ? "" : scrub(body)
  return isMarkup(response) ? `<p>${scrubText(stripMarkup(words))}</p>` : scrubText(words)
}

/**
 * What of an answer's body may be kept: a manifest byte for byte, for its digest is checked; a stand-in for tokens; of
 * other JSON what has no secret's name; of a refusal the words that an error would repeat. `at` is when it came, in
 * milliseconds since the epoch.
 */
export const safeBody = (request: RegistryRequest, response: RegistryResponse, at: number, scrub: Scrub): string => {
  const body = new TextDecoder().decode(response.body)
  return Option.match(Option.filter(parseJson(body), Predicate.isObject), {
    onNone: () => safeWords(response, body, scrub),
    onSome: (value) =>
      isContent(request, response)
        ? body
        : JSON.stringify(
            Option.getOrElse(standIn(body, at), () => value),
            safeValue(scrub)
          )
  })
}
