/**
 * The options of `gantry push`.
 */
import * as Arr from "effect/Array"
import * as Duration from "effect/Duration"
import * as Either from "effect/Either"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import { Platform } from "../push/PushRequest.ts"
import * as ImageReference from "../reference/ImageReference.ts"
import * as RegistryUri from "../reference/RegistryUri.ts"
import { flag, list, optional, type Settings, value } from "./OptionTable.ts"
import { reportFormats } from "./report/ReportFile.ts"

const oneOf =
  <const A extends string>(...choices: ReadonlyArray<A>) =>
  (text: string): Either.Either<A, string> =>
    Either.fromOption(
      Arr.findFirst(choices, (choice) => choice === text),
      () => choices.join(" or ")
    )

const whole =
  (minimum: number) =>
  (text: string): Either.Either<number, string> =>
    /^\d{1,9}$/.test(text) && Number(text) >= minimum
      ? Either.right(Number(text))
      : Either.left(`a whole number of at least ${minimum}`)

const unitMillis: { readonly [unit: string]: number } = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 }

/** Lengths of time as people write them: `90s`, `5m`, `1h30m`. */
export const duration = (text: string): Either.Either<Duration.Duration, string> => {
  const parts = Array.from(text.matchAll(/(\d{1,9})(ms|s|m|h)/g))
  const millis = parts.reduce((sum, [, count, unit = ""]) => sum + Number(count) * (unitMillis[unit] ?? 0), 0)
  return millis > 0 && parts.map(([part]) => part).join("") === text
    ? Either.right(Duration.millis(millis))
    : Either.left("a length of time such as 90s, 5m or 1h30m")
}

const text = (given: string): Either.Either<string> => Either.right(given)

const platform = (given: string) =>
  Either.mapLeft(Schema.decodeUnknownEither(Platform)(given), () => "os/arch or os/arch/variant, such as linux/arm64")

const host = (given: string): Either.Either<string, string> =>
  RegistryUri.parse(given).pipe(
    Either.filterOrLeft(
      (uri) => uri.path === "",
      () => undefined
    ),
    Either.mapBoth({ onLeft: () => "a registry's host, such as registry.example.com:5000", onRight: (uri) => uri.host })
  )

const target = (given: string): Either.Either<ImageReference.ImageReference, string> =>
  ImageReference.parse(given).pipe(
    Either.mapLeft(
      (error) => `${error.expected} at offset ${error.position}; write it as host[:port]/repository[:tag]`
    ),
    Either.filterOrLeft(
      (reference) => Option.isNone(reference.digest),
      () => "no digest: an image is pushed under a tag, and its digest is the result"
    )
  )

const reportFile = (path: string): Either.Either<string, string> =>
  reportFormats.some((extension) => path.endsWith(extension))
    ? Either.right(path)
    : Either.left(`a file name that ends in ${reportFormats.join(", ")}`)

export const output = value({
  placeholder: "text|json",
  about: "What stdout gets: a repository@digest a line (text, the default), or the report (json).",
  decode: oneOf("text", "json"),
  fallback: "text"
})

export const pushOptions = {
  to: list({
    placeholder: "TARGET",
    about: "A name to push to, instead of the source's own. A target with no tag gets the source's.",
    decode: target
  }),
  output,
  progress: value({
    placeholder: "auto|plain|json|none",
    about: "What stderr gets: lines for people (plain), an event a line (json), or failures only (none).",
    decode: oneOf("auto", "plain", "json", "none"),
    fallback: "auto"
  }),
  report: optional({
    placeholder: "FILE",
    about: "Write a report, also after a failure or a signal: .json, .xml (JUnit) or .md.",
    decode: reportFile
  }),
  events: optional({ placeholder: "FILE", about: "Write every event to a file, one JSON a line.", decode: text }),
  dryRun: flag("Say what would be pushed and write nothing."),
  username: optional({
    placeholder: "NAME",
    about: "Log in with this name, and the password from --password-stdin. All targets must be on one host.",
    decode: text
  }),
  passwordStdin: flag("Read the password from standard input."),
  platform: optional({
    placeholder: "OS/ARCH[/VARIANT]",
    about: "Push one platform of an image that has several.",
    decode: platform
  }),
  plainHttp: list({ placeholder: "HOST", about: "Speak plain HTTP to this registry.", decode: host }),
  tlsSkipVerify: list({ placeholder: "HOST", about: "Accept any certificate from this registry.", decode: host }),
  concurrency: value({
    placeholder: "N",
    about: "Pushes at once to one registry (default: 4).",
    decode: whole(1),
    fallback: 4
  }),
  maxInFlight: value({
    placeholder: "N",
    about: "Pushes at once in all (default: 16).",
    decode: whole(1),
    fallback: 16
  }),
  retries: value({
    placeholder: "N",
    about: "How often a push that failed is tried again, when that can help (default: 2).",
    decode: whole(0),
    fallback: 2
  }),
  stallTimeout: value({
    placeholder: "TIME",
    about: "Give up a push that makes no progress for so long (default: 5m).",
    decode: duration,
    fallback: Duration.minutes(5)
  }),
  timeout: optional({
    placeholder: "TIME",
    about: "Stop the whole run after so long (default: never).",
    decode: duration
  }),
  failFast: flag("After a failure start no more pushes; those that run are finished.")
}

export type PushSettings = Settings<typeof pushOptions>
