/**
 * A row of the table of engine messages: what matches a message, the error it means, and how gantry knows.
 */
import * as Option from "effect/Option"
import {
  ManifestRejected,
  RegistryDenied,
  RegistryRateLimited,
  RegistryRejected,
  RegistryUnauthorized,
  RegistryUnavailable,
  RepositoryNotFound,
  TagImmutable,
  type UnavailableReason
} from "../../distribution/RegistryError.ts"
import type { ImageSource } from "../../image/ImageSource.ts"
import { ImageNotFound, type PushError } from "../../push/PushError.ts"
import * as ImageReference from "../../reference/ImageReference.ts"
import { redactInput } from "../../reference/internal/redactInput.ts"
import type { EngineMessage, ErrorCode } from "./engineWords.ts"

/** Which push a message is about. */
export interface About {
  readonly source: ImageSource
  readonly target: ImageReference.ImageReference
}

/** A message, what it is about, and its text as an error may repeat it. */
export interface Told extends About {
  readonly message: EngineMessage
  readonly text: string
}

/**
 * How gantry knows that engines and registries speak so: from streams in reference/engine, from somebody's documentation
 * or source, or from memory alone.
 */
export type Provenance =
  | { readonly _tag: "Recorded"; readonly fixtures: ReadonlyArray<string> }
  | { readonly _tag: "Documented"; readonly source: string; readonly examples: ReadonlyArray<string> }
  | { readonly _tag: "Recalled"; readonly examples: ReadonlyArray<string> }

export interface Row {
  readonly matches: (message: EngineMessage) => boolean
  readonly toError: (told: Told) => PushError
  readonly provenance: Provenance
}

export const recorded = (...fixtures: ReadonlyArray<string>): Provenance => ({ _tag: "Recorded", fixtures })

export const documented = (source: string, ...examples: ReadonlyArray<string>): Provenance => ({
  _tag: "Documented",
  source,
  examples
})

export const recalled = (...examples: ReadonlyArray<string>): Provenance => ({ _tag: "Recalled", examples })

type Matches = Row["matches"]

export const code =
  (...codes: ReadonlyArray<ErrorCode>): Matches =>
  (message) =>
    message.code !== undefined && codes.includes(message.code)

export const status =
  (from: number, to: number = from): Matches =>
  (message) =>
    message.status !== undefined && message.status >= from && message.status <= to

export const words =
  (pattern: RegExp): Matches =>
  (message) =>
    pattern.test(message.words)

export const request =
  (pattern: RegExp): Matches =>
  (message) =>
    message.isAboutRequest && pattern.test(message.words)

const refusal = ({ message, target, text }: Told) => ({
  registry: target.registry,
  repository: target.repository,
  status: message.status,
  text
})

export const unauthorized = (told: Told) => new RegistryUnauthorized(refusal(told))
export const denied = (told: Told) => new RegistryDenied(refusal(told))
export const repositoryNotFound = (told: Told) => new RepositoryNotFound(refusal(told))
export const rateLimited = (told: Told) => new RegistryRateLimited(refusal(told))
export const rejected = (told: Told) => new RegistryRejected(refusal(told))
export const immutable = (told: Told) =>
  new TagImmutable({ ...refusal(told), tag: Option.getOrUndefined(told.target.tag) })
export const manifest = (reason: ManifestRejected["reason"]) => (told: Told) =>
  new ManifestRejected({ ...refusal(told), reason })
export const unavailable = (reason: UnavailableReason) => (told: Told) =>
  new RegistryUnavailable({ ...refusal(told), reason })

export const invalidName = ({ target, text }: Told) =>
  new ImageReference.InvalidImageReference({
    input: redactInput(String(target)),
    position: 0,
    expected: `a name that the engine and the registry take (${text})`
  })

const missing = (source: ImageSource, hint: string | undefined): ImageNotFound => {
  switch (source._tag) {
    case "DockerSource": {
      const image = ImageReference.familiar(ImageReference.withDefaultTag(source.reference))
      return new ImageNotFound({ image, where: "the engine", hint })
    }
    case "RegistrySource":
      return new ImageNotFound({
        image: ImageReference.familiar(source.reference),
        where: source.reference.registry,
        hint: hint ?? "Correct the name or the tag."
      })
    default:
      return new ImageNotFound({ image: String(source), where: "the source", hint })
  }
}

export const notFound =
  (hint?: string) =>
  ({ source }: Told) =>
    missing(source, hint)

export const row = (matches: Matches, toError: Row["toError"], provenance: Provenance): Row => ({
  matches,
  toError,
  provenance
})
