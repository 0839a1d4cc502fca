/**
 * A registry in memory, for tests without a network: it stands behind gantry's own protocol client.
 *
 * @since 0.1.0
 */
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as DateTime from "effect/DateTime"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import type * as Redacted from "effect/Redacted"
import { RegistryUnavailable } from "../distribution/RegistryError.ts"
import { RegistryHttp, type RegistryRequest, type RegistryResponse } from "../distribution/RegistryHttp.ts"
import * as Descriptor from "../image/Descriptor.ts"
import { MediaType } from "../image/Manifest.ts"
import type * as ImageReference from "../reference/ImageReference.ts"
import { makeAccess } from "./internal/registryAccess.ts"
import { answer } from "./internal/registryAnswer.ts"
import { Content, digestOf } from "./internal/registryContent.ts"
import { operationOf } from "./internal/registryProtocol.ts"

/**
 * A user and what they may do, in every repository.
 *
 * @since 0.1.0
 * @category models
 */
export interface TestUser {
  readonly username: string
  readonly password: Redacted.Redacted
  /** Good for tokens where the registry uses a token server. */
  readonly identityToken?: Redacted.Redacted | undefined
  readonly actions: ReadonlyArray<"pull" | "push">
}

/**
 * How the registry wants to be authenticated to; a token server answers at `/token` of the registry's own host.
 *
 * @since 0.1.0
 * @category models
 */
export type TestAuthentication =
  | { readonly type: "open" }
  | { readonly type: "basic"; readonly users: ReadonlyArray<TestUser> }
  | {
      readonly type: "token"
      readonly users: ReadonlyArray<TestUser>
      /** What somebody without a credential may do. Default: nothing. */
      readonly anonymous?: TestUser["actions"] | undefined
      /** How long a token is good, on the Clock. Default: 5 minutes. */
      readonly lifetime?: Duration.DurationInput | undefined
    }

/**
 * A manifest in its own bytes.
 *
 * @since 0.1.0
 * @category models
 */
export interface ManifestContent {
  readonly mediaType: string
  readonly body: Uint8Array
}

/**
 * What one request asked. Its body is left out.
 *
 * @since 0.1.0
 * @category models
 */
export interface TestRequest {
  /** The registry on whose behalf it was sent. */
  readonly registry: string
  readonly method: RegistryRequest["method"]
  readonly url: URL
  readonly headers: RegistryRequest["headers"]
  readonly authorization: RegistryRequest["authorization"]
  readonly at: DateTime.Utc
}

/**
 * What goes wrong: an answer in the registry's place, silence, a broken connection, or a delay before the right answer.
 *
 * @since 0.1.0
 * @category models
 */
export type TestFaultEffect =
  | {
      readonly type: "answer"
      readonly status: number
      readonly headers?: Readonly<Record<string, string>> | undefined
      readonly body?: string | undefined
    }
  | { readonly type: "hang" }
  | { readonly type: "disconnect" }
  | { readonly type: "delay"; readonly duration: Duration.DurationInput }

/**
 * A fault for the requests that match everything given here, `times` of them (default: all).
 *
 * @since 0.1.0
 * @category models
 */
export interface TestFault {
  readonly registry?: string | undefined
  readonly method?: RegistryRequest["method"] | undefined
  /** Matches the URL's path, which begins with `/v2/` or is `/token`. */
  readonly path?: RegExp | undefined
  readonly times?: number | undefined
  readonly effect: TestFaultEffect
}

/**
 * What tests ask of the registry in memory, and tell it.
 *
 * @since 0.1.0
 * @category services
 */
export class TestRegistry extends Context.Tag("gantry/TestRegistry")<
  TestRegistry,
  {
    /** Every request so far, in order. */
    readonly requests: Effect.Effect<ReadonlyArray<TestRequest>>
    /** The manifest a tag or a digest names; the digest counts when the reference has both. */
    readonly find: (image: ImageReference.ImageReference) => Effect.Effect<Option.Option<ManifestContent>>
    /** Puts an image there, past every check: its config and layers are these bytes. Gives its manifest. */
    readonly addImage: (
      image: ImageReference.ImageReference,
      content: { readonly config: Uint8Array; readonly layers: ReadonlyArray<Uint8Array> }
    ) => Effect.Effect<Descriptor.Descriptor>
    /** Makes the next matching requests fail; of several faults that match the oldest is used. */
    readonly fault: (fault: TestFault) => Effect.Effect<void>
    /** No token that was given out is good any longer. */
    readonly revokeTokens: Effect.Effect<void>
  }
>() {}

const referenceOf = (image: ImageReference.ImageReference): string =>
  Option.getOrElse(Option.map(image.digest, String), () => Option.getOrElse(image.tag, () => "latest"))

const imageManifest = (config: Uint8Array, layers: ReadonlyArray<Uint8Array>): ManifestContent => {
  const entry = (mediaType: string, body: Uint8Array) => ({ mediaType, size: body.length, digest: digestOf(body) })
  const manifest = {
    schemaVersion: 2,
    mediaType: MediaType.dockerManifest,
    config: entry("application/vnd.docker.container.image.v1+json", config),
    layers: layers.map((layer) => entry("application/vnd.docker.image.rootfs.diff.tar.gzip", layer))
  }
  return { mediaType: MediaType.dockerManifest, body: new TextEncoder().encode(JSON.stringify(manifest)) }
}

const fits = (fault: TestFault, request: RegistryRequest): boolean =>
  (fault.registry ?? request.registry) === request.registry &&
  (fault.method ?? request.method) === request.method &&
  (fault.path === undefined || fault.path.test(request.url.pathname))

const disconnected = ({ registry }: RegistryRequest) =>
  new RegistryUnavailable({ registry, reason: "reset", text: "socket hang up" })

const afterFault = (
  fault: TestFaultEffect,
  request: RegistryRequest,
  response: Effect.Effect<RegistryResponse, RegistryUnavailable>
): Effect.Effect<RegistryResponse, RegistryUnavailable> => {
  switch (fault.type) {
    case "answer":
      return Effect.succeed(answer(fault.status, fault.headers, fault.body))
    case "hang":
      return Effect.never
    case "disconnect":
      return Effect.fail(disconnected(request))
    case "delay":
      return Effect.delay(response, fault.duration)
  }
}

const withoutBody = (request: RegistryRequest, response: RegistryResponse): RegistryResponse =>
  request.method === "HEAD" ? { ...response, body: new Uint8Array() } : response

const makeRegistry = (authentication: TestAuthentication) => {
  const content = new Content()
  const access = makeAccess(authentication)
  const asked: Array<TestRequest> = []
  const faults: Array<{ readonly fault: TestFault; left: number }> = []

  const nextFault = (request: RegistryRequest): TestFaultEffect | undefined => {
    const found = faults.find(({ fault, left }) => left > 0 && fits(fault, request))
    if (found === undefined) return undefined
    found.left -= 1
    return found.fault.effect
  }

  const respond = (request: RegistryRequest, now: number): RegistryResponse => {
    if (request.url.pathname === "/token") return access.token(request, now)
    const operation = operationOf(request)
    const refused = access.check(request, Option.getOrUndefined(operation), now)
    if (Option.isSome(refused)) return refused.value
    if (Option.isSome(operation)) return operation.value.run(content)
    return request.url.pathname === "/v2/" ? answer(200, { "content-type": "application/json" }, "{}") : answer(404)
  }

  const request = (asking: RegistryRequest): Effect.Effect<RegistryResponse, RegistryUnavailable> =>
    Effect.gen(function* () {
      const now = yield* Clock.currentTimeMillis
      const { authorization, headers, method, registry, url } = asking
      asked.push({ registry, method, url, headers, authorization, at: DateTime.unsafeMake(now) })
      const right = Effect.map(Clock.currentTimeMillis, (at) => withoutBody(asking, respond(asking, at)))
      const fault = nextFault(asking)
      return yield* fault === undefined ? right : afterFault(fault, asking, right)
    })

  const service = TestRegistry.of({
    requests: Effect.sync(() => [...asked]),
    find: (image) => Effect.sync(() => content.manifest(image.name, referenceOf(image))),
    addImage: (image, { config, layers }) =>
      Effect.sync(() => {
        const manifest = imageManifest(config, layers)
        for (const body of [config, ...layers]) content.storeBlob(image.name, body)
        content.storeManifest(image.name, referenceOf(image), manifest)
        return Descriptor.fromBytes(manifest)
      }),
    fault: (fault) => Effect.sync(() => void faults.push({ fault, left: fault.times ?? Number.POSITIVE_INFINITY })),
    revokeTokens: Effect.sync(access.revokeTokens)
  })
  return { request, service }
}

/**
 * Every registry host in memory, in the network's place: what is pushed to one host is found there and nowhere else.
 *
 * @example
 * ```ts
 * import { TestRegistry } from "gantry/testing"
 *
 * const registry = TestRegistry.layer({ authentication: { type: "open" } })
 * ```
 *
 * @since 0.1.0
 * @category layers
 */
export const layer = (
  options: { readonly authentication?: TestAuthentication | undefined } = {}
): Layer.Layer<TestRegistry | RegistryHttp> =>
  Layer.effectContext(
    Effect.sync(() => {
      const { request, service } = makeRegistry(options.authentication ?? { type: "open" })
      return Context.make(TestRegistry, service).pipe(Context.add(RegistryHttp, { request }))
    })
  )
