/**
 * Why a credential could not be read. No error here carries a secret's value.
 *
 * @since 0.1.0
 */
import * as Schema from "effect/Schema"

/**
 * A secret that a registry refers to does not exist in the `SecretStore`.
 *
 * @since 0.1.0
 * @category errors
 */
export class SecretNotFound extends Schema.TaggedError<SecretNotFound>("gantry/CredentialError/SecretNotFound")(
  "SecretNotFound",
  {
    secret: Schema.String,
    registry: Schema.optional(Schema.String),
    store: Schema.String
  }
) {
  get isRetryable(): boolean {
    return false
  }
  get advice(): string {
    return "Create it there, or correct the registry's `secret`."
  }
  override get message(): string {
    const whose = this.registry === undefined ? "" : ` for registry ${this.registry}`
    return `The secret "${this.secret}"${whose} does not exist in ${this.store}. ${this.advice}`
  }
}

/**
 * A secret exists but lacks a field, or a field has the wrong form. Without `field`, it is the secret as a whole.
 *
 * @since 0.1.0
 * @category errors
 */
export class SecretInvalid extends Schema.TaggedError<SecretInvalid>("gantry/CredentialError/SecretInvalid")(
  "SecretInvalid",
  {
    secret: Schema.String,
    registry: Schema.optional(Schema.String),
    field: Schema.optional(Schema.String),
    expected: Schema.String
  }
) {
  get isRetryable(): boolean {
    return false
  }
  get advice(): string {
    return "Correct it where it is kept, or give the registry another `secret`."
  }
  override get message(): string {
    const whose = this.registry === undefined ? "" : ` for registry ${this.registry}`
    const what = this.field === undefined ? "it" : `field "${this.field}"`
    return `The secret "${this.secret}"${whose} can not be used: ${what} must be ${this.expected}. ${this.advice}`
  }
}

const byHand = (error: { readonly helper: string; readonly host: string }): string =>
  `run \`echo ${error.host} | ${error.helper} get\` by hand, where nobody sees the secret it may print`

const helperAdvice: Record<CredentialHelperError["reason"], (error: CredentialHelperError) => string> = {
  "invalid-name": () => "Correct its name where it stands: in `credHelpers` or `credsStore` of Docker's config.json.",
  missing: ({ helper }) =>
    `Install ${helper} on the PATH, or take its name out of \`credHelpers\` and \`credsStore\` of Docker's config.json.`,
  failed: (error) => `To see why, ${byHand(error)}.`,
  timeout: () => "Unlock its store if it waits for that, and try again.",
  "output-too-large": ({ helper }) => `Check that ${helper} is a credential helper.`,
  "malformed-answer": (error) => `Update the helper; to see what it says, ${byHand(error)}.`
}

/**
 * A `docker-credential-*` program could not be asked, or did not answer as the protocol says.
 *
 * @since 0.1.0
 * @category errors
 */
export class CredentialHelperError extends Schema.TaggedError<CredentialHelperError>(
  "gantry/CredentialError/CredentialHelperError"
)("CredentialHelperError", {
  helper: Schema.String,
  host: Schema.String,
  reason: Schema.Literal("invalid-name", "missing", "failed", "timeout", "output-too-large", "malformed-answer"),
  detail: Schema.String
}) {
  get isRetryable(): boolean {
    return this.reason === "timeout"
  }
  get advice(): string {
    return helperAdvice[this.reason](this)
  }
  override get message(): string {
    return `The credential helper ${this.helper} gave no credential for ${this.host}: ${this.detail} ${this.advice}`
  }
}

/**
 * A file that holds credentials (Docker's `config.json`, podman's `auth.json`) can not be read.
 *
 * `position` is the offset in characters at which a malformed file stops being JSON.
 *
 * @since 0.1.0
 * @category errors
 */
export class DockerConfigError extends Schema.TaggedError<DockerConfigError>(
  "gantry/CredentialError/DockerConfigError"
)("DockerConfigError", {
  path: Schema.String,
  reason: Schema.Literal("unreadable", "malformed", "invalid-entry"),
  position: Schema.optional(Schema.Number),
  detail: Schema.String
}) {
  get isRetryable(): boolean {
    return false
  }
  get advice(): string {
    return dockerConfigAdvice[this.reason]
  }
  override get message(): string {
    const where = this.position === undefined ? this.path : `${this.path} (at character ${this.position})`
    return `${where} can not be used: ${this.detail}. ${this.advice}`
  }
}

const dockerConfigAdvice: Record<DockerConfigError["reason"], string> = {
  unreadable: "Let this user read the file, or name another folder with DOCKER_CONFIG.",
  malformed: "Repair the JSON there, or move the file away and log in again; gantry never rewrites it.",
  "invalid-entry": "Log in to that registry again (docker login), or give the credential explicitly."
}

/**
 * A credential was given to a registry on another host. It is not sent: a credential goes only where it was issued for.
 *
 * @since 0.1.0
 * @category errors
 */
export class CredentialHostMismatch extends Schema.TaggedError<CredentialHostMismatch>(
  "gantry/CredentialError/CredentialHostMismatch"
)("CredentialHostMismatch", { host: Schema.String, registry: Schema.String }) {
  get isRetryable(): boolean {
    return false
  }
  get advice(): string {
    return `Give ${this.registry} a credential of its own.`
  }
  override get message(): string {
    return `The credential given for ${this.registry} is for ${this.host}, so it was not sent. ${this.advice}`
  }
}

/**
 * @since 0.1.0
 * @category errors
 */
export type CredentialError =
  | SecretNotFound
  | SecretInvalid
  | CredentialHelperError
  | DockerConfigError
  | CredentialHostMismatch
