/**
 * Every error of gantry in each of its ways, as a user meets it. Typed by the public modules: an error class without a
 * sample does not compile, and neither does a reason without one.
 */
import * as Duration from "effect/Duration"
import * as Record from "effect/Record"
import * as GantryFileError from "../../../src/config/GantryFileError.ts"
import * as Interpolation from "../../../src/config/Interpolation.ts"
import * as ConnectorError from "../../../src/connector/ConnectorError.ts"
import * as CredentialError from "../../../src/credential/CredentialError.ts"
import * as Challenge from "../../../src/distribution/Challenge.ts"
import * as RegistryError from "../../../src/distribution/RegistryError.ts"
import * as EngineError from "../../../src/engine/EngineError.ts"
import * as ServiceConnectorRequirements from "../../../src/flavor/ServiceConnectorRequirements.ts"
import type * as gantry from "../../../src/index.ts"
import * as PushError from "../../../src/push/PushError.ts"
import * as PushTarget from "../../../src/push/PushTarget.ts"
import * as Digest from "../../../src/reference/Digest.ts"
import * as ImageReference from "../../../src/reference/ImageReference.ts"
import * as RegistryUri from "../../../src/reference/RegistryUri.ts"
import * as Batch from "../../../src/runtime/Batch.ts"
import * as PushSupervisor from "../../../src/runtime/PushSupervisor.ts"
import * as Transcript from "../../../src/transcript/Transcript.ts"
import * as Samples from "./samples.ts"

/** What every error of gantry has. */
export interface GantryError {
  readonly _tag: string
  readonly message: string
  readonly advice: string
  readonly isRetryable: boolean
}

type TagOf<Export> = Export extends abstract new (
  ...args: never
) => infer Instance
  ? Instance extends Error & { readonly _tag: infer Tag extends string }
    ? Tag
    : never
  : never

type TagsOf<Module> = { readonly [Name in keyof Module]: TagOf<Module[Name]> }[keyof Module]

/** The tags of all errors that gantry exports. */
type Tag = { readonly [Name in keyof typeof gantry]: TagsOf<(typeof gantry)[Name]> }[keyof typeof gantry]

type SomeErrors = readonly [GantryError, ...ReadonlyArray<GantryError>]

/** A sample for each reason: the record must have them all. */
const each = <Reason extends string>(
  samples: Readonly<Record<Reason, (reason: Reason) => GantryError>>
): SomeErrors => {
  const made: Readonly<Record<string, GantryError>> = Record.map(samples, (make, reason) => make(reason))
  const [first, ...others] = Object.values(made)
  if (first === undefined) throw new Error("an error with reasons has at least one")
  return [first, ...others]
}

const image = "reg.example.com/team/app:1"
const at = { registry: "reg.example.com", repository: "team/app" }
const engine = { endpoint: "unix:///var/run/docker.sock", origin: "the default" }
const port = { registry: "localhost:5000" }

const unavailable =
  (text: string, more: { readonly status?: number } = {}) =>
  (reason: RegistryError.UnavailableReason) =>
    new RegistryError.RegistryUnavailable({ ...port, ...more, reason, text })

const noEngine = (detail: string) => (reason: EngineError.EngineUnavailable["reason"]) =>
  new EngineError.EngineUnavailable({ ...engine, reason, detail })

const helper = (detail: string) => (reason: CredentialError.CredentialHelperError["reason"]) =>
  new CredentialError.CredentialHelperError({
    helper: "docker-credential-pass",
    host: "reg.example.com",
    reason,
    detail
  })

const connector = (detail: string) => (reason: ConnectorError.Reason) =>
  new ConnectorError.ConnectorError({ connector: "aws", reason, resource: "eu-west-1", detail })

const conflict = new Batch.ConflictingTargets({
  target: image,
  sources: ["docker://docker.io/library/app:1", "oci:./build/app"]
})

const transcript = { path: "./run.ndjson", line: 1 }

const invalid = { position: 4, expected: "a name in lower case" }

export const samples: Readonly<Record<Tag, SomeErrors>> = {
  InvalidImageReference: [new ImageReference.InvalidImageReference({ ...invalid, input: "reg/App:1" })],
  InvalidRegistryUri: [new RegistryUri.InvalidRegistryUri({ ...invalid, input: "reg.Example.com" })],
  InvalidDigest: [new Digest.InvalidDigest({ input: "sha256:12", position: 9, expected: "64 hexadecimal digits" })],
  RequirementNotMet: each<ServiceConnectorRequirements.RequirementNotMet["reason"]>({
    "connector-type": (reason) =>
      new ServiceConnectorRequirements.RequirementNotMet({ reason, connectorType: "gcp", accepted: ["aws", "docker"] }),
    "resource-type": (reason) =>
      new ServiceConnectorRequirements.RequirementNotMet({
        reason,
        connectorType: "gcp",
        accepted: ["docker-registry"]
      }),
    "resource-id": (reason) =>
      new ServiceConnectorRequirements.RequirementNotMet({ reason, connectorType: "aws", accepted: ["uri"] })
  }),
  SecretNotFound: [
    new CredentialError.SecretNotFound({
      secret: "ghcr",
      registry: "ghcr.io/acme",
      store: "the secrets of the gantry file"
    })
  ],
  SecretInvalid: [
    new CredentialError.SecretInvalid({
      secret: "ghcr",
      registry: "ghcr.io/acme",
      field: "password",
      expected: "a text that is not empty"
    }),
    new CredentialError.SecretInvalid({ secret: "ghcr", expected: "a username and a password" })
  ],
  CredentialHelperError: each<CredentialError.CredentialHelperError["reason"]>({
    "invalid-name": helper("its name may hold letters, digits, dots, dashes and underscores only."),
    missing: helper("it is not on the PATH."),
    failed: helper("it ended with 1."),
    timeout: helper("it did not answer in 10s."),
    "output-too-large": helper("it printed more than 1 MiB."),
    "malformed-answer": helper("its answer is not the JSON object with Username and Secret that it should be.")
  }),
  DockerConfigError: each<CredentialError.DockerConfigError["reason"]>({
    unreadable: (reason) =>
      new CredentialError.DockerConfigError({
        path: "/home/me/.docker/config.json",
        reason,
        detail: "reading it failed (PermissionDenied)"
      }),
    malformed: (reason) =>
      new CredentialError.DockerConfigError({
        path: "/home/me/.docker/config.json",
        reason,
        position: 17,
        detail: "it is not valid JSON"
      }),
    "invalid-entry": (reason) =>
      new CredentialError.DockerConfigError({
        path: "/home/me/.docker/config.json",
        reason,
        detail: `the entry of reg.example.com has an "auth" that is not base64 of username:password`
      })
  }),
  CredentialHostMismatch: [
    new CredentialError.CredentialHostMismatch({ host: "ghcr.io", registry: "reg.example.com" })
  ],
  ConnectorError: each<ConnectorError.Reason>({
    expired: connector("the session ended at 2026-01-02T03:04:05.000Z"),
    denied: connector("AccessDeniedException: not authorized to perform ecr:GetAuthorizationToken"),
    misconfigured: connector("there is no region"),
    unavailable: connector("TimeoutError: no answer in 10 s"),
    unsupported: connector("it lists no repositories")
  }),
  EngineUnavailable: [
    new EngineError.EngineUnavailable({
      endpoint: "tcp://10.0.0.5:2375",
      origin: "DOCKER_HOST",
      reason: "refused",
      detail: "connect ECONNREFUSED 10.0.0.5:2375"
    }),
    ...each<EngineError.EngineUnavailable["reason"]>({
      "not-found": noEngine("connect ENOENT /var/run/docker.sock"),
      refused: noEngine("connect ECONNREFUSED /var/run/docker.sock"),
      permission: noEngine("connect EACCES /var/run/docker.sock"),
      timeout: noEngine("connect ETIMEDOUT 10.0.0.5:2376"),
      dns: noEngine("getaddrinfo ENOTFOUND docker.example.com"),
      tls: noEngine("self-signed certificate in certificate chain"),
      ssh: noEngine("Host key verification failed"),
      other: noEngine("socket hang up")
    })
  ],
  EngineDisconnected: [
    new EngineError.EngineDisconnected({ ...engine, detail: "the connection closed before it answered" })
  ],
  EngineContextInvalid: [
    new EngineError.EngineContextInvalid({
      origin: "DOCKER_HOST",
      value: "https://10.0.0.5",
      detail: "Write tcp:// instead of https://."
    }),
    new EngineError.EngineContextInvalid({
      origin: "--context",
      value: "",
      detail: 'The context "prod" and an address are given at once. Leave one of them out.'
    })
  ],
  EngineRejected: [new EngineError.EngineRejected({ status: 500, text: "no space left on device" })],
  EngineUnsupported: [
    new EngineError.EngineUnsupported({ feature: "A platform", requiredApi: "1.46", engineApi: "1.41" })
  ],
  RegistryUnauthorized: [
    new RegistryError.RegistryUnauthorized({ ...at, status: 401, text: "authentication required" }),
    new RegistryError.RegistryUnauthorized({ ...port, text: "" })
  ],
  RegistryDenied: [
    new RegistryError.RegistryDenied({ ...at, status: 403, text: "requested access to the resource is denied" })
  ],
  RepositoryNotFound: [
    new RegistryError.RepositoryNotFound({ ...at, status: 404, text: "repository name not known to registry" })
  ],
  TagImmutable: [
    new RegistryError.TagImmutable({ ...at, tag: "1", status: 400, text: "The image tag '1' already exists" })
  ],
  RegistryRateLimited: [
    new RegistryError.RegistryRateLimited({
      ...at,
      status: 429,
      text: "toomanyrequests",
      retryAfter: Duration.seconds(90)
    }),
    new RegistryError.RegistryRateLimited({ ...at, text: "toomanyrequests" })
  ],
  RegistryUnavailable: each<RegistryError.UnavailableReason>({
    refused: unavailable("connect ECONNREFUSED 127.0.0.1:5000"),
    reset: unavailable("read ECONNRESET"),
    timeout: unavailable("localhost:5000 gave no whole answer within 30s"),
    status: unavailable("Service Unavailable", { status: 503 }),
    dns: unavailable("getaddrinfo ENOTFOUND reg.exmaple.com"),
    proxy: unavailable("HTTPS_PROXY is not the URL of an HTTP proxy"),
    certificate: unavailable("self-signed certificate"),
    "plain-http": unavailable("http: server gave HTTP response to HTTPS client"),
    address: unavailable("connect EADDRNOTAVAIL"),
    protocol: unavailable("a web page")
  }),
  ManifestRejected: each<RegistryError.ManifestRejected["reason"]>({
    invalid: (reason) => new RegistryError.ManifestRejected({ ...at, reason, status: 400, text: "manifest invalid" }),
    "blob-unknown": (reason) =>
      new RegistryError.ManifestRejected({ ...at, reason, status: 404, text: "blob unknown to registry" }),
    "too-large": (reason) => new RegistryError.ManifestRejected({ ...at, reason, status: 413, text: "" }),
    "tag-invalid": (reason) =>
      new RegistryError.ManifestRejected({ ...at, reason, status: 400, text: "manifest tag did not match URI" })
  }),
  DigestMismatch: [new RegistryError.DigestMismatch({ ...at, expected: Samples.digest, actual: Samples.otherDigest })],
  RegistryRejected: [new RegistryError.RegistryRejected({ ...at, status: 418, text: "I am a teapot" })],
  InvalidChallenge: [new Challenge.InvalidChallenge({ position: 7, expected: "a comma" })],
  ImageUriMismatch: [new PushError.ImageUriMismatch({ image, registryUri: "ghcr.io/acme" })],
  NoMatchingRegistry: [
    new PushError.NoMatchingRegistry({ image, registries: ["ghcr.io/acme", "localhost:5000"] }),
    new PushError.NoMatchingRegistry({ image, registries: [] })
  ],
  UnsupportedSource: [new PushError.UnsupportedSource({ source: "oci:./build/app", transport: "engine" })],
  ImageNotFound: [
    new PushError.ImageNotFound({ image: "ap:1", where: "the engine at unix:///var/run/docker.sock" }),
    new PushError.ImageNotFound({
      image: "ap:1",
      where: "the engine at unix:///var/run/docker.sock",
      hint: "Did you mean app:1 or app:2? If not, build or pull it first."
    })
  ],
  DigestMissing: [new PushError.DigestMissing({ image, detail: "the registry did not answer" })],
  PushStalled: each<PushError.PushStalled["transport"]>({
    engine: (transport) => new PushError.PushStalled({ image, transport, quietFor: Duration.minutes(5) }),
    direct: (transport) => new PushError.PushStalled({ image, transport, quietFor: Duration.minutes(5) })
  }),
  PrepareRejected: [new PushError.PrepareRejected({ image, detail: "its name has no team in it" })],
  TagExists: each<PushError.TagExists["reason"]>({
    protected: (reason) => new PushError.TagExists({ image, digest: Samples.otherDigest, reason }),
    "on-existing": (reason) => new PushError.TagExists({ image, digest: Samples.otherDigest, reason })
  }),
  PushInterrupted: each<PushError.PushInterrupted["reason"]>({
    requested: (reason) => new PushError.PushInterrupted({ image, reason }),
    shutdown: (reason) => new PushError.PushInterrupted({ image, reason }),
    "fail-fast": (reason) => new PushError.PushInterrupted({ image, reason })
  }),
  InvalidTarget: each<Batch.InvalidTarget["reason"]>({
    "no-target": (reason) => new Batch.InvalidTarget({ source: "oci:./build/app", reason }),
    "tag-twice": (reason) =>
      new Batch.InvalidTarget({ source: "docker://docker.io/library/app:1", target: image, reason }),
    "no-tag": (reason) =>
      new Batch.InvalidTarget({ source: "oci:./build/app#team/app", target: "reg.example.com/team/app", reason })
  }),
  ConflictingTargets: [conflict],
  NothingSelected: [
    new Batch.NothingSelected({ patterns: ["prod/*"], total: 12 }),
    new Batch.NothingSelected({ patterns: ["ap", "!*"], total: 1 })
  ],
  BatchInvalid: [
    new Batch.BatchInvalid({ problems: [conflict, new PushError.NoMatchingRegistry({ image, registries: [] })] })
  ],
  TranscriptInvalid: each<Transcript.TranscriptInvalid["reason"]>({
    unreadable: (reason) =>
      new Transcript.TranscriptInvalid({ ...transcript, line: 0, reason, detail: "no such file or directory" }),
    "not-a-transcript": (reason) =>
      new Transcript.TranscriptInvalid({ ...transcript, reason, detail: "its first line is not a transcript's" }),
    version: (reason) =>
      new Transcript.TranscriptInvalid({
        ...transcript,
        reason,
        detail: "it is of version 2, and this gantry plays 1"
      }),
    entry: (reason) =>
      new Transcript.TranscriptInvalid({
        ...transcript,
        line: 12,
        reason,
        detail: "this line is not one of a transcript"
      })
  }),
  TranscriptDiverged: [
    new Transcript.TranscriptDiverged({
      path: transcript.path,
      party: "engine",
      request: `pushImage ${image}`,
      recorded: 0,
      known: ["ping", `pushImage ${image}0`]
    }),
    new Transcript.TranscriptDiverged({
      path: transcript.path,
      party: "registry",
      request: "GET https://reg.example.com/v2/",
      recorded: 1,
      known: ["GET https://reg.example.com/v2/"]
    })
  ],
  SupervisorClosed: [new PushSupervisor.SupervisorClosed()],
  InvalidInterpolation: [new Interpolation.InvalidInterpolation({ position: 6, expected: "a closing }" })],
  VariablesUnset: [
    new Interpolation.VariablesUnset({ variables: [{ name: "VERSION", advice: "the release" }, { name: "TEAM" }] })
  ],
  RegistryNotInFile: [
    new PushTarget.RegistryNotInFile({ name: "prdo", known: ["local", "prod"] }),
    new PushTarget.RegistryNotInFile({ name: "prdo", known: [] })
  ],
  GantryFileInvalid: [
    new GantryFileError.GantryFileInvalid({
      path: "gantry.yaml",
      problems: [
        { line: 3, column: 5, path: "registries.prod.url", message: "unknown key; did you mean uri?" },
        { line: 9, column: 1, path: "", message: "this key is here twice; remove one of them" }
      ]
    })
  ],
  GantryFileNotFound: [new GantryFileError.GantryFileNotFound({ path: "./deploy/gantry.yaml" })],
  GantryFileUnreadable: [new GantryFileError.GantryFileUnreadable({ path: "./deploy", detail: "it is a folder" })]
}
