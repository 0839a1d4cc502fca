import * as Option from "effect/Option"
import * as Predicate from "effect/Predicate"
import { scrubText } from "../../reference/internal/scrubText.ts"
import type { Scrub } from "../../transcript/Transcript.ts"
import type { RegistryRequest, RegistryResponse } from "../RegistryHttp.ts"
import { isMarkup, stripMarkup } from "./answerText.ts"
import { standIn } from "./tokenAnswer.ts"

const isSecretName = (name: string): boolean => /token|secret|passw|signature|cookie|^auth(?:orization)?$/i.test(name)

const safeValue =
  (scrub: Scrub) =>
  (name: string, value: unknown): unknown => {
    if (!Predicate.isString(value)) return value
    return isSecretName(name) ? "<redacted>" : scrubText(scrub(value))
  }

const parseJson = Option.liftThrowable((text: string): unknown => JSON.parse(text))

const isContent = ({ method, url }: RegistryRequest, { status }: RegistryResponse): boolean =>
  method === "GET" && status < 300 && url.pathname.includes("/manifests/")

/**
 * What of an answer's body may be kept: a manifest byte for byte, for its digest is checked; a stand-in for tokens; of
 * everything else the words that an error would repeat. `at` is when it came, in milliseconds since the epoch.
 */
export const safeBody = (request: RegistryRequest, response: RegistryResponse, at: number, scrub: Scrub): string => {
  const body = new TextDecoder().decode(response.body)
  if (isContent(request, response)) return body
  return Option.match(parseJson(body), {
    onNone: () => {
      const words = scrub(body)
      return isMarkup(response) ? `<p>${scrubText(stripMarkup(words))}</p>` : scrubText(words)
    },
    onSome: (value) =>
      JSON.stringify(
        Option.getOrElse(standIn(body, at), () => value),
        safeValue(scrub)
      )
  })
}
