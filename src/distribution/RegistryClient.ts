/**
 * The client side of the OCI Distribution protocol: one registry host, one identity.
 *
 * @since 0.1.0
 */
import * as Data from "effect/Data"
import * as DateTime from "effect/DateTime"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Equal from "effect/Equal"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import type { Credential } from "../credential/Credential.ts"
import type { Descriptor } from "../image/Descriptor.ts"
import { type Manifest, mediaTypes } from "../image/Manifest.ts"
import { isMarkup, readAnswerText } from "./internal/answerText.ts"
import { send, unavailable } from "./internal/exchange.ts"
import {
  confirmStored,
  describeHead,
  describeOutgoing,
  type ManifestName,
  readManifest
} from "./internal/manifestAnswers.ts"
import { originOf, type RegistryOrigin } from "./internal/networkPolicy.ts"
import { makeOwner, type Owner } from "./internal/owner.ts"
import { allowsPush, repositoryScope } from "./internal/scope.ts"
import { type Call, makeSession, type Reply } from "./internal/session.ts"
import { readTagPage } from "./internal/tagPage.ts"
import { uploadLocation } from "./internal/uploadLocation.ts"
import { type RegistryError, RegistryUnavailable } from "./RegistryError.ts"
import type { RegistryTls } from "./RegistryHttp.ts"

/**
 * A manifest as a registry holds it: described, in its own bytes, and read.
 *
 * @since 0.1.0
 * @category models
 */
export interface StoredManifest {
  /** Its media type, digest and size; the digest is that of `body`. */
  readonly descriptor: Descriptor
  readonly body: Uint8Array
  readonly manifest: Manifest
}

/**
 * What a token server says about pushing: `unknown` where only trying would tell.
 *
 * @since 0.1.0
 * @category models
 */
export type PushPermission = "granted" | "refused" | "unknown"

/**
 * An upload that a registry has opened. Its location may carry a signature, so it is a secret.
 *
 * @since 0.1.0
 * @category models
 */
export class UploadSession extends Data.Class<{
  readonly repository: string
  readonly location: Redacted.Redacted<URL>
}> {}

/**
 * Speaks to one registry host as one identity; tokens and the way to authenticate are remembered between requests.
 *
 * `repository` is the path below the host (`library/alpine` on Docker Hub), `reference` a tag or a digest.
 *
 * @since 0.1.0
 * @category models
 */
export interface RegistryClient {
  /** The registry's canonical host, with its port. */
  readonly host: string
  /** Proves that a registry answers at the host and accepts the credential. */
  readonly ping: Effect.Effect<void, RegistryError>
  /** What time it is there, to the second, by the `Date` of its answer to nobody; none when that has none. */
  readonly serverTime: Effect.Effect<Option.Option<DateTime.Utc>, RegistryUnavailable>
  /** What a tag or digest names, without its content; none when the registry has no such manifest. */
  readonly headManifest: (
    repository: string,
    reference: string
  ) => Effect.Effect<Option.Option<Descriptor>, RegistryError>
  /** What a tag or digest names, verified against its digest; none when the registry has no such manifest. */
  readonly getManifest: (
    repository: string,
    reference: string
  ) => Effect.Effect<Option.Option<StoredManifest>, RegistryError>
  /** Stores a manifest, byte for byte, under a tag or its digest. */
  readonly putManifest: (
    repository: string,
    reference: string,
    manifest: { readonly mediaType: string; readonly body: Uint8Array }
  ) => Effect.Effect<Descriptor, RegistryError>
  /** The repository's tags, page by page. */
  readonly tags: (repository: string) => Stream.Stream<string, RegistryError>
  /** Proves the credential and asks the token server whether it may push; opens and writes nothing. */
  readonly checkPush: (repository: string) => Effect.Effect<PushPermission, RegistryError>
  /** Opens an upload, the only sure proof of the right to push. Close it with `cancelUpload`. */
  readonly openUpload: (repository: string) => Effect.Effect<UploadSession, RegistryError>
  readonly cancelUpload: (session: UploadSession) => Effect.Effect<void, RegistryError>
}

/**
 * @since 0.1.0
 * @category models
 */
export interface RegistryClientOptions {
  /** The registry's host with its port, as `ImageReference.registry` has it. */
  readonly host: string
  /** Default: plain HTTP on loopback, a verified certificate elsewhere. */
  readonly tls?: RegistryTls | undefined
  readonly credential: Option.Option<Credential>
}

const MAXIMUM_MANIFEST = 8 * 1024 * 1024
const ACCEPT_MANIFEST = mediaTypes.join(", ")

const isSuccess = ({ response }: Reply): boolean => response.status >= 200 && response.status <= 299

/** A 404 that a registry, and not some other server, has given: one code or no words at all. */
const isAbsent = ({ response }: Reply): boolean =>
  response.status === 404 && (response.body.length === 0 || readAnswerText(response, []).codes.length > 0)

const fromRegistry = (
  owner: Owner,
  registry: RegistryOrigin,
  credential: Option.Option<Credential>
): RegistryClient => {
  const session = makeSession(owner, registry, credential)
  const urlOf = (path: string): URL => new URL(`/v2/${path}`, registry.url)

  const succeed = (call: Call, about: { readonly repository?: string; readonly tag?: string } = {}) =>
    Effect.flatMap(session.call(call), (reply) =>
      isSuccess(reply) ? Effect.succeed(reply.response) : Effect.flip(reply.refusal(about))
    )

  const nameOf = (repository: string, reference: string): ManifestName => ({
    registry: registry.host,
    repository,
    reference
  })

  /** A HEAD has no body, so a missing manifest and a missing repository look alike: both are none. */
  const readManifestAs = (method: "GET" | "HEAD", { reference, repository }: ManifestName) =>
    Effect.flatMap(
      session.call({
        method,
        url: urlOf(`${repository}/manifests/${reference}`),
        headers: { accept: ACCEPT_MANIFEST },
        maximumBody: MAXIMUM_MANIFEST,
        scopes: [repositoryScope(repository, "pull")]
      }),
      (reply) => {
        if (isSuccess(reply)) return Effect.succeedSome(reply.response)
        return isAbsent(reply) ? Effect.succeedNone : Effect.flip(reply.refusal({ repository }))
      }
    )

  const ping = Effect.gen(function* () {
    const reply = yield* session.call({ method: "GET", url: urlOf(""), scopes: [] })
    const { status } = reply.response
    if (status === 404 || (isSuccess(reply) && isMarkup(reply.response))) {
      return yield* unavailable(registry, "protocol", `It answered /v2/ with HTTP ${status} and not as a registry`)
    }
    if (!isSuccess(reply)) return yield* Effect.flip(reply.refusal({}))
  }).pipe(Effect.withSpan("RegistryClient.ping"))

  const serverTime = send(owner.http, registry, {
    method: "GET",
    url: urlOf(""),
    timeout: Duration.seconds(30),
    maximumBody: MAXIMUM_MANIFEST,
    otherOrigins: "refused"
  }).pipe(
    // https://www.rfc-editor.org/rfc/rfc9110#name-date
    Effect.map(({ response }) => DateTime.make(Date.parse(response.headers["date"]?.[0] ?? ""))),
    Effect.withSpan("RegistryClient.serverTime")
  )

  const getManifest = Effect.fn("RegistryClient.getManifest")(function* (repository: string, reference: string) {
    const name = nameOf(repository, reference)
    const response = yield* readManifestAs("GET", name)
    return Option.isNone(response) ? Option.none() : Option.some(yield* readManifest(name, response.value))
  })

  const headManifest = Effect.fn("RegistryClient.headManifest")(function* (repository: string, reference: string) {
    const name = nameOf(repository, reference)
    const response = yield* readManifestAs("HEAD", name)
    if (Option.isNone(response)) return Option.none()
    const described = yield* describeHead(name, response.value)
    if (Option.isSome(described)) return described
    return Option.map(yield* getManifest(repository, reference), ({ descriptor }) => descriptor)
  })

  const putManifest = Effect.fn("RegistryClient.putManifest")(function* (
    repository: string,
    reference: string,
    manifest: { readonly mediaType: string; readonly body: Uint8Array }
  ) {
    const name = nameOf(repository, reference)
    const sent = yield* describeOutgoing(name, manifest)
    const response = yield* succeed(
      {
        method: "PUT",
        url: urlOf(`${repository}/manifests/${reference}`),
        headers: { "content-type": manifest.mediaType },
        body: Redacted.make(manifest.body),
        scopes: [repositoryScope(repository, "push")]
      },
      { repository, tag: reference }
    )
    return yield* confirmStored(name, sent, response)
  })

  const tagPage = (repository: string) => (url: URL) =>
    Effect.gen(function* () {
      const response = yield* succeed(
        { method: "GET", url, maximumBody: MAXIMUM_MANIFEST, scopes: [repositoryScope(repository, "pull")] },
        { repository }
      )
      return yield* Either.mapLeft(readTagPage(response, url), (problem) =>
        unavailable(registry, "protocol", `Its list of the tags of ${repository} ${problem}`)
      )
    })

  const checkPush = Effect.fn("RegistryClient.checkPush")(function* (repository: string) {
    yield* ping
    const granted = yield* session.granted([repositoryScope(repository, "push")])
    return Option.match(granted, {
      onNone: (): PushPermission => "unknown",
      onSome: (access) => (access.some((each) => allowsPush(each, repository)) ? "granted" : "refused")
    })
  })

  const openUpload = Effect.fn("RegistryClient.openUpload")(function* (repository: string) {
    const url = urlOf(`${repository}/blobs/uploads/`)
    const scopes = [repositoryScope(repository, "push")]
    const response = yield* succeed({ method: "POST", url, scopes }, { repository })
    const location = yield* Either.mapLeft(uploadLocation(registry, response, url), (reason) =>
      unavailable(registry, "address", `It opens an upload where gantry does not go: ${reason}`)
    )
    return new UploadSession({ repository, location: Redacted.make(location) })
  })

  const cancelUpload = Effect.fn("RegistryClient.cancelUpload")(function* ({ location, repository }: UploadSession) {
    const scopes = [repositoryScope(repository, "push")]
    yield* succeed({ method: "DELETE", url: Redacted.value(location), scopes }, { repository })
  })

  return {
    host: registry.host,
    ping,
    serverTime,
    headManifest,
    getManifest,
    putManifest,
    tags: (repository) => Stream.paginateChunkEffect(urlOf(`${repository}/tags/list`), tagPage(repository)),
    checkPush,
    openUpload,
    cancelUpload
  }
}

/** A client of a host that is none: every operation says so. */
const fromProblem = (host: string, text: string): RegistryClient => {
  const failed = Effect.fail(new RegistryUnavailable({ registry: host, reason: "address", text }))
  const fail = () => failed
  return {
    host,
    ping: failed,
    serverTime: failed,
    headManifest: fail,
    getManifest: fail,
    putManifest: fail,
    tags: fail,
    checkPush: fail,
    openUpload: fail,
    cancelUpload: fail
  }
}

const fromOwner =
  (owner: Owner) =>
  ({ credential, host, tls }: RegistryClientOptions): RegistryClient =>
    Either.match(originOf(host, tls), {
      onLeft: (problem) => fromProblem(host, problem),
      onRight: (registry) => fromRegistry(owner, registry, credential)
    })

/**
 * A client of its own for one host and identity; what it has under way ends with the scope.
 *
 * Source: https://github.com/opencontainers/distribution-spec/blob/v1.1.1/spec.md
 *
 * @example
 * ```ts
 * import * as Effect from "effect/Effect"
 * import * as Option from "effect/Option"
 * import { RegistryClient } from "gantry"
 *
 * const digest = Effect.gen(function* () {
 *   const registry = yield* RegistryClient.make({ host: "ghcr.io", credential: Option.none() })
 *   const found = yield* registry.headManifest("acme/app", "1.4.2")
 *   return Option.map(found, (descriptor) => String(descriptor.digest))
 * }).pipe(Effect.scoped)
 * ```
 *
 * @since 0.1.0
 * @category constructors
 */
export const make = (options: RegistryClientOptions): Effect.Effect<RegistryClient, never, Scope.Scope> =>
  Effect.map(makeOwner, (owner) => fromOwner(owner)(options))

const MAXIMUM_CLIENTS = 64

/**
 * Clients by host, TLS and credential, so that pushes of one identity share its tokens. The 64 used last are remembered:
 * those of credentials that have been replaced fall out, and still work for whoever holds them.
 *
 * @since 0.1.0
 * @category constructors
 */
export const pool: Effect.Effect<(options: RegistryClientOptions) => RegistryClient, never, Scope.Scope> = Effect.map(
  makeOwner,
  (owner) => {
    // The one used last comes last.
    const entries: Array<{ readonly key: unknown; readonly client: RegistryClient }> = []
    return (options) => {
      const key = Data.tuple(options.host, options.tls, options.credential)
      const index = entries.findIndex((entry) => Equal.equals(entry.key, key))
      const [known] = index < 0 ? [] : entries.splice(index, 1)
      const entry = known ?? { key, client: fromOwner(owner)(options) }
      entries.push(entry)
      if (entries.length > MAXIMUM_CLIENTS) entries.shift()
      return entry.client
    }
  }
)
