import { assert, describe, it } from "@effect/vitest"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as Runtime from "effect/Runtime"
import * as TestClock from "effect/TestClock"
import { usernamePassword } from "../../src/credential/Credential.ts"
import * as RegistryClient from "../../src/distribution/RegistryClient.ts"
import { type Recorded, rawServer, recordingServer } from "./support.ts"

const CANARY = "canary-password-7f3a"

const clientOf = (host: string) =>
  RegistryClient.make({
    host,
    credential: Option.some(usernamePassword({ host, username: "dev", password: Redacted.make(CANARY) }))
  })

/** A second server on this machine, to which no secret may come. */
const trap = Effect.suspend(() => recordingServer((_, response) => response.end("{}")))

const secretsIn = (requests: ReadonlyArray<Recorded>) =>
  requests.filter(({ headers, path }) => headers.authorization !== undefined || path.includes(CANARY))

describe("A hostile registry on a real network", () => {
  it.scoped("can not send the credential to another host by a redirect", () =>
    Effect.gen(function* () {
      const other = yield* trap
      const registry = yield* recordingServer(({ headers }, response) => {
        if (headers.authorization === undefined) {
          response.writeHead(401, { "www-authenticate": `Basic realm="r"` }).end()
        } else {
          response.writeHead(307, { location: `http://localhost:${other.port}/stolen` }).end()
        }
      })
      yield* Effect.either((yield* clientOf(registry.host)).getManifest("acme/app", "1"))
      assert.strictEqual(secretsIn(registry.requests).length, 1, "the registry itself got the credential")
      assert.strictEqual(other.requests.length, 1, "the redirect was followed")
      assert.deepStrictEqual(secretsIn(other.requests), [])
    })
  )

  it.scoped("can not send it to another host by an upload's location", () =>
    Effect.gen(function* () {
      const other = yield* trap
      const registry = yield* recordingServer(({ headers }, response) => {
        if (headers.authorization === undefined) {
          response.writeHead(401, { "www-authenticate": `Basic realm="r"` }).end()
        } else {
          response.writeHead(202, { location: `http://localhost:${other.port}/stolen` }).end()
        }
      })
      const client = yield* clientOf(registry.host)
      yield* client.cancelUpload(yield* client.openUpload("acme/app"))
      assert.strictEqual(other.requests[0]?.method, "DELETE")
      assert.deepStrictEqual(secretsIn(other.requests), [])
    })
  )

  it.scoped("can not let its token server pass the credential on", () =>
    Effect.gen(function* () {
      const other = yield* trap
      const tokens = yield* recordingServer((_, response) => {
        response.writeHead(302, { location: `http://localhost:${other.port}/stolen` }).end()
      })
      const registry = yield* recordingServer((_, response) => {
        response.writeHead(401, { "www-authenticate": `Bearer realm="http://${tokens.host}/token"` }).end()
      })
      const error = yield* Effect.flip((yield* clientOf(registry.host)).ping)
      assert.strictEqual(error._tag === "RegistryUnavailable" && error.reason, "address")
      assert.strictEqual(secretsIn(tokens.requests).length, 1, "the token server itself got the credential")
      assert.deepStrictEqual(other.requests, [])
    })
  )

  for (const userInfo of ["dev:pw@", "dev@", ":pw@"]) {
    it.scoped(`can not name a realm with the user information ${userInfo}`, () =>
      Effect.gen(function* () {
        const other = yield* trap
        const registry = yield* recordingServer((_, response) => {
          response.writeHead(401, { "www-authenticate": `Bearer realm="http://${userInfo}${other.host}/token"` }).end()
        })
        const error = yield* Effect.flip((yield* clientOf(registry.host)).ping)
        assert.strictEqual(error._tag === "RegistryUnavailable" && error.reason, "address")
        assert.notInclude(String(error), "pw@")
        assert.deepStrictEqual(other.requests, [])
      })
    )
  }

  it.scoped("can not drown its client in a header of 10 MB", () =>
    Effect.gen(function* () {
      const registry = yield* rawServer((socket) =>
        socket.once("data", () => {
          socket.write('HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: Bearer realm="')
          socket.write("x".repeat(10 * 1024 * 1024))
        })
      )
      const error = yield* Effect.flip((yield* clientOf(registry.host)).ping)
      assert.strictEqual(error._tag === "RegistryUnavailable" && error.reason, "protocol")
    })
  )

  it.scoped("can not hold its client up with a token server that never answers", () =>
    Effect.gen(function* () {
      const runSync = Runtime.runSync(yield* Effect.runtime())
      const asked = yield* Deferred.make<void>()
      const left = yield* Deferred.make<void>()
      const tokens = yield* recordingServer(({ socket }) => {
        socket.on("close", () => runSync(Deferred.succeed(left, undefined)))
        runSync(Deferred.succeed(asked, undefined))
      })
      const registry = yield* recordingServer((_, response) => {
        response.writeHead(401, { "www-authenticate": `Bearer realm="http://${tokens.host}/token"` }).end()
      })
      const ping = yield* Effect.fork(Effect.flip((yield* clientOf(registry.host)).ping))
      yield* Deferred.await(asked)
      yield* TestClock.adjust("15 seconds")
      const error = yield* Fiber.join(ping)
      assert.strictEqual(error._tag === "RegistryUnavailable" && error.reason, "timeout")
      assert.include(error.message, tokens.host)
      yield* Deferred.await(left)
    })
  )

  it.scoped("can not learn the credential from an open connection's answers, nor make an error repeat it", () =>
    Effect.gen(function* () {
      const registry = yield* recordingServer(({ headers }, response) => {
        if (headers.authorization === undefined) {
          response.writeHead(401, { "www-authenticate": `Basic realm="r"` }).end()
        } else {
          response.writeHead(400).end(`bad header ${headers.authorization} for dev:${CANARY}`)
        }
      })
      const error = yield* Effect.flip((yield* clientOf(registry.host)).ping)
      assert.strictEqual(error._tag, "RegistryRejected")
      for (const form of [CANARY, Buffer.from(`dev:${CANARY}`).toString("base64")]) {
        assert.notInclude(JSON.stringify(error) + String(error) + error.stack, form)
      }
    })
  )
})
