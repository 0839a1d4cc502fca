import * as DateTime from "effect/DateTime"
import * as Duration from "effect/Duration"
import * as FastCheck from "effect/FastCheck"
import * as Report from "../../../src/cli/Report.ts"
import { type PushEvent, PushId } from "../../../src/push/PushEvent.ts"
import { PushedImage } from "../../../src/push/PushedImage.ts"
import * as PushRequest from "../../../src/push/PushRequest.ts"
import * as Digest from "../../../src/reference/Digest.ts"
import * as ImageReference from "../../../src/reference/ImageReference.ts"

export const digest = `sha256:${"ab".repeat(32)}`
export const otherDigest = `sha256:${"cd".repeat(32)}`

/** An instant so many milliseconds after a fixed one. */
export const at = (millis: number): DateTime.Utc => DateTime.unsafeMake(Date.UTC(2026, 0, 2, 3, 4, 5) + millis)

export const id = (name: string): PushId => PushId.make(name)

export const request = (target: string): PushRequest.PushRequest =>
  PushRequest.make({ target: ImageReference.unsafeParse(target) })

export const image = (target: string, overrides: Partial<ConstructorParameters<typeof PushedImage>[0]> = {}) => {
  const reference = ImageReference.unsafeParse(target)
  return new PushedImage({
    reference,
    digest: Digest.unsafeParse(digest),
    repoDigest: `${reference.name}@${digest}`,
    status: "pushed",
    transport: "engine",
    attempts: 1,
    bytesUploaded: 4096,
    duration: Duration.millis(3100),
    ...overrides
  })
}

export const queued = (pushId: string, target: string, millis = 0): PushEvent => ({
  _tag: "PushQueued",
  pushId: id(pushId),
  at: at(millis),
  source: `docker://${target}`,
  target,
  registry: ImageReference.unsafeParse(target).registry
})

export const started = (pushId: string, millis = 0): PushEvent => ({
  _tag: "PushStarted",
  pushId: id(pushId),
  at: at(millis)
})

export const unauthorized = {
  _tag: "RegistryUnauthorized",
  message: "reg.example.com/app does not accept the credential. Log in again.",
  advice: "Log in again.",
  transient: false,
  registry: "reg.example.com"
}

/** A run with a row of each kind, and texts that every format has to escape. */
export const report: Report.Report = Report.make({
  mode: "push",
  startedAt: at(0),
  endedAt: at(65_432),
  results: [
    {
      source: "docker://docker.io/library/app:1",
      target: "reg.example.com/app:1",
      status: "pushed",
      digest,
      repoDigest: `reg.example.com/app@${digest}`,
      bytesUploaded: 4096,
      bytesExisting: 1024,
      attempts: 2,
      durationMs: 3100
    },
    {
      source: "docker://docker.io/library/app:1",
      target: "localhost:5000/app:1",
      status: "unchanged",
      digest,
      repoDigest: `localhost:5000/app@${digest}`,
      attempts: 1,
      durationMs: 12
    },
    {
      source: "oci:./a|b#<1>",
      target: "reg.example.com/b:1",
      status: "failed",
      attempts: 3,
      durationMs: 61_000,
      error: {
        _tag: "RegistryRejected",
        message: 'It said: <b>"no" & `never`</b> |\u001b[31m red\r\nnext line',
        advice: "next line",
        transient: true,
        status: 418
      }
    },
    { source: "docker://c:1", target: "reg.example.com/c:1", status: "cancelled", attempts: 0, durationMs: 0 }
  ]
})

export const dryRun: Report.Report = Report.make({
  mode: "dry-run",
  startedAt: at(0),
  endedAt: at(500),
  results: [
    { source: "docker://a:1", target: "reg.example.com/a:1", status: "would-push", attempts: 0, durationMs: 1 },
    {
      source: "docker://b:1",
      target: "reg.example.com/b:1",
      status: "would-overwrite",
      overwrites: otherDigest,
      attempts: 0,
      durationMs: 2
    },
    {
      source: "docker://c:1",
      target: "reg.example.com/c:1",
      status: "unchanged",
      digest,
      repoDigest: `reg.example.com/c@${digest}`,
      attempts: 0,
      durationMs: 3
    },
    {
      source: "docker://d:1",
      target: "reg.example.com/d:1",
      status: "would-fail",
      attempts: 0,
      durationMs: 4,
      error: unauthorized
    }
  ]
})

const texts = FastCheck.string({ unit: "binary" })

const errors = FastCheck.record({
  _tag: FastCheck.constantFrom("RegistryUnauthorized", "EngineUnavailable", "RegistryRejected", "Defect"),
  message: texts,
  advice: texts,
  transient: FastCheck.boolean()
})

/** Any result that a run may have, with any text. */
export const results: FastCheck.Arbitrary<Report.Result> = FastCheck.oneof(
  FastCheck.record({
    source: texts,
    target: texts,
    status: FastCheck.constantFrom("pushed" as const, "unchanged" as const),
    repoDigest: FastCheck.constant(`reg.example.com/a@${digest}`),
    attempts: FastCheck.nat(5),
    durationMs: FastCheck.nat()
  }),
  FastCheck.record({
    source: texts,
    target: texts,
    status: FastCheck.constantFrom("failed" as const, "would-fail" as const),
    attempts: FastCheck.nat(5),
    durationMs: FastCheck.nat(),
    error: errors
  }),
  FastCheck.record({
    source: texts,
    target: texts,
    status: FastCheck.constantFrom("skipped" as const, "cancelled" as const, "would-push" as const),
    attempts: FastCheck.nat(5),
    durationMs: FastCheck.nat()
  })
)

export const reports: FastCheck.Arbitrary<Report.Report> = FastCheck.array(results, { maxLength: 6 }).map((results) =>
  Report.make({ mode: "push", startedAt: at(0), endedAt: at(10), results })
)
