/**
 * What `docker-credential-gantry` answers: the registries of this run by their leases, every other host by the machine's
 * keychain.
 *
 * Source of the words: https://github.com/docker/docker-credential-helpers/blob/master/credentials/error.go
 */
import * as Arr from "effect/Array"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as Credential from "../../credential/Credential.ts"
import * as DockerConfig from "../../credential/DockerConfig.ts"
import { Keychain } from "../../credential/Keychain.ts"
import type { ContainerRegistry } from "../../registry/ContainerRegistry.ts"
import { oneLine } from "../internal/text.ts"
import { problemLine } from "../output/problem.ts"
import { Stdio } from "../Stdio.ts"
import type { HelperAnswer } from "./HelperChannel.ts"

/** A credential of a form that the protocol of credential helpers does not have. */
class NotForHelpers extends Data.TaggedError("NotForHelpers")<{ readonly host: string }> {
  override get message(): string {
    return `The credential for ${this.host} is a registry token, which a credential helper can not hand on. Give the registry a username and a password, or an identity token.`
  }
}

type Login = Effect.Effect.Success<ReturnType<typeof loginOf>>

/** The user that says that the secret is an identity token. */
const identityTokenUser = "<token>"

const loginOf = ({ host, kind }: Credential.Credential) =>
  Effect.suspend(() => {
    switch (kind._tag) {
      case "UsernamePassword":
        return Effect.succeed({ username: kind.username, secret: kind.password })
      case "IdentityToken":
        return Effect.succeed({ username: identityTokenUser, secret: kind.token })
      case "RegistryToken":
        return new NotForHelpers({ host })
    }
  })

const good = (text: string): HelperAnswer => ({ isGood: true, text: Redacted.make(text) })

const refused = (text: string): HelperAnswer => ({ isGood: false, text: Redacted.make(oneLine(text)) })

const notFound = refused("credentials not found in native keychain")

const keepsNothing = refused(
  "gantry exec keeps no logins: run docker login or docker logout without it, or change gantry.yaml"
)

const json = (address: string, { secret, username }: Login): string =>
  JSON.stringify({ ServerURL: address, Username: username, Secret: Redacted.value(secret) })

/**
 * Answers a question that docker asked the helper; a failure is an answer too, and is told on stderr, once.
 *
 * `registries` are those of this run by their hosts, `others` the hosts besides them that the machine knows.
 */
export const make = Effect.fnUntraced(function* (options: {
  readonly registries: ReadonlyMap<string, ContainerRegistry>
  readonly others: ReadonlyArray<string>
}) {
  const keychain = yield* Keychain
  const { stderr } = yield* Stdio
  const told = new Set<string>()

  const tell = (error: { readonly message: string }) =>
    Effect.suspend(() => {
      const line = problemLine("gantry exec", error)
      if (told.has(line)) return Effect.void
      told.add(line)
      return stderr(`${line}\n`)
    })

  const find = (host: string) =>
    Effect.flatMap(
      options.registries.get(host)?.credentials ?? keychain.find(host),
      Option.match({
        onNone: () => Effect.succeedNone,
        onSome: ({ credential }) => Effect.asSome(loginOf(credential))
      })
    ).pipe(Effect.tapError(tell))

  const get = (address: string) =>
    Effect.match(find(DockerConfig.hostOf(address)), {
      onFailure: (error) => refused(error.message),
      onSuccess: Option.match({ onNone: () => notFound, onSome: (login) => good(json(address, login)) })
    })

  const hosts = Arr.dedupe([...options.registries.keys(), ...options.others])
  const list = Effect.map(
    Effect.forEach(
      hosts,
      (host) =>
        Effect.map(Effect.orElseSucceed(find(host), Option.none), (login) =>
          Option.toArray(login).map(({ username }) => [Credential.serverAddress(host), username] as const)
        ),
      { concurrency: "unbounded" }
    ),
    (entries) => good(JSON.stringify(Object.fromEntries(entries.flat())))
  )

  return Effect.fn("CredentialAnswers.answer")(function* (action: string, input: string) {
    const address = input.trim()
    switch (action) {
      case "get":
        return address === "" ? refused("no credentials server URL") : yield* get(address)
      case "list":
        return yield* list
      case "store":
      case "erase":
        return keepsNothing
      default:
        return refused(`unknown credential action ${JSON.stringify(action)}`)
    }
  })
})
