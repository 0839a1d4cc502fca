/**
 * FastCheck arbitraries of gantry's values, for properties that hold for every image, credential and event.
 *
 * @since 0.1.0
 */
import * as Arbitrary from "effect/Arbitrary"
import * as DateTime from "effect/DateTime"
import * as Duration from "effect/Duration"
import * as FastCheck from "effect/FastCheck"
import * as Redacted from "effect/Redacted"
import * as Credential from "../credential/Credential.ts"
import * as RegistryError from "../distribution/RegistryError.ts"
import * as PushError from "../push/PushError.ts"
import { LayerPushed, type PushEvent, PushId, RegistryPaused } from "../push/PushEvent.ts"
import { PushedImage, PushStatus, TransportKind } from "../push/PushedImage.ts"
import * as Digest from "../reference/Digest.ts"
import * as ImageReference from "../reference/ImageReference.ts"
import * as RegistryUri from "../reference/RegistryUri.ts"

const lower = FastCheck.constantFrom(..."abcdefghijklmnopqrstuvwxyz0123456789")
const word = FastCheck.string({ unit: lower, minLength: 1, maxLength: 6 })
const hex = FastCheck.constantFrom(..."0123456789abcdef")
const joined = (parts: FastCheck.Arbitrary<ReadonlyArray<string>>, separator: string) =>
  parts.map((texts) => texts.join(separator))

const component = FastCheck.tuple(
  word,
  FastCheck.array(FastCheck.tuple(FastCheck.constantFrom(".", "_", "__", "-", "---"), word), { maxLength: 2 })
).map(([first, rest]) => first + rest.map(([separator, next]) => separator + next).join(""))

/**
 * A repository of the grammar, as `team/my_app`.
 *
 * @since 0.1.0
 * @category texts
 */
export const repository: FastCheck.Arbitrary<string> = joined(
  FastCheck.array(component, { minLength: 1, maxLength: 4 }),
  "/"
)

/** A namespace on Docker Hub: a first component that is not read as a host. */
const account = component.filter((text) => !text.includes(".") && text !== "localhost")

const label = FastCheck.tuple(word, FastCheck.constantFrom("", "-", "--"), word).map((parts) => parts.join(""))
const domain = joined(FastCheck.array(label, { minLength: 2, maxLength: 4 }), ".")
const ipv6 = FastCheck.constantFrom("[::1]", "[2001:db8::8a2e]", "[fe80:0:0:0:0:0:0:1]")
const port = FastCheck.option(FastCheck.integer({ min: 1, max: 65535 }), { nil: undefined })
const withPort = ([name, number]: readonly [string, number | undefined]) =>
  number === undefined ? name : `${name}:${number}`

/**
 * A host of the grammar with or without a port, Docker Hub's names among them.
 *
 * @since 0.1.0
 * @category texts
 */
export const host: FastCheck.Arbitrary<string> = FastCheck.oneof(
  FastCheck.constantFrom("docker.io", "index.docker.io", "registry-1.docker.io"),
  FastCheck.tuple(FastCheck.oneof(FastCheck.constantFrom("localhost", "127.0.0.1"), domain, ipv6), port).map(withPort)
)

const wordCharacter = FastCheck.constantFrom(..."abcxyzABCXYZ0189_")
const tagCharacter = FastCheck.oneof(wordCharacter, FastCheck.constantFrom(".", "-"))

/**
 * A tag of the grammar.
 *
 * @since 0.1.0
 * @category texts
 */
export const tag: FastCheck.Arbitrary<string> = FastCheck.tuple(
  wordCharacter,
  FastCheck.string({ unit: tagCharacter, maxLength: 127 })
).map(([first, rest]) => first + rest)

/**
 * A digest's text, of each known algorithm.
 *
 * @since 0.1.0
 * @category texts
 */
export const digestText: FastCheck.Arbitrary<string> = FastCheck.constantFrom(
  ["sha256", 64] as const,
  ["sha384", 96] as const,
  ["sha512", 128] as const
).chain(([algorithm, length]) =>
  FastCheck.string({ unit: hex, minLength: length, maxLength: length }).map((encoded) => `${algorithm}:${encoded}`)
)

const onHost = FastCheck.tuple(host, repository).map((parts) => parts.join("/"))
const onDockerHub = FastCheck.oneof(
  component,
  FastCheck.tuple(account, repository).map((parts) => parts.join("/"))
)
const optional = (prefix: string, text: FastCheck.Arbitrary<string>) =>
  FastCheck.option(
    text.map((value) => `${prefix}${value}`),
    { nil: "" }
  )

/**
 * A reference as a person may write it: with or without host, tag and digest.
 *
 * @since 0.1.0
 * @category texts
 */
export const imageReferenceText: FastCheck.Arbitrary<string> = FastCheck.tuple(
  FastCheck.oneof(onHost, onDockerHub),
  optional(":", tag),
  optional("@", digestText)
).map((parts) => parts.join(""))

/**
 * A registry's address as a person may write it: scheme, host or Docker Hub account, path, slashes at the end.
 *
 * @since 0.1.0
 * @category texts
 */
export const registryUriText: FastCheck.Arbitrary<string> = FastCheck.tuple(
  FastCheck.oneof(
    account,
    FastCheck.tuple(FastCheck.constantFrom("", "http://", "https://"), host, optional("/", repository)).map((parts) =>
      parts.join("")
    )
  ),
  FastCheck.constantFrom("", "/", "//")
).map((parts) => parts.join(""))

/**
 * @since 0.1.0
 * @category values
 */
export const digest: FastCheck.Arbitrary<Digest.Digest> = digestText.map(Digest.unsafeParse)

/**
 * A reference with or without tag and digest.
 *
 * @since 0.1.0
 * @category values
 */
export const imageReference: FastCheck.Arbitrary<ImageReference.ImageReference> = imageReferenceText.map(
  ImageReference.unsafeParse
)

/**
 * @since 0.1.0
 * @category values
 */
export const registryUri: FastCheck.Arbitrary<RegistryUri.RegistryUri> = registryUriText.map(RegistryUri.unsafeParse)

const count = FastCheck.nat()
const text = FastCheck.string()
const milliseconds = FastCheck.nat().map(Duration.millis)
const END_OF_RFC3339 = Date.UTC(9999, 11, 31, 23, 59, 59, 999)
const instant = FastCheck.integer({ min: 0, max: END_OF_RFC3339 }).map((millis) => DateTime.unsafeMake(millis))

const expiry: FastCheck.Arbitrary<Credential.Expiry> = FastCheck.oneof(
  FastCheck.constant(Credential.Expiry.Never()),
  instant.map((issuedAt) => Credential.Expiry.Unknown({ issuedAt })),
  FastCheck.tuple(instant, instant).map(([one, other]) =>
    Credential.Expiry.At({ issuedAt: DateTime.min(one, other), at: DateTime.max(one, other) })
  )
)
const secret = FastCheck.string({ minLength: 1 }).map((value) => Redacted.make(value))
const username = FastCheck.string({ minLength: 1 }).filter((value) => !value.includes(":"))

/**
 * A credential of each kind and expiry.
 *
 * @since 0.1.0
 * @category values
 */
export const credential: FastCheck.Arbitrary<Credential.Credential> = FastCheck.oneof(
  FastCheck.record({ host, username, password: secret, expiry }).map(Credential.usernamePassword),
  FastCheck.record({ host, username, token: secret, expiry }, { requiredKeys: ["host", "token", "expiry"] }).map(
    Credential.identityToken
  ),
  FastCheck.record({ host, token: secret, expiry }).map(Credential.registryToken)
)

/** What a push may go to: a tag, and no digest. */
const target = FastCheck.tuple(host, repository, tag).map(([host, repository, tag]) =>
  ImageReference.unsafeParse(`${host}/${repository}:${tag}`)
)

const transferred = FastCheck.record(
  { bytesUploaded: count, bytesMounted: count, bytesExisting: count },
  { requiredKeys: [] }
)

/**
 * What a good push leaves, of each status and transport.
 *
 * @since 0.1.0
 * @category values
 */
export const pushedImage: FastCheck.Arbitrary<PushedImage> = FastCheck.tuple(
  transferred,
  FastCheck.record({
    reference: target,
    digest,
    status: FastCheck.constantFrom(...PushStatus.literals),
    transport: FastCheck.constantFrom(...TransportKind.literals),
    attempts: FastCheck.integer({ min: 1, max: 10 }),
    duration: milliseconds
  })
).map(
  ([bytes, fields]) => new PushedImage({ ...fields, ...bytes, repoDigest: `${fields.reference.name}@${fields.digest}` })
)

const pushError: FastCheck.Arbitrary<PushError.PushError> = FastCheck.oneof(
  Arbitrary.make(PushError.ImageNotFound),
  Arbitrary.make(PushError.ImageUriMismatch),
  Arbitrary.make(PushError.TagExists),
  Arbitrary.make(PushError.DigestMissing),
  FastCheck.record({ registry: host, repository, status: FastCheck.constantFrom(401, 403), text }).map(
    (fields) => new RegistryError.RegistryUnauthorized(fields)
  ),
  FastCheck.record({ registry: host, text, retryAfter: milliseconds }).map(
    (fields) => new RegistryError.RegistryRateLimited(fields)
  ),
  FastCheck.record({
    image: target.map(String),
    transport: FastCheck.constantFrom(...TransportKind.literals),
    quietFor: milliseconds
  }).map((fields) => new PushError.PushStalled(fields))
)

/**
 * An error as events and reports carry it.
 *
 * @since 0.1.0
 * @category values
 */
export const errorReport: FastCheck.Arbitrary<PushError.ErrorReport> = pushError.map(PushError.report)

type EventArbitraries = {
  readonly [Tag in PushEvent["_tag"]]: FastCheck.Arbitrary<Extract<PushEvent, { readonly _tag: Tag }>>
}

const named = <const Tag extends PushEvent["_tag"]>(tag: Tag) => ({ _tag: FastCheck.constant(tag), at: instant })
const layer = FastCheck.string({ unit: hex, minLength: 12, maxLength: 12 })
const pushId = FastCheck.integer({ min: 1 }).map((number) => PushId.make(`push-${number}`))
const ended = { pushId, attempts: FastCheck.nat({ max: 10 }), duration: milliseconds }

/**
 * An event of each tag, alone: what it says need not agree with any other.
 *
 * @since 0.1.0
 * @category events
 */
export const pushEvents: EventArbitraries = {
  PushQueued: FastCheck.record(
    {
      ...named("PushQueued"),
      pushId,
      source: imageReference.map((reference) => `docker://${reference}`),
      target: target.map(String),
      registry: host,
      platform: FastCheck.constantFrom("linux/amd64", "linux/arm64/v8")
    },
    { requiredKeys: ["_tag", "at", "pushId", "source", "target", "registry"] }
  ),
  PushStarted: FastCheck.record({ ...named("PushStarted"), pushId }),
  LayerProgress: FastCheck.record(
    { ...named("LayerProgress"), pushId, layer, current: count, total: count },
    { requiredKeys: ["_tag", "at", "pushId", "layer", "current"] }
  ),
  LayerPushed: FastCheck.record(
    {
      ...named("LayerPushed"),
      pushId,
      layer,
      outcome: FastCheck.constantFrom(...LayerPushed.fields.outcome.literals),
      mountedFrom: repository
    },
    { requiredKeys: ["_tag", "at", "pushId", "layer", "outcome"] }
  ),
  Reauthenticated: FastCheck.record({ ...named("Reauthenticated"), pushId, registry: host, origin: text }),
  PushRetrying: FastCheck.record({
    ...named("PushRetrying"),
    pushId,
    attempt: FastCheck.integer({ min: 2, max: 10 }),
    delay: milliseconds,
    error: errorReport
  }),
  PushCompleted: FastCheck.record({ ...named("PushCompleted"), pushId, image: pushedImage }),
  PushFailed: FastCheck.record({ ...named("PushFailed"), ...ended, error: errorReport }),
  PushCrashed: FastCheck.record({ ...named("PushCrashed"), ...ended, defect: text }),
  PushCancelled: FastCheck.record({
    ...named("PushCancelled"),
    ...ended,
    reason: FastCheck.constantFrom(...PushError.PushInterrupted.fields.reason.literals)
  }),
  RegistryPaused: FastCheck.record({
    ...named("RegistryPaused"),
    registry: host,
    delay: milliseconds,
    source: FastCheck.constantFrom(...RegistryPaused.fields.source.literals)
  }),
  RegistryResumed: FastCheck.record({ ...named("RegistryResumed"), registry: host }),
  RuntimeDrained: FastCheck.record(named("RuntimeDrained"))
}

/**
 * An event of any tag.
 *
 * @since 0.1.0
 * @category events
 */
export const pushEvent: FastCheck.Arbitrary<PushEvent> = FastCheck.oneof(...Object.values(pushEvents))
