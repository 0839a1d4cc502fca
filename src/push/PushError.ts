/**
 * Why a push did not happen: one tag for each thing a caller would treat differently.
 *
 * @since 0.1.0
 */
import * as Duration from "effect/Duration"
import * as Predicate from "effect/Predicate"
import * as Schema from "effect/Schema"
import { ConnectorError } from "../connector/ConnectorError.ts"
import {
  CredentialHelperError,
  CredentialHostMismatch,
  DockerConfigError,
  SecretInvalid,
  SecretNotFound
} from "../credential/CredentialError.ts"
import { RegistryError } from "../distribution/RegistryError.ts"
import { EngineError } from "../engine/EngineError.ts"
import { InvalidImageReference } from "../reference/ImageReference.ts"

/**
 * The image's name does not lie in the registry it was to be pushed with. Nothing was sent.
 *
 * @since 0.1.0
 * @category errors
 */
export class ImageUriMismatch extends Schema.TaggedError<ImageUriMismatch>("gantry/PushError/ImageUriMismatch")(
  "ImageUriMismatch",
  { image: Schema.String, registryUri: Schema.String }
) {
  get isRetryable(): boolean {
    return false
  }
  get advice(): string {
    return `Name the image ${this.registryUri}/…, or push it with the registry it belongs to.`
  }
  override get message(): string {
    return `The image ${this.image} does not belong to the registry ${this.registryUri}. ${this.advice}`
  }
}

/**
 * No registry of the catalog owns the image.
 *
 * @since 0.1.0
 * @category errors
 */
export class NoMatchingRegistry extends Schema.TaggedError<NoMatchingRegistry>("gantry/PushError/NoMatchingRegistry")(
  "NoMatchingRegistry",
  { image: Schema.String, registries: Schema.Array(Schema.String) }
) {
  get isRetryable(): boolean {
    return false
  }
  get advice(): string {
    return "Add a registry for it, or correct the name."
  }
  override get message(): string {
    const known = this.registries.length === 0 ? "none is known" : `those known are ${this.registries.join(", ")}`
    return `No registry owns the image ${this.image}: ${known}. ${this.advice}`
  }
}

/**
 * The transport cannot read images from such a source.
 *
 * @since 0.1.0
 * @category errors
 */
export class UnsupportedSource extends Schema.TaggedError<UnsupportedSource>("gantry/PushError/UnsupportedSource")(
  "UnsupportedSource",
  { source: Schema.String, transport: Schema.String }
) {
  get isRetryable(): boolean {
    return false
  }
  get advice(): string {
    return "Load the image into the engine first (docker load) and push it by its name."
  }
  override get message(): string {
    return `The ${this.transport} transport does not push from ${this.source}. ${this.advice}`
  }
}

/**
 * The source holds no such image. `hint` is what to do, when more is known than the name.
 *
 * @since 0.1.0
 * @category errors
 */
export class ImageNotFound extends Schema.TaggedError<ImageNotFound>("gantry/PushError/ImageNotFound")(
  "ImageNotFound",
  { image: Schema.String, where: Schema.String, hint: Schema.optional(Schema.String) }
) {
  get isRetryable(): boolean {
    return false
  }
  get advice(): string {
    return this.hint ?? "Build or pull it first, or correct the name."
  }
  override get message(): string {
    return `There is no image ${this.image} in ${this.where}. ${this.advice}`
  }
}

/**
 * The push went through, and neither the engine nor the registry says which digest it has.
 *
 * @since 0.1.0
 * @category errors
 */
export class DigestMissing extends Schema.TaggedError<DigestMissing>("gantry/PushError/DigestMissing")(
  "DigestMissing",
  { image: Schema.String, detail: Schema.String }
) {
  get isRetryable(): boolean {
    return false
  }
  get advice(): string {
    return `Ask the registry for it, as with \`gantry digest ${this.image}\`: the push itself went through.`
  }
  override get message(): string {
    return `${this.image} was pushed, but its digest could not be learned: ${this.detail}. ${this.advice}`
  }
}

/**
 * No byte moved and no layer finished for as long as `stallTimeout` allows, so the push was given up.
 *
 * @since 0.1.0
 * @category errors
 */
export class PushStalled extends Schema.TaggedError<PushStalled>("gantry/PushError/PushStalled")("PushStalled", {
  image: Schema.String,
  transport: Schema.Literal("engine", "direct"),
  quietFor: Schema.DurationFromMillis
}) {
  /** A stalled upload keeps its slot in the engine, and a new push would join it: reference/engine.md facts 5 to 7. */
  get isRetryable(): boolean {
    return this.transport === "direct"
  }
  get advice(): string {
    return this.transport === "engine"
      ? "Restart the engine, or push to another repository: the engine holds on to the dead upload, and a new push would join it."
      : "Check the registry and the network between, and push again."
  }
  override get message(): string {
    return `The push of ${this.image} made no progress for ${Duration.format(this.quietFor)} and was given up. ${this.advice}`
  }
}

/**
 * A registry's `prepareImagePush` said no, in its own words. Nothing was sent.
 *
 * @since 0.1.0
 * @category errors
 */
export class PrepareRejected extends Schema.TaggedError<PrepareRejected>("gantry/PushError/PrepareRejected")(
  "PrepareRejected",
  { image: Schema.String, detail: Schema.String }
) {
  get isRetryable(): boolean {
    return false
  }
  get advice(): string {
    return "Change what the registry's own check asks for: nothing was sent."
  }
  override get message(): string {
    return `The push of ${this.image} was refused before it began: ${this.detail}. ${this.advice}`
  }
}

const whyNotMoved = {
  protected: {
    rule: "is a protected tag",
    advice: "Push under a new tag; to move this one all the same, take it out of its registry's `protect`."
  },
  "on-existing": {
    rule: "was not to be overwritten",
    advice: "Push under a new tag, or let the push overwrite it (--on-existing overwrite)."
  }
} as const

/**
 * The tag exists with other content (`digest`), and gantry was told not to move it: by its registry's `protect`, or by the
 * push's own `onExisting`. Nothing was sent. What a registry itself forbids is `TagImmutable`.
 *
 * @since 0.1.0
 * @category errors
 */
export class TagExists extends Schema.TaggedError<TagExists>("gantry/PushError/TagExists")("TagExists", {
  image: Schema.String,
  digest: Schema.String,
  reason: Schema.Literal("protected", "on-existing")
}) {
  get isRetryable(): boolean {
    return false
  }
  get advice(): string {
    return whyNotMoved[this.reason].advice
  }
  override get message(): string {
    return `${this.image} exists with other content (${this.digest}) and ${whyNotMoved[this.reason].rule}: nothing was sent. ${this.advice}`
  }
}

/**
 * The push was stopped: on request, because the runtime shut down, or because another push failed and `fail-fast` was on.
 *
 * @since 0.1.0
 * @category errors
 */
export class PushInterrupted extends Schema.TaggedError<PushInterrupted>("gantry/PushError/PushInterrupted")(
  "PushInterrupted",
  { image: Schema.String, reason: Schema.Literal("requested", "shutdown", "fail-fast") }
) {
  get isRetryable(): boolean {
    return false
  }
  get advice(): string {
    return "Push again to resume: what the registry already has is not sent twice."
  }
  override get message(): string {
    return `The push of ${this.image} was stopped (${this.reason}). ${this.advice}`
  }
}

/**
 * Every failure of a push, as a Schema.
 *
 * @since 0.1.0
 * @category schemas
 */
export const PushError = Schema.Union(
  InvalidImageReference,
  ImageUriMismatch,
  NoMatchingRegistry,
  UnsupportedSource,
  ImageNotFound,
  SecretNotFound,
  SecretInvalid,
  CredentialHelperError,
  DockerConfigError,
  CredentialHostMismatch,
  ConnectorError,
  ...EngineError.members,
  ...RegistryError.members,
  DigestMissing,
  PushStalled,
  PrepareRejected,
  TagExists
)

/**
 * @since 0.1.0
 * @category errors
 */
export type PushError = typeof PushError.Type

/**
 * Whether the same push may succeed when it is tried again, unchanged. Total: every member of `PushError` has its say.
 *
 * @since 0.1.0
 * @category predicates
 */
export const isRetryable = (error: PushError): boolean => error.isRetryable

/**
 * @since 0.1.0
 * @category guards
 */
export const isPushError = (u: unknown): u is PushError => Schema.is(PushError)(u)

/**
 * An error as events and reports carry it: its tag, its message, which ends with the advice on what to do next, whether the
 * same command may succeed later, and its own fields.
 *
 * @since 0.1.0
 * @category schemas
 */
export const ErrorReport = Schema.Struct(
  { _tag: Schema.String, message: Schema.String, advice: Schema.String, transient: Schema.Boolean },
  Schema.Record({ key: Schema.String, value: Schema.Unknown })
).annotations({ identifier: "ErrorReport" })

/**
 * @since 0.1.0
 * @category models
 */
export type ErrorReport = typeof ErrorReport.Type

// Where a schema is compiled matters: at the start of a program it costs each run what few of them need.
const Reported = Schema.Union(PushError, PushInterrupted)

/**
 * The report of an error. Its fields are already scrubbed: no error holds a secret or a URL's query.
 *
 * @since 0.1.0
 * @category conversions
 */
export const report = (error: PushError | PushInterrupted): ErrorReport => {
  const fields = Object.entries(Schema.encodeSync(Reported)(error)).filter(([, value]) => !Predicate.isUndefined(value))
  const { advice, isRetryable: transient, message } = error
  return { ...Object.fromEntries(fields), _tag: error._tag, message, advice, transient }
}
