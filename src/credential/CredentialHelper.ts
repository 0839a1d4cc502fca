/**
 * The programs `docker-credential-*`, which hold credentials for Docker. gantry only asks them (`get`).
 *
 * Source: https://github.com/docker/docker-credential-helpers
 *
 * @since 0.1.0
 */
import * as DateTime from "effect/DateTime"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import type * as Scope from "effect/Scope"
import { canonicalHost } from "../reference/internal/grammar.ts"
import * as Credential from "./Credential.ts"
import { CredentialHelperError } from "./CredentialError.ts"
import { makeSingleFlight } from "./internal/singleFlight.ts"

/**
 * Asks credential helpers.
 *
 * @since 0.1.0
 * @category models
 */
export interface CredentialHelpers {
  /**
   * What a helper holds for a host; `None` when it holds nothing.
   *
   * Those who ask for the same at the same time share one run of the program, which ends with the last of them. A
   * credential is remembered for 5 minutes; a failure, or that there is none, is not.
   *
   * @param helper the program's name without `docker-credential-`
   * @param host any spelling of the registry's host
   * @returns the credential, its expiry unknown; a `CredentialHelperError` when the program is missing, fails, takes more
   * than 10 seconds, prints more than 1 MiB or answers what the protocol does not know
   */
  readonly get: (
    helper: string,
    host: string
  ) => Effect.Effect<Option.Option<Credential.Credential>, CredentialHelperError>
}

const timeout = Duration.seconds(10)
const remembered = Duration.minutes(5)

const helperProcess = Effect.promise(() => import("./internal/helperProcess.ts"))

// The name comes from a file.
const plainName = /^[A-Za-z0-9._-]+$/

/**
 * Credential helpers whose programs run, and whose answers are remembered, no longer than the scope is open.
 *
 * @since 0.1.0
 * @category constructors
 */
export const make: Effect.Effect<CredentialHelpers, never, Scope.Scope> = Effect.gen(function* () {
  const share = yield* makeSingleFlight<Option.Option<Credential.Credential>, CredentialHelperError>(
    Option.match({ onNone: () => Duration.zero, onSome: () => remembered })
  )
  return {
    get: Effect.fn("CredentialHelper.get")(function* (helper: string, anyHost: string) {
      const host = canonicalHost(anyHost)
      if (!plainName.test(helper)) {
        return yield* new CredentialHelperError({
          helper: "docker-credential-*",
          host,
          reason: "invalid-name",
          detail: "its name may hold letters, digits, dots, dashes and underscores only."
        })
      }
      return yield* share(`${helper} ${host}`, ask(`docker-credential-${helper}`, host))
    })
  }
})

const ask = (
  helper: string,
  host: string
): Effect.Effect<Option.Option<Credential.Credential>, CredentialHelperError> => {
  const failure = (reason: CredentialHelperError["reason"], detail: string) =>
    new CredentialHelperError({ helper, host, reason, detail })
  return helperProcess.pipe(
    Effect.flatMap(({ runHelper }) => runHelper(helper, Credential.serverAddress(host))),
    Effect.catchTags({
      HelperNotRun: ({ code }) =>
        code === "ENOENT"
          ? failure("missing", "it is not on the PATH.")
          : failure("failed", `it could not be started (${code}).`),
      HelperOutputTooLarge: () => failure("output-too-large", "it printed more than 1 MiB.")
    }),
    Effect.timeoutFail({
      duration: timeout,
      onTimeout: () => failure("timeout", `it did not answer in ${Duration.format(timeout)}.`)
    }),
    Effect.flatMap(({ status, stdout }) => {
      if (status === 0) {
        return Effect.mapError(readAnswer(host, stdout), () =>
          failure("malformed-answer", "its answer is not the JSON object with Username and Secret that it should be.")
        )
      }
      // Whatever else a failed helper prints may hold a secret: https://github.com/docker/docker-credential-helpers
      return stdout.trim() === "credentials not found in native keychain"
        ? Effect.succeedNone
        : failure("failed", `it ended with ${status}.`)
    })
  )
}

const Answer = Schema.parseJson(
  Schema.Struct({
    Username: Schema.optionalWith(Schema.String, { default: () => "" }),
    Secret: Schema.optionalWith(Schema.String, { default: () => "" })
  })
)

/**
 * Reads the answer of a helper that succeeded. Some say with empty values that they hold nothing, and the username
 * `<token>` says that the secret is an identity token.
 */
const readAnswer = Effect.fnUntraced(function* (host: string, stdout: string) {
  const { Secret, Username } = yield* Schema.decode(Answer)(stdout)
  if (Username === "" && Secret === "") {
    return Option.none()
  }
  if (Username === "" || Secret === "") {
    return yield* Effect.fail("incomplete" as const)
  }
  const expiry = Credential.Expiry.Unknown({ issuedAt: yield* DateTime.now })
  const secret = Redacted.make(Secret)
  return Option.some(
    Username === "<token>"
      ? Credential.identityToken({ host, token: secret, expiry })
      : Credential.usernamePassword({ host, username: Username, password: secret, expiry })
  )
})
