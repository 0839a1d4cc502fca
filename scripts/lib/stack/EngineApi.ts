/**
 * The few Engine API calls that a test needs to prepare an engine and to look into it, over its socket with node:http:
 * independent of gantry's own engine client, so that it can serve as its oracle.
 */
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import * as ImageFixture from "./ImageFixture.ts"
import * as Http from "./internal/http.ts"
import { StackError } from "./StackError.ts"

/** A lab user's name and password; nothing here is worth hiding. */
export interface LabCredentials {
  readonly username: string
  readonly password: string
}

const ImageInspect = Schema.Struct({
  Id: Schema.String,
  RepoTags: Schema.Array(Schema.String),
  RepoDigests: Schema.Array(Schema.String)
})

export interface EngineApi {
  readonly ping: Effect.Effect<boolean>
  readonly load: (fixture: ImageFixture.ImageFixture) => Effect.Effect<void, StackError>
  /** `tag("app:v1", "127.0.0.1:5000/lab/app:v1")` */
  readonly tag: (image: string, reference: string) => Effect.Effect<void, StackError>
  /** Removes a reference, or an image and all its references when given an id. */
  readonly remove: (image: string) => Effect.Effect<void, StackError>
  readonly inspect: (image: string) => Effect.Effect<Option.Option<typeof ImageInspect.Type>, StackError>
  /** Pushes with the engine itself and answers the digest of the result line. */
  readonly push: (reference: string, credentials?: LabCredentials) => Effect.Effect<string, StackError>
}

const StreamLine = Schema.parseJson(
  Schema.Struct({ status: Schema.optional(Schema.String), error: Schema.optional(Schema.String) })
)

const streamLines = (text: string) =>
  Effect.forEach(
    text.split("\n").filter((line) => line.trim() !== ""),
    (line) => Schema.decodeUnknown(StreamLine)(line)
  ).pipe(Effect.mapError(() => new StackError({ message: `not an engine's stream: ${text.slice(0, 200)}` })))

/** HTTP 200 says nothing: the outcome is in the lines (reference/engine.md, fact 1). */
const streamedAnswer = (answer: Http.Answer) =>
  Effect.gen(function* () {
    if (answer.status !== 200) {
      return yield* new StackError({ message: `the engine answered ${answer.status}: ${answer.text.trim()}` })
    }
    const lines = yield* streamLines(answer.text)
    for (const line of lines) {
      if (line.error !== undefined) {
        return yield* new StackError({ message: line.error })
      }
    }
    return lines
  })

const splitTag = (reference: string): readonly [repository: string, tag: string] => {
  const colon = reference.lastIndexOf(":")
  return colon > reference.lastIndexOf("/")
    ? [reference.slice(0, colon), reference.slice(colon + 1)]
    : [reference, "latest"]
}

/** Padded base64url: without the padding a push is silently anonymous (reference/engine.md, fact 19). */
const registryAuth = (reference: string, credentials: LabCredentials | undefined): string => {
  const auth = credentials === undefined ? {} : { ...credentials, serveraddress: reference.split("/")[0] }
  return Buffer.from(JSON.stringify(auth)).toString("base64").replaceAll("+", "-").replaceAll("/", "_")
}

/** @param socketPath path of the engine's unix socket */
export const make = (socketPath: string): EngineApi => {
  const call = (
    method: string,
    path: string,
    headers: Record<string, string> = {},
    body: string | Iterable<Uint8Array> = ""
  ) => Http.request({ socketPath, method, path, headers: { host: "docker", ...headers } }, body)
  const expect = (answer: Http.Answer, ...statuses: ReadonlyArray<number>) =>
    statuses.includes(answer.status)
      ? Effect.void
      : Effect.fail(new StackError({ message: `the engine answered ${answer.status}: ${answer.text.trim()}` }))
  return {
    ping: call("GET", "/_ping").pipe(
      Effect.map((answer) => answer.status === 200),
      Effect.orElseSucceed(() => false)
    ),
    load: (fixture) =>
      call("POST", "/images/load?quiet=1", { "content-type": "application/x-tar" }, ImageFixture.archive(fixture)).pipe(
        Effect.flatMap(streamedAnswer),
        Effect.asVoid
      ),
    tag: (image, reference) => {
      const [repo, tag] = splitTag(reference)
      return call("POST", `/images/${image}/tag?${new URLSearchParams({ repo, tag })}`).pipe(
        Effect.flatMap((answer) => expect(answer, 201))
      )
    },
    remove: (image) =>
      call("DELETE", `/images/${image}?force=1`).pipe(Effect.flatMap((answer) => expect(answer, 200, 404))),
    inspect: (image) =>
      Effect.gen(function* () {
        const answer = yield* call("GET", `/images/${image}/json`)
        if (answer.status === 404) {
          return Option.none()
        }
        yield* expect(answer, 200)
        return yield* Schema.decodeUnknown(Schema.parseJson(ImageInspect))(answer.text).pipe(
          Effect.mapBoth({
            onSuccess: Option.some,
            onFailure: () => new StackError({ message: `not an image: ${answer.text.slice(0, 200)}` })
          })
        )
      }),
    push: (reference, credentials) =>
      Effect.gen(function* () {
        const [repository, tag] = splitTag(reference)
        const answer = yield* call("POST", `/images/${repository}/push?${new URLSearchParams({ tag })}`, {
          "x-registry-auth": registryAuth(reference, credentials)
        })
        for (const line of yield* streamedAnswer(answer)) {
          const digest = line.status?.match(/: digest: (sha256:[0-9a-f]{64}) size: /)?.[1]
          if (digest !== undefined) {
            return digest
          }
        }
        return yield* new StackError({ message: `the push of ${reference} ended without a result line` })
      })
  }
}
