import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import type { Keychain } from "../../credential/Keychain.ts"
import type { RegistryTls } from "../../distribution/RegistryHttp.ts"
import * as Authentication from "../../registry/Authentication.ts"
import * as RegistryCatalog from "../../registry/RegistryCatalog.ts"
import type { PushTransport } from "../../transport/PushTransport.ts"
import type { PushSettings } from "../PushOptions.ts"
import type { PushPlan } from "../PushPlan.ts"
import { Stdio } from "../Stdio.ts"
import { UsageError } from "../UsageError.ts"

/** The registries a plan's targets are on, one for each host. Reads the password when there is one to be read. */
export const layerCatalog = (
  plan: PushPlan,
  settings: PushSettings
): Layer.Layer<RegistryCatalog.RegistryCatalog, UsageError, PushTransport | Keychain | Stdio> =>
  Layer.unwrapEffect(
    Effect.map(authentication(settings), (authentication) =>
      RegistryCatalog.layer(
        Object.fromEntries(plan.hosts.map((uri) => [uri, { uri, authentication, tls: tlsOf(uri, settings) }]))
      )
    )
  ).pipe(
    Layer.mapError((error) => (error._tag === "UsageError" ? error : new UsageError({ problems: [error.message] })))
  )

const authentication = (
  settings: PushSettings
): Effect.Effect<Authentication.Authentication<Keychain>, UsageError, Stdio> =>
  Option.match(settings.username, {
    onNone: () => Effect.succeed(Authentication.keychain),
    onSome: (username) =>
      Effect.map(
        password,
        (password): Authentication.Authentication<Keychain> => Authentication.usernamePassword(username, password)
      )
  })

const noPassword = (detail: string) =>
  new UsageError({
    problems: [`--password-stdin: ${detail}, as in \`pass show registry | gantry push … --password-stdin\``]
  })

/** What is piped in, without the line's end that `echo` and editors leave. */
const password: Effect.Effect<Redacted.Redacted, UsageError, Stdio> = Effect.gen(function* () {
  const { stdin } = yield* Stdio
  const input = yield* stdin
  if (Option.isNone(input)) return yield* noPassword("standard input is a terminal. Pipe the password in")
  const text = input.value.replace(/\r?\n$/, "")
  return text === "" ? yield* noPassword("standard input is empty. Pipe the password in") : Redacted.make(text)
})

const tlsOf = (host: string, settings: PushSettings): RegistryTls | undefined => {
  if (settings.plainHttp.includes(host)) return "off"
  return settings.tlsSkipVerify.includes(host) ? "skip-verify" : undefined
}
