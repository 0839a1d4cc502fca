import { assert, describe, it } from "@effect/vitest"
import * as Cause from "effect/Cause"
import * as DateTime from "effect/DateTime"
import * as Equal from "effect/Equal"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as Credential from "../../src/credential/Credential.ts"
import { assertHidesCanary, canary } from "./support/secrets.ts"

const password = Redacted.make(canary)

describe("Credential", () => {
  it("spells the host in one way, whatever its aliases and case", () => {
    for (const host of ["docker.io", "index.docker.io", "registry-1.docker.io", "Docker.IO"]) {
      assert.strictEqual(Credential.usernamePassword({ host, username: "a", password }).host, "docker.io")
    }
    assert.strictEqual(Credential.registryToken({ host: "REG.io:5000", token: password }).host, "reg.io:5000")
  })

  it("addresses Docker Hub by its v1 URL and everybody else by the host", () => {
    assert.strictEqual(Credential.serverAddress("docker.io"), "https://index.docker.io/v1/")
    assert.strictEqual(Credential.serverAddress("registry-1.docker.io"), "https://index.docker.io/v1/")
    assert.strictEqual(Credential.serverAddress("GHCR.io"), "ghcr.io")
    assert.strictEqual(Credential.serverAddress("localhost:5000"), "localhost:5000")
  })

  it("never expires unless it is said to", () => {
    const at = Credential.Expiry.At({ at: DateTime.unsafeMake(2000), issuedAt: DateTime.unsafeMake(1000) })
    assert.deepStrictEqual(Credential.identityToken({ host: "a.io", token: password }).expiry._tag, "Never")
    assert.deepStrictEqual(Credential.identityToken({ host: "a.io", token: password, expiry: at }).expiry, at)
  })

  it("equals one with the same secret and differs from a rotated one", () => {
    const make = (secret: string) =>
      Credential.usernamePassword({ host: "a.io", username: "u", password: Redacted.make(secret) })
    assert.isTrue(Equal.equals(make("one"), make("one")))
    assert.isFalse(Equal.equals(make("one"), make("two")))
  })

  it("keeps the username of an identity token when it is known", () => {
    const named = Credential.identityToken({ host: "a.io", username: "u", token: password })
    const unnamed = Credential.identityToken({ host: "a.io", token: password })
    assert.deepStrictEqual(
      [named, unnamed].map(({ kind }) => kind._tag === "IdentityToken" && kind.username),
      [Option.some("u"), Option.none()]
    )
  })

  it("shows no secret, however it is printed", () => {
    assertHidesCanary(Credential.usernamePassword({ host: "a.io", username: "u", password }))
    assertHidesCanary(Credential.identityToken({ host: "a.io", token: password }))
    assertHidesCanary(Credential.registryToken({ host: "a.io", token: password }))
    assert.throws(() => assertHidesCanary(Cause.fail(canary)))
  })

  it("takes a secret out of somebody else's words in every form a server may repeat it in", () => {
    const secret = 'pa"ss w\\rd+ü'
    const credential = Option.some(
      Credential.usernamePassword({ host: "a.io", username: "dev", password: Redacted.make(secret) })
    )
    const pair = Buffer.from(`dev:${secret}`).toString("base64")
    for (const form of [secret, JSON.stringify(secret), encodeURIComponent(secret), `Basic ${pair}`]) {
      const clean = Credential.redactFrom(`denied to ${form}, sorry`, credential)
      for (const echo of Credential.echoes(credential)) assert.notInclude(clean, echo)
      assert.match(clean, /^denied to .*<redacted>.*, sorry$/)
    }
    assert.strictEqual(Credential.redactFrom("denied", Option.none()), "denied")
  })
})
