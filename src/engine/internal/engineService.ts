import { Readable } from "node:stream"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import { type Credential, redactFrom } from "../../credential/Credential.ts"
import type { ImageReference } from "../../reference/ImageReference.ts"
import type { PushOptions, Service } from "../DockerEngine.ts"
import { type EngineError, EngineRejected, EngineUnsupported } from "../EngineError.ts"
import type { EngineAddress, EngineEvent } from "../EngineStream.ts"
import type { EngineClient } from "./dockerClient.ts"
import * as EngineAnswer from "./engineAnswer.ts"
import * as Answers from "./engineAnswers.ts"
import { clientError } from "./engineFailure.ts"
import { ask, bytesOf, type EngineRequest, exchange, open } from "./engineRequest.ts"
import { registryAuth } from "./registryAuth.ts"
import { type Clean, scrub } from "./scrub.ts"

/** The tag is always explicit: without one Docker pushes and pulls all tags of the repository. */
const tagOf = (image: ImageReference): string => Option.getOrElse(image.tag, () => "latest")

/**
 * A name as one path segment. Slashes and colons are encoded, so that no name makes Docker answer with a redirect, which
 * docker-modem follows into an uncaught error: reference/engine.md fact 16.
 */
const segment = (name: { toString(): string }): string => encodeURIComponent(name.toString())

const platformJson = (platform: string): string => {
  const [os, architecture, variant] = platform.split("/")
  return JSON.stringify({ os, architecture, variant })
}

const PUSH_PLATFORM_API = "1.46"

const isOlder = (version: string, than: string): boolean => {
  const [major = 0, minor = 0] = version.split(".").map(Number)
  const [thanMajor = 0, thanMinor = 0] = than.split(".").map(Number)
  return major < thanMajor || (major === thanMajor && minor < thanMinor)
}

const loadedImage = /^Loaded image(?:\(s\)| ID)?: (.+)$/

/** The names in `Loaded image: NAME` (Podman may list several) or the id in `Loaded image ID: ID`. */
const loadedNames = (event: EngineEvent): ReadonlyArray<string> =>
  event._tag === "Status" ? (loadedImage.exec(event.text)?.[1]?.split(",") ?? []) : []

/**
 * A registry's refusal may repeat what it was told, and the engine repeats the refusal. The secret goes first: one that
 * has lost its end to `scrub` is not recognised.
 */
const without =
  (credential: Option.Option<Credential>): Clean =>
  (text) =>
    scrub(redactFrom(text, credential))

/** The service over a client, which stays its owner's. */
export const make = ({ dockerode, modem }: EngineClient, address: EngineAddress): Service => {
  const line = { modem, address }

  const json = <A, B>(
    request: EngineRequest,
    answer: { readonly schema: Schema.Schema<A, string>; readonly read: (value: A) => B }
  ): Effect.Effect<B, EngineError> =>
    Effect.flatMap(ask(line, request), ({ text }) =>
      Effect.mapBoth(Schema.decode(answer.schema)(text), {
        onSuccess: answer.read,
        // A parser's message may hold a part of a secret, which nothing recognises.
        onFailure: ({ message }) =>
          EngineAnswer.notAnEngine(request.clean === undefined ? scrub(message) : request.clean(text))
      })
    )

  const bytes = (request: EngineRequest) => Effect.map(open(line, request), (response) => bytesOf(response, address))

  /** The events of an answer, of which `missing` tells whether its end is a good one. */
  const events = (
    request: Effect.Effect<EngineRequest, EngineError>,
    missing: EngineAnswer.Missing,
    clean: Clean
  ): Stream.Stream<EngineEvent, EngineError> =>
    Effect.flatMap(request, bytes).pipe(
      Effect.map((bytes) => Stream.repeatEffectChunkOption(EngineAnswer.events(bytes, address, missing, clean))),
      Stream.unwrapScoped
    )

  const carrying = (image: ImageReference, credential: Option.Option<Credential>) => ({
    registryAuth: registryAuth(image.registry, credential),
    clean: without(credential)
  })

  const ping: Service["ping"] = Effect.flatMap(ask(line, { method: "GET", path: "/_ping" }), ({ headers }) => {
    const apiVersion = headers["api-version"]
    return typeof apiVersion === "string"
      ? Effect.succeed({ apiVersion })
      : new EngineRejected({ status: 200, text: "its answer to a ping names no API version: it is no engine" })
  })

  const requirePushPlatform = Effect.flatMap(ping, ({ apiVersion }) =>
    isOlder(apiVersion, PUSH_PLATFORM_API)
      ? Effect.fail(
          new EngineUnsupported({
            feature: "Pushing one platform of an image",
            requiredApi: PUSH_PLATFORM_API,
            engineApi: apiVersion
          })
        )
      : Effect.void
  )

  const inspectImage: Service["inspectImage"] = Effect.fn("DockerEngine.inspectImage")((image) =>
    json({ method: "GET", path: `/images/${segment(image)}/json` }, Answers.image)
  )

  const pushRequest = (
    image: ImageReference,
    credential: Option.Option<Credential>,
    { platform, tlsVerify }: PushOptions = {}
  ): Effect.Effect<EngineRequest, EngineError> => {
    const request: EngineRequest = {
      method: "POST",
      // A digest goes with the name, for the engine to refuse: the tag alone would push something else.
      path: `/images/${segment(Option.isSome(image.digest) ? `${image.name}@${image.digest.value}` : image.name)}/push`,
      query: {
        tag: tagOf(image),
        ...(platform === undefined ? {} : { platform: platformJson(platform) }),
        ...(tlsVerify === false ? { tlsVerify: "false" } : {})
      },
      ...carrying(image, credential)
    }
    return platform === undefined ? Effect.succeed(request) : Effect.as(requirePushPlatform, request)
  }

  return {
    ...address,
    ping: Effect.withSpan(ping, "DockerEngine.ping"),
    version: Effect.withSpan(json({ method: "GET", path: "/version" }, Answers.version), "DockerEngine.version"),
    info: Effect.withSpan(json({ method: "GET", path: "/info" }, Answers.info), "DockerEngine.info"),
    imageNames: Effect.withSpan(
      json({ method: "GET", path: "/images/json" }, Answers.imageNames),
      "DockerEngine.imageNames"
    ),
    inspectImage,
    tagImage: Effect.fn("DockerEngine.tagImage")((source, target) =>
      Effect.asVoid(
        ask(line, {
          method: "POST",
          path: `/images/${segment(source)}/tag`,
          query: { repo: target.name, tag: tagOf(target) }
        })
      )
    ),
    untagImage: Effect.fn("DockerEngine.untagImage")(function* (image) {
      // Docker deletes the image itself with its last name: https://github.com/moby/moby/blob/v28.5.2/daemon/images/image_delete.go
      const { repoTags } = yield* inspectImage(image)
      if (repoTags.length <= 1) return "kept"
      yield* ask(line, { method: "DELETE", path: `/images/${segment(image)}`, query: { noprune: "true" } })
      return "untagged"
    }),
    pushImage: (image, credential, options) =>
      Stream.withSpan(
        events(pushRequest(image, credential, options), EngineAnswer.resultOf(address), without(credential)),
        "DockerEngine.pushImage"
      ),
    runPush: Effect.fn("DockerEngine.runPush")((image, credential, onEvent, options) =>
      Effect.flatMap(pushRequest(image, credential, options), (request) =>
        exchange(line, request, () =>
          EngineAnswer.tellTo(onEvent, address, EngineAnswer.resultOf(address), without(credential))
        )
      )
    ),
    pullImage: (image, credential, options) => {
      const request: EngineRequest = {
        method: "POST",
        path: "/images/create",
        query: {
          fromImage: image.name,
          tag: Option.match(image.digest, { onNone: () => tagOf(image), onSome: String }),
          ...(options?.platform === undefined ? {} : { platform: options.platform })
        },
        ...carrying(image, credential)
      }
      return Stream.withSpan(
        events(Effect.succeed(request), EngineAnswer.anyEnd, without(credential)),
        "DockerEngine.pullImage"
      )
    },
    inspectDistribution: Effect.fn("DockerEngine.inspectDistribution")((image, credential) =>
      json(
        { method: "GET", path: `/distribution/${segment(image)}/json`, ...carrying(image, credential) },
        Answers.distribution
      )
    ),
    saveImages: (images) =>
      bytes({ method: "GET", path: "/images/get", query: { names: images.map(String) } }).pipe(
        Effect.map(Stream.repeatEffectOption),
        Stream.unwrapScoped,
        Stream.withSpan("DockerEngine.saveImages")
      ),
    loadImages: <E>(archive: Stream.Stream<Uint8Array, E>) =>
      Effect.gen(function* () {
        const runtime = yield* Effect.runtime<never>()
        // The request only learns that its body broke; what broke it is kept here.
        let broken: Option.Option<E> = Option.none()
        const watched = Stream.tapError(archive, (error) =>
          Effect.sync(() => {
            broken = Option.some(error)
          })
        )
        const file = yield* Effect.acquireRelease(
          Effect.sync(() => Readable.from(Stream.toAsyncIterableRuntime(watched, runtime), { objectMode: false })),
          (readable) => Effect.sync(() => readable.destroy())
        )
        const request: EngineRequest = { method: "POST", path: "/images/load", query: { quiet: "true" }, body: file }
        const loading = events(Effect.succeed(request), EngineAnswer.anyEnd, scrub)
        return yield* Stream.runFold(loading, [] as ReadonlyArray<string>, (names, event) => [
          ...names,
          ...loadedNames(event)
        ]).pipe(
          Effect.catchAll(
            (error): Effect.Effect<never, E | EngineError> => Effect.fail(Option.getOrElse(broken, () => error))
          )
        )
      }).pipe(Effect.scoped, Effect.withSpan("DockerEngine.loadImages")),
    use: (run) =>
      Effect.flatMap(dockerode, (client) =>
        Effect.tryPromise({ try: (signal) => run(client, signal), catch: (error) => ({ error }) })
      ).pipe(
        Effect.catchAll(({ error }) => {
          const failure = clientError(error, address)
          return failure === undefined ? Effect.die(error) : Effect.fail(failure)
        }),
        Effect.withSpan("DockerEngine.use")
      )
  }
}
