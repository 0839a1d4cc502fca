import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Predicate from "effect/Predicate"
import * as Record from "effect/Record"
import * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import { type Credential, echoes } from "../../credential/Credential.ts"
import * as Digest from "../../reference/Digest.ts"
import type { ImageReference } from "../../reference/ImageReference.ts"
import { type Codec, codec, type Exchange, isOwnWord, nothing, type Tape } from "../../transcript/Transcript.ts"
import type { PlatformOptions, PushOptions, Service } from "../DockerEngine.ts"
import { EngineError, EngineUnavailable } from "../EngineError.ts"
import type { EngineAddress, EngineEvent, LayerPhase } from "../EngineStream.ts"
import { registryAuth } from "./registryAuth.ts"
import { withoutUrlSecrets } from "./scrub.ts"

const Pinged = Schema.Struct({ apiVersion: Schema.String })

const Version = Schema.Struct({
  version: Schema.String,
  apiVersion: Schema.String,
  os: Schema.String,
  architecture: Schema.String
})

const Info = Schema.Struct({
  imageStore: Schema.Literal("classic", "containerd", "podman"),
  insecureRegistries: Schema.Array(Schema.String),
  insecureNetworks: Schema.Array(Schema.String),
  httpProxy: Schema.String,
  httpsProxy: Schema.String,
  noProxy: Schema.String
})

const Image = Schema.Struct({
  id: Schema.String,
  repoTags: Schema.Array(Schema.String),
  repoDigests: Schema.Array(Schema.String),
  layers: Schema.Array(Schema.String),
  os: Schema.String,
  architecture: Schema.String
})

const Distribution = Schema.Struct({
  mediaType: Schema.String,
  digest: Digest.FromString,
  size: Schema.Number,
  platforms: Schema.Array(Schema.String)
})

const Address = Schema.Struct({ endpoint: Schema.String, origin: Schema.String })

/** `undefined` is no JSON: the key is left out. */
const known = <A, I>(schema: Schema.Schema<A, I>) =>
  Schema.optionalToRequired(schema, Schema.UndefinedOr(Schema.typeSchema(schema)), {
    decode: Option.getOrUndefined,
    encode: Option.fromNullable
  })

const phases: { readonly [Phase in LayerPhase]: Phase } = {
  preparing: "preparing",
  waiting: "waiting",
  pushing: "pushing",
  pushed: "pushed",
  exists: "exists",
  mounted: "mounted",
  retrying: "retrying",
  pulling: "pulling",
  downloading: "downloading",
  verifying: "verifying",
  downloaded: "downloaded",
  extracting: "extracting",
  pulled: "pulled",
  loading: "loading",
  unknown: "unknown"
}

const pushed = { tag: Schema.String, digest: Digest.FromString, size: Schema.Number }

/** What an engine says, as JSON. */
export const Event = Schema.Union(
  Schema.TaggedStruct("LayerStatus", {
    layer: Schema.String,
    phase: Schema.Enums(phases),
    status: Schema.String,
    current: known(Schema.Number),
    total: known(Schema.Number),
    mountedFrom: known(Schema.String),
    retryAfterSeconds: known(Schema.Number)
  }),
  Schema.TaggedStruct("PushResult", pushed),
  Schema.TaggedStruct("PushAux", pushed),
  Schema.TaggedStruct("ManifestPushedInsteadOfIndex", {
    originalIndex: Digest.FromString,
    selectedManifest: Digest.FromString
  }),
  Schema.TaggedStruct("PullResult", { digest: Digest.FromString }),
  Schema.TaggedStruct("Status", { text: Schema.String })
)

/** An engine's words are free of URLs' secrets; those of somebody's own engine may not be. */
const ofWords = <A, I extends { readonly [name: string]: string | number | undefined }>(
  schema: Schema.Schema<A, I>
): Codec<A> => {
  const encode = Schema.encodeSync(schema)
  return {
    ...codec(schema),
    encode: (value, _, scrub) => {
      const fields: { readonly [name: string]: string | number | undefined } = encode(value)
      return Record.map(fields, (field, name) =>
        Predicate.isString(field) && !isOwnWord(name) ? withoutUrlSecrets(scrub(field)) : field
      )
    }
  }
}

const event: Codec<EngineEvent> = ofWords(Event)
const error: Codec<EngineError> = ofWords(EngineError)

const common = { party: "engine", error, secretsOf: () => [] } as const

/** A question whose answer comes at once. */
const asking = <A>(
  request: string,
  answer: Codec<A>,
  secrets: ReadonlyArray<string> = []
): Exchange<A, EngineError, never> => ({
  ...common,
  request: (scrub) => scrub(request),
  secrets,
  answer,
  piece: { encode: (said) => said, decode: Schema.decodeUnknownEither(Schema.Never) }
})

const withOptions = (words: string, { platform, tlsVerify }: PushOptions = {}): string =>
  [words, ...(platform === undefined ? [] : [platform]), ...(tlsVerify === false ? ["without verification"] : [])].join(
    " "
  )

/** The forms in which a credential goes to the engine, and on to its registry. */
const secretsOf = (image: ImageReference, credential: Option.Option<Credential>): ReadonlyArray<string> =>
  Option.isNone(credential) ? [] : [Redacted.value(registryAuth(image.registry, credential)), ...echoes(credential)]

/** A push or a pull: what the engine says until it ends. */
const transfer = (
  method: "pushImage" | "pullImage",
  image: ImageReference,
  credential: Option.Option<Credential>,
  options?: PushOptions | PlatformOptions
): Exchange<void, EngineError, EngineEvent> => ({
  ...common,
  request: (scrub) => scrub(withOptions(`${method} ${image}`, options)),
  secrets: secretsOf(image, credential),
  answer: nothing,
  piece: event
})

const pinged = codec(Pinged)
const version = codec(Version)
const info = codec(Info)
const image = codec(Image)
const untagged = codec(Schema.Literal("untagged", "kept"))
const distribution = codec(Distribution)
const names = codec(Schema.Array(Schema.String))

const ignore = () => {}

/** A push asks it only while another one is in flight: EngineTransport. */
const unknownInfo = ({ endpoint, origin }: EngineAddress) =>
  new EngineUnavailable({ endpoint, origin, reason: "other", detail: "the recorded run did not ask what it is" })

/** An engine behind a tape. Archives and what is done with the dockerode client itself are not on it. */
const through = (tape: Tape, engine: Service): Service => {
  const ask = <A>(exchange: Exchange<A, EngineError, never>, answer: Effect.Effect<A, EngineError>) =>
    tape.exchange(exchange, () => answer, ignore)
  return {
    endpoint: engine.endpoint,
    origin: engine.origin,
    ping: ask(asking("ping", pinged), engine.ping),
    version: ask(asking("version", version), engine.version),
    info: ask({ ...asking("info", info), unrecorded: unknownInfo(engine) }, engine.info),
    imageNames: ask(asking("imageNames", names), engine.imageNames),
    inspectImage: (name) => ask(asking(`inspectImage ${name}`, image), engine.inspectImage(name)),
    tagImage: (source, target) => ask(asking(`tagImage ${source} ${target}`, nothing), engine.tagImage(source, target)),
    untagImage: (name) => ask(asking(`untagImage ${name}`, untagged), engine.untagImage(name)),
    pushImage: (name, credential, options) =>
      tape.stream(transfer("pushImage", name, credential, options), engine.pushImage(name, credential, options)),
    runPush: (name, credential, onEvent, options) =>
      tape.exchange(
        transfer("pushImage", name, credential, options),
        (hear) => engine.runPush(name, credential, hear, options),
        onEvent
      ),
    pullImage: (name, credential, options) =>
      tape.stream(transfer("pullImage", name, credential, options), engine.pullImage(name, credential, options)),
    inspectDistribution: (name, credential) =>
      ask(
        asking(`inspectDistribution ${name}`, distribution, secretsOf(name, credential)),
        engine.inspectDistribution(name, credential)
      ),
    saveImages: engine.saveImages,
    loadImages: engine.loadImages,
    use: engine.use
  }
}

const address = asking("address", codec(Address))

/** The engine, whose answers are written down. */
export const record = (tape: Tape, engine: Service): Effect.Effect<Service> => {
  const { endpoint, origin } = engine
  return Effect.as(tape.fact(address, { endpoint, origin }), through(tape, engine))
}

const notRecorded = (what: string) =>
  Effect.dieMessage(`A transcript has no ${what}, so a replay can not play it: give this test a TestEngine.`)

const nowhere: EngineAddress = { endpoint: "", origin: "" }

/** What stands behind a tape that answers everything itself. */
const absent = (at: EngineAddress): Service => ({
  ...at,
  ping: Effect.never,
  version: Effect.never,
  info: Effect.never,
  imageNames: Effect.never,
  inspectImage: () => Effect.never,
  tagImage: () => Effect.never,
  untagImage: () => Effect.never,
  pushImage: () => Stream.never,
  runPush: () => Effect.never,
  pullImage: () => Stream.never,
  inspectDistribution: () => Effect.never,
  saveImages: () => Stream.fromEffect(notRecorded("archives of images")),
  loadImages: () => notRecorded("archives of images"),
  use: () => notRecorded("calls of the dockerode client itself")
})

/** The engine that a transcript tells of. */
export const replay = (tape: Tape): Effect.Effect<Service> =>
  Effect.map(tape.fact(address, nowhere), (at) => through(tape, absent(at)))
