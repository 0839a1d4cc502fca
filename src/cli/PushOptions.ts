/**
 * The options of `gantry push` and `gantry batch`.
 */
import * as Arr from "effect/Array"
import * as Duration from "effect/Duration"
import * as Either from "effect/Either"
import * as Schema from "effect/Schema"
import { Platform } from "../push/PushRequest.ts"
import { engineOptions } from "./EngineOptions.ts"
import { expected, flag, list, optional, type Settings, value } from "./OptionTable.ts"
import { connectionOptions, diagnosticOptions, fileOptions, text } from "./RegistryOptions.ts"
import { reportFormats } from "./report/ReportFile.ts"
import * as TargetWord from "./TargetWord.ts"

const oneOf =
  <const A extends string>(...choices: ReadonlyArray<A>) =>
  (text: string): Either.Either<A, string> =>
    Either.fromOption(
      Arr.findFirst(choices, (choice) => choice === text),
      () => expected(choices.join(" or "), text)
    )

const whole =
  (minimum: number) =>
  (text: string): Either.Either<number, string> =>
    /^\d{1,9}$/.test(text) && Number(text) >= minimum
      ? Either.right(Number(text))
      : Either.left(expected(`a whole number of at least ${minimum}`, text))

const unitMillis: { readonly [unit: string]: number } = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 }

/** Lengths of time as people write them: `90s`, `5m`, `1h30m`. */
export const duration = (text: string): Either.Either<Duration.Duration, string> => {
  const parts = Array.from(text.matchAll(/(\d{1,9})(ms|s|m|h)/g))
  const millis = parts.reduce((sum, [, count, unit = ""]) => sum + Number(count) * (unitMillis[unit] ?? 0), 0)
  return millis > 0 && parts.map(([part]) => part).join("") === text
    ? Either.right(Duration.millis(millis))
    : Either.left(expected("a length of time such as 90s, 5m or 1h30m", text))
}

const platform = (given: string) =>
  Either.mapLeft(Schema.decodeUnknownEither(Platform)(given), () =>
    expected("os/arch or os/arch/variant, such as linux/arm64", given)
  )

const reportFile = (path: string): Either.Either<string, string> =>
  reportFormats.some((extension) => path.endsWith(extension))
    ? Either.right(path)
    : Either.left(expected(`a file name that ends in ${reportFormats.join(" or ")}`, path))

const glob = (given: string): Either.Either<string, string> =>
  given === "!"
    ? Either.left(expected("a glob: write what is to be left out behind the !", given))
    : Either.right(given)

/** `--output`, for whatever a command has to say. */
export const output = (about: string) =>
  value({ placeholder: "text|json", about, decode: oneOf("text", "json"), fallback: "text" })

export const batchOptions = {
  only: list({
    placeholder: "GLOB",
    about:
      "Push only what has a source or target that matches (* any characters, ? one); with ! before it, all but that.",
    decode: glob
  }),
  onExisting: value({
    placeholder: "overwrite|skip|fail",
    about:
      "What becomes of a tag that exists with other content. Default: overwrite. Tags that the configuration file protects are never overwritten.",
    decode: oneOf("overwrite", "skip", "fail"),
    fallback: "overwrite"
  }),
  output: output("What stdout gets: a repository@digest a line (text), or the report (json). Default: text."),
  progress: value({
    placeholder: "auto|bars|plain|json|none",
    about:
      "What stderr gets: a bar a push (bars, what auto is at a terminal outside CI), lines for people (plain), an event a line (json), or failures only (none). Rates are of bytes before compression.",
    decode: oneOf("auto", "bars", "plain", "json", "none"),
    fallback: "auto"
  }),
  ci: value({
    placeholder: "auto|github|none",
    about:
      "What a CI service is told. github: an annotation for a failed push, the report in the step's summary, and digest, repo-digest and report as outputs of a single push. auto is that in GitHub Actions, else none. Default: auto.",
    decode: oneOf("auto", "github", "none"),
    fallback: "auto"
  }),
  report: optional({
    placeholder: "FILE",
    about: "Write a report, also after a failure or a signal: .json, .xml (JUnit) or .md.",
    decode: reportFile
  }),
  events: optional({ placeholder: "FILE", about: "Write every event to a file, one JSON a line.", decode: text }),
  record: optional({
    placeholder: "FILE",
    about:
      "Write what the engine and the registries answer to a file, without credentials, for a test that plays it: TestTranscript.layer.",
    decode: text
  }),
  dryRun: flag("Say what would be pushed and write nothing."),
  platform: optional({
    placeholder: "OS/ARCH[/VARIANT]",
    about: "Push one platform of an image that has several.",
    decode: platform
  }),
  ...engineOptions,
  ...fileOptions,
  ...connectionOptions,
  concurrency: optional({
    placeholder: "N",
    about: "Pushes at once to one registry. Default: what the configuration file says of it, else 4.",
    decode: whole(1)
  }),
  maxInFlight: value({
    placeholder: "N",
    about: "Pushes at once in all. Default: 16.",
    decode: whole(1),
    fallback: 16
  }),
  retries: value({
    placeholder: "N",
    about: "How often a push that failed is tried again, when that can help. Default: 2.",
    decode: whole(0),
    fallback: 2
  }),
  stallTimeout: value({
    placeholder: "TIME",
    about: "Give up a push that makes no progress for so long. Default: 5m.",
    decode: duration,
    fallback: Duration.minutes(5)
  }),
  timeout: optional({
    placeholder: "TIME",
    about: "Stop the whole run after so long.",
    decode: duration
  }),
  failFast: flag("After a failure start no more pushes; those that run are finished."),
  ...diagnosticOptions
}

export const pushOptions = {
  to: list({
    placeholder: "TARGET",
    about: "A name to push to, instead of the source's own. A target with no tag gets the source's.",
    decode: TargetWord.parse
  }),
  ...batchOptions
}

export type BatchSettings = Settings<typeof batchOptions>

export type PushSettings = Settings<typeof pushOptions>
