import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Option from "effect/Option"
import * as Descriptor from "../../image/Descriptor.ts"
import * as Manifest from "../../image/Manifest.ts"
import * as Digest from "../../reference/Digest.ts"
import type { StoredManifest } from "../RegistryClient.ts"
import { DigestMismatch, RegistryUnavailable } from "../RegistryError.ts"
import type { RegistryResponse } from "../RegistryHttp.ts"

/** The manifest that was asked for, or that was sent. */
export interface ManifestName {
  readonly registry: string
  readonly repository: string
  /** A tag or a digest. */
  readonly reference: string
}

const header = (response: RegistryResponse, name: string): Option.Option<string> =>
  Option.filter(Option.fromNullable(response.headers[name]?.[0]?.trim()), (value) => value !== "")

const statedDigest = (response: RegistryResponse): Option.Option<Digest.Digest> =>
  Option.flatMap(header(response, "docker-content-digest"), (text) => Either.getRight(Digest.parse(text)))

const statedType = (response: RegistryResponse): Option.Option<string> =>
  Option.map(header(response, "content-type"), (value) => value.replace(/\s*;.*$/s, "").toLowerCase())

/** No tag has a colon: most names are no digest, and an error for each costs more than the look. */
const wantedDigest = ({ reference }: ManifestName): Option.Option<Digest.Digest> =>
  reference.includes(":") ? Either.getRight(Digest.parse(reference)) : Option.none()

const mismatch = (name: ManifestName, expected: Digest.Digest, actual: Digest.Digest) =>
  new DigestMismatch({
    registry: name.registry,
    repository: name.repository,
    expected: String(expected),
    actual: String(actual)
  })

const unreadable = (name: ManifestName, response: RegistryResponse, problem: string) =>
  new RegistryUnavailable({
    registry: name.registry,
    repository: name.repository,
    status: response.status,
    reason: "protocol",
    text: `It answered ${name.reference} with ${problem}`
  })

/** Digests of one algorithm must agree; those of two say nothing about each other. */
const agree = (
  name: ManifestName,
  expected: Option.Option<Digest.Digest>,
  actual: Digest.Digest
): Either.Either<void, DigestMismatch> =>
  Option.match(expected, {
    onNone: () => Either.void,
    onSome: (digest) =>
      digest.algorithm === actual.algorithm && String(digest) !== String(actual)
        ? Either.left(mismatch(name, digest, actual))
        : Either.void
  })

/** What a HEAD tells; none when the registry leaves something out and the content itself must be read. */
export const describeHead = (
  name: ManifestName,
  response: RegistryResponse
): Either.Either<Option.Option<Descriptor.Descriptor>, DigestMismatch> => {
  const size = Option.filter(header(response, "content-length"), (text) => /^\d{1,15}$/.test(text))
  const all = Option.all({ mediaType: statedType(response), digest: statedDigest(response), size })
  return Option.match(all, {
    onNone: () => Either.right(Option.none()),
    onSome: ({ digest, mediaType, size }) =>
      Either.map(agree(name, wantedDigest(name), digest), () =>
        Option.some(new Descriptor.Descriptor({ mediaType, digest, size: Number(size) }))
      )
  })
}

/** A manifest's bytes, checked against every digest that names them and read. */
export const readManifest = (
  name: ManifestName,
  response: RegistryResponse
): Effect.Effect<StoredManifest, DigestMismatch | RegistryUnavailable> =>
  Effect.gen(function* () {
    if (response.truncated) {
      return yield* unreadable(name, response, `a manifest of more than ${response.body.length} bytes`)
    }
    const named = [wantedDigest(name), statedDigest(response)]
    const algorithm = Option.getOrUndefined(Option.map(Option.firstSomeOf(named), (digest) => digest.algorithm))
    const content = Descriptor.fromBytes({ mediaType: "", body: response.body, algorithm })
    for (const expected of named) yield* agree(name, expected, content.digest)
    const manifest = yield* Either.mapLeft(Manifest.decode(new TextDecoder().decode(response.body)), () =>
      unreadable(
        name,
        response,
        `no manifest gantry can read (${Option.getOrElse(statedType(response), () => "no type")})`
      )
    )
    const stated = Option.filter(statedType(response), (type) => Manifest.mediaTypes.includes(type))
    // https://github.com/opencontainers/image-spec/security/advisories/GHSA-77vh-xpmg-72qh
    if (manifest.mediaType !== undefined && Option.exists(stated, (type) => type !== manifest.mediaType)) {
      return yield* unreadable(
        name,
        response,
        `a manifest that calls itself ${manifest.mediaType}, sent as another type`
      )
    }
    const mediaType = Option.getOrElse(stated, () => Manifest.mediaTypeOf(manifest))
    const descriptor = new Descriptor.Descriptor({ ...content, mediaType }, { disableValidation: true })
    return { descriptor, body: response.body, manifest }
  })

/** Checks what a registry calls a manifest that it has stored. */
export const confirmStored = (
  name: ManifestName,
  sent: Descriptor.Descriptor,
  response: RegistryResponse
): Either.Either<Descriptor.Descriptor, DigestMismatch> =>
  Option.match(statedDigest(response), {
    onNone: () => Either.right(sent),
    onSome: (stored) => Either.map(agree(name, Option.some(sent.digest), stored), () => sent)
  })

/** The manifest about to be stored under a digest must have it. */
export const describeOutgoing = (
  name: ManifestName,
  manifest: { readonly mediaType: string; readonly body: Uint8Array }
): Either.Either<Descriptor.Descriptor, DigestMismatch> => {
  const wanted = wantedDigest(name)
  const algorithm = Option.getOrUndefined(Option.map(wanted, (digest) => digest.algorithm))
  const sent = Descriptor.fromBytes({ ...manifest, algorithm })
  return Either.map(agree(name, wanted, sent.digest), () => sent)
}
