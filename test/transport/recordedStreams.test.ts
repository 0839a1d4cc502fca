import { assert, describe, it } from "@effect/vitest"
import * as Chunk from "effect/Chunk"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Stream from "effect/Stream"
import { EngineRejected } from "../../src/engine/EngineError.ts"
import { decodePush, type EngineEvent } from "../../src/engine/EngineStream.ts"
import * as ImageSource from "../../src/image/ImageSource.ts"
import type { PushError } from "../../src/push/PushError.ts"
import * as ImageReference from "../../src/reference/ImageReference.ts"
import { classify } from "../../src/transport/internal/engineMessage.ts"
import { headingOf, messageOf, type Recording, recordings } from "../support/engineRecordings.ts"

const address = { endpoint: "unix:///recorded.sock", origin: "the recording" }

const target = ImageReference.unsafeParse("registry.example:5000/team/app:v1")
const about = { target, source: ImageSource.docker(target) }

const meaningOf = (error: PushError): PushError => (error._tag === "EngineRejected" ? classify(error, about) : error)

type Outcome = Either.Either<ReadonlyArray<EngineEvent>, PushError>

/** What a push comes to whose answer is the recording, read in parts of `size` bytes. */
const replay = (recording: Recording, size: number): Effect.Effect<Outcome> => {
  const { body, httpStatus } = recording
  if (httpStatus >= 300) {
    const text = messageOf(recording) ?? "it gave no reason"
    return Effect.succeed(Either.left(meaningOf(new EngineRejected({ status: httpStatus, text }))))
  }
  const parts = Array.from({ length: Math.ceil(body.length / size) }, (_, index) =>
    body.subarray(index * size, (index + 1) * size)
  )
  return decodePush(Stream.fromIterable(parts), address).pipe(
    Stream.runCollect,
    Effect.map(Chunk.toReadonlyArray),
    Effect.mapError(meaningOf),
    Effect.either
  )
}

interface Decision {
  readonly outcome: PushError["_tag"]
  readonly because: string
  readonly recordings: ReadonlyArray<string>
}

/** What index.tsv calls `Other`. */
const decisions: ReadonlyArray<Decision> = [
  {
    outcome: "EngineRejected",
    because: "the request was malformed, which gantry's never is",
    recordings: [
      "d20-auth-header-empty-string",
      "d20-auth-header-missing",
      "p4-auth-header-garbage",
      "p4-basic-right-password-unpadded-header",
      "p5-auth-header-garbage",
      "p5-basic-right-password-unpadded-header",
      "d28-platform-malformed",
      "d28c-platform-malformed"
    ]
  },
  {
    outcome: "EngineRejected",
    because: "the client itself had hung up: nobody is left to read it",
    recordings: ["d20-client-half-close", "d28c-client-half-close"]
  },
  {
    outcome: "EngineRejected",
    because: "neither a code nor a status nor known words are left of the registry's answer",
    recordings: ["d20-404-blob-head-after-put", "d20-html-200-manifest", "d28c-html-200-manifest", "d28c-utf8-message"]
  },
  {
    outcome: "RegistryRejected",
    because: "the registry's code or status is known, and no error of gantry's own asks for another treatment",
    recordings: [
      "d20-blob-upload-unknown",
      "d20-digest-invalid",
      "d28c-digest-invalid",
      "d20-unsupported",
      "d28c-unsupported",
      "d20-html-413-patch",
      "d28-html-413-patch",
      "p4-html-413-patch",
      "p5-html-413-patch"
    ]
  },
  {
    outcome: "EngineDisconnected",
    because: "the client left; an engine that ended its answer there would have proved nothing",
    recordings: recordings.filter(({ streamEnd }) => streamEnd === "left-by-client").map(({ name }) => name)
  }
]

/** Where gantry does not go with index.tsv. */
const disagreements: ReadonlyArray<Decision> = [
  {
    outcome: "EngineRejected",
    because: "index.tsv knows from the registry's side that it was a 403; the engine says only `unknown: no code here`",
    recordings: ["d20-error-without-code"]
  }
]

const decided = new Map(
  [...decisions, ...disagreements].flatMap(({ outcome, recordings }) => recordings.map((name) => [name, outcome]))
)

const expectedTag = ({ expected, name }: Recording): string =>
  decided.get(name) ?? (expected === "InvalidReference" ? "InvalidImageReference" : expected)

const isSuccess = ({ expected }: Recording) => expected === "pushed" || expected === "unchanged-layers"

/** The tag that was pushed, where it was not `v1`. */
const wantedTag = (recording: Recording): string => {
  if (/-(?:second-tag-same-image|concurrent-other-one-aborted)$/.test(recording.name)) return "v2"
  return /\/(?:hdr|lab)\/app$/.test(headingOf(recording) ?? "") ? "t" : "v1"
}

const digestsOf = (events: ReadonlyArray<EngineEvent>, tag: string): ReadonlySet<string> =>
  new Set(
    events.flatMap((event) =>
      (event._tag === "PushResult" || event._tag === "PushAux") && event.tag === tag ? [String(event.digest)] : []
    )
  )

const check = (recording: Recording, outcome: Outcome) => {
  if (isSuccess(recording)) {
    if (Either.isLeft(outcome)) assert.fail(`failed with ${outcome.left._tag}: ${outcome.left.message}`)
    assert.strictEqual(digestsOf(outcome.right, wantedTag(recording)).size, 1)
    return
  }
  if (Either.isRight(outcome)) assert.fail("succeeded")
  assert.strictEqual(outcome.left._tag, expectedTag(recording), outcome.left.message)
}

const situationOf = (name: string): string => name.slice(name.indexOf("-") + 1)

describe("recorded streams", () => {
  it("are all there, and each `Other` is decided once", () => {
    assert.strictEqual(recordings.length, 341)
    const others = recordings.filter(({ expected }) => expected === "Other").map(({ name }) => name)
    const answered = decisions.flatMap(({ recordings }) => recordings)
    assert.deepStrictEqual(Array.from(answered).sort(), others.sort())
    for (const name of disagreements.flatMap(({ recordings }) => recordings)) assert.notInclude(others, name)
  })

  describe("give their stated outcome, whole and in parts of one byte", () => {
    for (const recording of recordings) {
      it.effect(`${recording.name}: ${recording.situation}`, () =>
        Effect.gen(function* () {
          const whole = yield* replay(recording, recording.body.length + 1)
          check(recording, whole)
          assert.deepStrictEqual(yield* replay(recording, 1), whole)
        })
      )
    }
  })

  it.effect("say why a registry is not available", () => {
    const reasons: Readonly<Record<string, string>> = {
      "500-blob-put": "status 500",
      "500-manifest": "status 500",
      "500-upload-post": "status 500",
      "502-html-manifest": "status 502",
      "503-manifest": "status 503",
      "503-upload-post": "status 503",
      "html-502-upload-post": "status 502",
      "connection-refused": "refused",
      "registry-killed": "refused",
      "dns-failure": "dns",
      "dns-failure-no-port": "dns",
      "docker-hub-unreachable": "dns",
      "manifest-answer-lost": "reset",
      "blob-answer-lost-once": "reset",
      "reset-manifest": "reset",
      "reset-patch": "reset",
      "reset-upload-post": "reset",
      "tls-connection-closed": "reset",
      "ping-hangs": "timeout",
      "port-out-of-range": "address",
      "tls-expired": "certificate",
      "tls-unknown-authority": "certificate",
      "tls-wrong-name": "certificate",
      "tls-proxy-502": "proxy",
      "tls-server-speaks-http": "plain-http",
      "insecure-registry-default": "plain-http",
      // The containerd store repeats the code alone: the status is not known.
      "d28c-500-upload-post": "status",
      "d28c-503-upload-post": "status"
    }
    const unavailable = recordings.filter((recording) => expectedTag(recording) === "RegistryUnavailable")
    return Effect.forEach(unavailable, (recording) =>
      Effect.map(replay(recording, recording.body.length + 1), (outcome) => {
        if (Either.isRight(outcome) || outcome.left._tag !== "RegistryUnavailable") assert.fail(recording.name)
        const { reason, status } = outcome.left
        const said = status === undefined ? reason : `${reason} ${status}`
        assert.strictEqual(said, reasons[recording.name] ?? reasons[situationOf(recording.name)], recording.name)
      })
    )
  })

  it.effect("say why a manifest is refused", () => {
    const reasons: Readonly<Record<string, string>> = {
      "manifest-blob-unknown": "blob-unknown",
      "manifest-blob-unknown-404": "blob-unknown",
      "manifest-blob-unknown-once": "blob-unknown",
      "manifest-invalid": "invalid",
      "manifest-two-errors": "invalid",
      "manifest-too-large": "too-large",
      "tag-invalid-default-wording": "tag-invalid"
    }
    const refused = recordings.filter((recording) => expectedTag(recording) === "ManifestRejected")
    return Effect.forEach(refused, (recording) =>
      Effect.map(replay(recording, recording.body.length + 1), (outcome) => {
        if (Either.isRight(outcome) || outcome.left._tag !== "ManifestRejected") assert.fail(recording.name)
        assert.strictEqual(outcome.left.reason, reasons[situationOf(recording.name)], recording.name)
      })
    )
  })
})
