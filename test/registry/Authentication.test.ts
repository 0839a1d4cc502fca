import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Equal from "effect/Equal"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as ConnectorCatalog from "../../src/connector/ConnectorCatalog.ts"
import * as ServiceConnector from "../../src/connector/ServiceConnector.ts"
import * as Credential from "../../src/credential/Credential.ts"
import * as Keychain from "../../src/credential/Keychain.ts"
import * as SecretStore from "../../src/credential/SecretStore.ts"
import * as RegistryUri from "../../src/reference/RegistryUri.ts"
import * as Authentication from "../../src/registry/Authentication.ts"

const uri = RegistryUri.unsafeParse("reg.io/team")
const stored = { username: Redacted.make("secret-user"), password: Redacted.make("secret-password") }
const known = Credential.usernamePassword({
  host: "reg.io",
  username: "keychain-user",
  password: Redacted.make("keychain-password")
})

const resolve = <R>(authentication: Authentication.Authentication<R>) => authentication.resolve(uri)

const userOf = (found: Option.Option<Credential.ResolvedCredential>) =>
  Option.map(found, ({ credential, origin }) => [
    credential.kind._tag === "UsernamePassword" ? credential.kind.username : "",
    origin
  ])

const credentialOf = Option.map((found: Credential.ResolvedCredential) => found.credential)

const passwordOf = (found: Option.Option<Credential.ResolvedCredential>) =>
  Option.map(found, ({ credential }) =>
    credential.kind._tag === "UsernamePassword" ? Redacted.value(credential.kind.password) : ""
  )

const machine = Layer.mergeAll(SecretStore.layerMemory({ ghcr: stored }), Keychain.layerMemory([known]))

describe("Authentication", () => {
  it.effect("anonymous gives none and asks nothing of the machine", () =>
    Effect.gen(function* () {
      assert.deepStrictEqual(yield* resolve(Authentication.anonymous), Option.none())
    })
  )

  it.effect("a secret gives its username and password and is read again each time", () => {
    const secrets: Record<string, SecretStore.SecretValues> = { ghcr: stored }
    return Effect.gen(function* () {
      const before = yield* resolve(Authentication.secret("ghcr"))
      secrets["ghcr"] = { ...stored, password: Redacted.make("rotated") }
      const after = yield* resolve(Authentication.secret("ghcr"))
      assert.deepStrictEqual(userOf(before), Option.some(["secret-user", "secret ghcr"]))
      assert.deepStrictEqual(passwordOf(before), Option.some("secret-password"))
      assert.deepStrictEqual(passwordOf(after), Option.some("rotated"))
      assert.isFalse(Equal.equals(credentialOf(before), credentialOf(after)))
    }).pipe(Effect.provide(SecretStore.layerMemory(secrets)))
  })

  it.effect("an absent secret is SecretNotFound with the registry's name", () =>
    Effect.gen(function* () {
      const error = yield* Effect.flip(resolve(Authentication.secret("absent")))
      assert.ok(error._tag === "SecretNotFound")
      assert.strictEqual(error.registry, "reg.io/team")
    }).pipe(Effect.provide(machine))
  )

  it.effect("a secret without a password is SecretInvalid and shows no value", () =>
    Effect.gen(function* () {
      const error = yield* Effect.flip(resolve(Authentication.secret("half")))
      assert.ok(error._tag === "SecretInvalid")
      assert.strictEqual(error.field, "password")
      assert.notInclude(error.message, "half-user")
    }).pipe(Effect.provide(SecretStore.layerMemory({ half: { username: Redacted.make("half-user") } })))
  )

  describe("connectorNamed", () => {
    const connectorFor = (host: string) =>
      ServiceConnector.make({
        type: "company",
        authMethod: "badge",
        issue: () =>
          Effect.succeed(Credential.usernamePassword({ host, username: "ci", password: Redacted.make("issued") }))
      })
    const catalog = ConnectorCatalog.make(
      new Map([
        ["own", connectorFor("reg.io")],
        ["other", connectorFor("other.io")]
      ])
    )
    const named = (name: string) =>
      Effect.provideService(resolve(Authentication.connectorNamed(name)), ConnectorCatalog.ConnectorCatalog, catalog)

    it.effect("gives what the connector of the name issues, and says which one that was", () =>
      Effect.gen(function* () {
        assert.deepStrictEqual(userOf(yield* named("own")), Option.some(["ci", "connector own (company, badge)"]))
      })
    )

    it.effect("fails for a name that no connector has, and for one whose credential is another host's", () =>
      Effect.gen(function* () {
        const missing = yield* Effect.flip(named("ow"))
        assert.deepInclude(missing, { _tag: "ConnectorError", reason: "misconfigured" })
        assert.include(missing.message, "own, other")
        assert.strictEqual((yield* Effect.flip(named("other")))._tag, "CredentialHostMismatch")
      })
    )
  })

  it.effect("firstOf takes the first that gives one", () =>
    Effect.gen(function* () {
      const either = Authentication.firstOf(
        Authentication.anonymous,
        Authentication.keychain,
        Authentication.secret("ghcr")
      )
      assert.deepStrictEqual(userOf(yield* resolve(either)), Option.some(["keychain-user", "memory"]))
      assert.isTrue(either.isRequired)
      assert.isFalse(Authentication.firstOf(Authentication.anonymous, Authentication.keychain).isRequired)
    }).pipe(Effect.provide(machine))
  )

  it.effect(
    "firstOf does not pass over one that fails, so an ambient credential never stands in for an explicit one",
    () =>
      Effect.gen(function* () {
        const either = Authentication.firstOf(Authentication.secret("absent"), Authentication.keychain)
        assert.strictEqual((yield* Effect.flip(resolve(either)))._tag, "SecretNotFound")
      }).pipe(Effect.provide(machine))
  )

  it.effect("an explicit credential wins over what the machine has stored", () =>
    Effect.gen(function* () {
      const explicit = Authentication.usernamePassword("given-user", Redacted.make("given-password"))
      const found = yield* resolve(Authentication.firstOf(explicit, Authentication.keychain))
      assert.deepStrictEqual(userOf(found), Option.some(["given-user", "the given username and password"]))
    }).pipe(Effect.provide(machine))
  )
})
