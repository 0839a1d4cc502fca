import { assert, describe, it } from "@effect/vitest"
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import { usernamePassword } from "../../src/credential/Credential.ts"
import * as RegistryClient from "../../src/distribution/RegistryClient.ts"
import type { RegistryResponse } from "../../src/distribution/RegistryHttp.ts"
import { answer, authorizationOf, network } from "./support.ts"

const host = "registry.test"

const timeOf = (response: RegistryResponse) => {
  const { provide, requests } = network(() => response)
  return Effect.gen(function* () {
    const password = Redacted.make("dev-password")
    const credential = Option.some(usernamePassword({ host, username: "dev", password }))
    const client = yield* RegistryClient.make({ host, credential })
    return { time: yield* client.serverTime, requests }
  }).pipe(provide)
}

describe("RegistryClient's serverTime", () => {
  it.scoped("is the Date of an answer to nobody, also of a refusal", () =>
    Effect.gen(function* () {
      const headers = { date: "Fri, 02 Jan 2026 12:00:00 GMT", "www-authenticate": 'Basic realm="r"' }
      const { requests, time } = yield* timeOf(answer(401, headers))
      assert.strictEqual(Option.getOrUndefined(Option.map(time, DateTime.formatIso)), "2026-01-02T12:00:00.000Z")
      assert.deepStrictEqual(
        requests.map((request) => [request.url.pathname, authorizationOf(request)]),
        [["/v2/", ""]]
      )
    })
  )

  it.scoped("is none where the answer has no date", () =>
    Effect.gen(function* () {
      assert.isTrue(Option.isNone((yield* timeOf(answer(200, {}))).time))
      assert.isTrue(Option.isNone((yield* timeOf(answer(200, { date: "soon" }))).time))
    })
  )
})
