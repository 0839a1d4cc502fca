import { assert, describe, it } from "@effect/vitest"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Encoding from "effect/Encoding"
import * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as TestClock from "effect/TestClock"
import { Credential, CredentialKind, Expiry, usernamePassword } from "../../src/credential/Credential.ts"
import type { RegistryRequest, RegistryResponse } from "../../src/distribution/RegistryHttp.ts"
import * as TokenSource from "../../src/distribution/TokenSource.ts"
import { answer, authorizationOf, bodyOf, json, network } from "./support.ts"

const host = "registry.test"
const realm = "https://auth.test/token"

const user = Option.some(usernamePassword({ host, username: "dev", password: Redacted.make("dev-password") }))
const identity = Option.some(
  new Credential({
    host,
    kind: CredentialKind.IdentityToken({ username: Option.some("dev"), token: Redacted.make("refresh-0") }),
    expiry: Expiry.Never()
  })
)

const wanted = (...scopes: ReadonlyArray<string>): TokenSource.TokenRequest => ({
  realm,
  service: Option.some("test-service"),
  scopes
})

const pull = wanted("repository:acme/app:pull")

const numbered = () => {
  let count = 0
  return () => {
    count += 1
    return json({ token: `token-${count}`, expires_in: 300 })
  }
}

const valueOf = (token: TokenSource.Token) => Redacted.value(token.value)

const source = (credential: Option.Option<Credential>, registry = host) =>
  TokenSource.make({ host: registry, credential })

const jwt = (claims: object) => `e30.${Encoding.encodeBase64Url(JSON.stringify(claims))}.c2ln`

describe("TokenSource.get asks the token server", () => {
  it.scoped("by GET, with the password in Basic, the needed scope first and one scope a resource", () => {
    const { provide, requests } = network(numbered())
    return Effect.gen(function* () {
      const tokens = yield* source(user)
      yield* tokens.get(
        wanted("repository:z/z:push,pull", "repository:b/b:pull", "repository:a:5000/a:pull", "repository:b/b:delete")
      )
      assert.strictEqual(requests.length, 1)
      assert.strictEqual(requests[0]?.method, "GET")
      assert.strictEqual(authorizationOf(requests[0]), `Basic ${Encoding.encodeBase64("dev:dev-password")}`)
      assert.deepStrictEqual(requests[0]?.url.searchParams.getAll("scope"), [
        "repository:z/z:pull,push",
        "repository:a:5000/a:pull",
        "repository:b/b:delete,pull"
      ])
      assert.strictEqual(requests[0]?.url.searchParams.get("service"), "test-service")
    }).pipe(provide)
  })

  it.scoped("without authorization when there is no credential", () => {
    const { provide, requests } = network(numbered())
    return Effect.gen(function* () {
      const tokens = yield* source(Option.none())
      assert.strictEqual(valueOf(yield* tokens.get(pull)), "token-1")
      assert.strictEqual(requests[0]?.authorization, undefined)
    }).pipe(provide)
  })

  it.scoped("by POST with an identity token, which stands in no URL and no header", () => {
    const { provide, requests } = network(() => json({ access_token: "token" }))
    return Effect.gen(function* () {
      const tokens = yield* source(identity)
      assert.strictEqual(valueOf(yield* tokens.get(wanted("repository:b:pull", "repository:a:pull"))), "token")
      const form = new URLSearchParams(bodyOf(requests[0]))
      assert.deepStrictEqual(Object.fromEntries(form), {
        grant_type: "refresh_token",
        service: "test-service",
        client_id: "gantry",
        scope: "repository:b:pull repository:a:pull",
        refresh_token: "refresh-0"
      })
      assert.strictEqual(requests[0]?.headers["content-type"], "application/x-www-form-urlencoded")
      assert.strictEqual(requests[0]?.url.href, realm)
      assert.strictEqual(requests[0]?.authorization, undefined)
    }).pipe(provide)
  })

  for (const status of [404, 405]) {
    it.scoped(`by GET with the identity token where POST is answered ${status}, and remembers that`, () => {
      const { provide, requests } = network((request) =>
        request.method === "POST" ? answer(status) : json({ token: "token" })
      )
      return Effect.gen(function* () {
        const tokens = yield* source(identity)
        yield* tokens.get(wanted("repository:a:pull"))
        yield* tokens.get(wanted("repository:b:pull"))
        assert.deepStrictEqual(
          requests.map(({ method }) => method),
          ["POST", "GET", "GET"]
        )
        assert.strictEqual(authorizationOf(requests[1]), `Basic ${Encoding.encodeBase64("dev:refresh-0")}`)
      }).pipe(provide)
    })
  }

  it.scoped("with the refresh token that the last answer gave", () => {
    const sent: Array<string | null> = []
    const { provide } = network((request) => {
      sent.push(new URLSearchParams(bodyOf(request)).get("refresh_token"))
      return json({ access_token: "token", refresh_token: `refresh-${sent.length}` })
    })
    return Effect.gen(function* () {
      const tokens = yield* source(identity)
      yield* tokens.get(wanted("repository:a:pull"))
      yield* tokens.get(wanted("repository:b:pull"))
      assert.deepStrictEqual(sent, ["refresh-0", "refresh-1"])
    }).pipe(provide)
  })

  it.scoped("again when another request has rotated the refresh token in the meantime", () =>
    Effect.gen(function* () {
      const first = yield* Deferred.make<void>()
      const { provide, requests } = network((request) => {
        const token = new URLSearchParams(bodyOf(request)).get("refresh_token")
        if (bodyOf(request).includes("slow") && token === "refresh-0") {
          return Effect.as(Deferred.await(first), answer(401))
        }
        return json({ access_token: `by-${token}`, refresh_token: "refresh-1" })
      })
      yield* Effect.gen(function* () {
        const tokens = yield* source(identity)
        const slow = yield* Effect.fork(tokens.get(wanted("repository:slow:pull")))
        yield* Effect.yieldNow()
        yield* tokens.get(wanted("repository:quick:pull"))
        yield* Deferred.succeed(first, undefined)
        assert.strictEqual(valueOf(yield* Fiber.join(slow)), "by-refresh-1")
        assert.strictEqual(requests.length, 3)
      }).pipe(provide)
    })
  )

  it.scoped("never, when the credential is a registry token", () => {
    const { provide, requests } = network(numbered())
    return Effect.gen(function* () {
      const kind = CredentialKind.RegistryToken({ token: Redacted.make("ready") })
      const tokens = yield* source(Option.some(new Credential({ host, kind, expiry: Expiry.Never() })))
      assert.strictEqual(valueOf(yield* tokens.get(pull)), "ready")
      assert.strictEqual(requests.length, 0)
    }).pipe(provide)
  })
})

describe("TokenSource.get renews a token", () => {
  const renewedAfter = (body: object, seconds: number) => {
    const { provide, requests } = network(() => json(body))
    return Effect.gen(function* () {
      // Not at the epoch, so that times in the past are there.
      yield* TestClock.setTime(Date.parse("2026-01-01T00:00:00Z"))
      const tokens = yield* source(user)
      yield* tokens.get(pull)
      yield* TestClock.adjust(`${seconds - 1} seconds`)
      yield* tokens.get(pull)
      assert.strictEqual(requests.length, 1, "was asked again too early")
      yield* TestClock.adjust("1 second")
      yield* tokens.get(pull)
      assert.strictEqual(requests.length, 2, "was used too long")
    }).pipe(provide)
  }
  const now = Date.parse("2026-01-01T00:00:00Z") / 1000

  it.scoped("a minute before the end of a long life", () => renewedAfter({ token: "t", expires_in: 3600 }, 3540))
  it.scoped("in the last quarter of a short life", () => renewedAfter({ token: "t", expires_in: 100 }, 75))
  it.scoped("as if it lived a minute when nothing says how long it lives", () => renewedAfter({ token: "t" }, 45))
  it.scoped("when its JWT ends", () => renewedAfter({ access_token: jwt({ exp: now + 3600 }) }, 3540))
  it.scoped("at the earlier of two ends", () => renewedAfter({ token: jwt({ exp: now + 100 }), expires_in: 3600 }, 75))
  it.scoped("counted from its issue when that was earlier than its receipt", () =>
    renewedAfter({ token: "t", expires_in: 3600, issued_at: "2025-12-31T23:50:00Z" }, 3000 - 60)
  )
  it.scoped("counted from its receipt when the server's clock is ahead", () =>
    renewedAfter({ token: "t", expires_in: 3600, issued_at: "2026-01-01T05:00:00Z" }, 3540)
  )
  it.scoped("counted from its receipt when the time of issue can not be read", () =>
    renewedAfter({ token: "t", expires_in: "3600", issued_at: "yesterday" }, 3540)
  )

  it.scoped("that was issued past its end only for the next caller: this one gets it", () => {
    const { provide, requests } = network(() => json({ token: "t", expires_in: -5 }))
    return Effect.gen(function* () {
      const tokens = yield* source(user)
      assert.strictEqual(valueOf(yield* tokens.get(pull)), "t")
      assert.strictEqual(requests.length, 1)
      yield* tokens.get(pull)
      assert.strictEqual(requests.length, 2)
    }).pipe(provide)
  })

  it.scoped("that was discarded, and keeps the newer one that is there already", () => {
    const { provide } = network(numbered())
    return Effect.gen(function* () {
      const tokens = yield* source(user)
      const first = yield* tokens.get(pull)
      yield* tokens.discard(first)
      const second = yield* tokens.get(pull)
      assert.strictEqual(valueOf(second), "token-2")
      yield* tokens.discard(first)
      assert.strictEqual(yield* tokens.get(pull), second)
    }).pipe(provide)
  })
})

describe("TokenSource.get shares a token", () => {
  it.scoped("between all who want it while it is being issued, wherever the scheduler yields", () =>
    Effect.forEach(
      // Below 12 Effect's own scheduler makes no progress.
      [12, 13, 14, 15, 16, 17, 18, 19, 21, 23, 26, 32, 64, 128],
      (operations) => {
        const { provide, requests } = network(() => Effect.as(Effect.yieldNow(), json({ token: "t" })))
        return Effect.gen(function* () {
          const tokens = yield* source(user)
          yield* Effect.all(
            Array.from({ length: 20 }, () => tokens.get(pull)),
            { concurrency: "unbounded", discard: true }
          )
          assert.strictEqual(requests.length, 1, `at ${operations} operations before a yield`)
        }).pipe(provide, Effect.scoped, Effect.withMaxOpsBeforeYield(operations))
      },
      { discard: true }
    )
  )

  it.scoped("between scopes in any order, and with no other scopes, service or realm", () => {
    const { provide, requests } = network(numbered())
    return Effect.gen(function* () {
      const tokens = yield* source(user)
      yield* tokens.get(wanted("repository:a:pull", "repository:b:push,pull"))
      yield* tokens.get(wanted("repository:b:pull,push", "repository:a:pull"))
      assert.strictEqual(requests.length, 1)
      yield* tokens.get(wanted("repository:a:pull"))
      yield* tokens.get({ ...pull, service: Option.none() })
      yield* tokens.get({ ...pull, realm: "https://other.test/token" })
      assert.strictEqual(requests.length, 4)
    }).pipe(provide)
  })

  it.scoped("with those who wait when the first caller is interrupted", () =>
    Effect.gen(function* () {
      const asked = yield* Deferred.make<void>()
      const reply = yield* Deferred.make<RegistryResponse>()
      const { provide, requests } = network(() =>
        Effect.zipRight(Deferred.succeed(asked, undefined), Deferred.await(reply))
      )
      yield* Effect.gen(function* () {
        const tokens = yield* source(user)
        const first = yield* Effect.fork(tokens.get(pull))
        yield* Deferred.await(asked)
        const second = yield* Effect.fork(tokens.get(pull))
        yield* Effect.yieldNow()
        yield* Fiber.interrupt(first)
        yield* Deferred.succeed(reply, json({ token: "t" }))
        assert.strictEqual(valueOf(yield* Fiber.join(second)), "t")
        assert.strictEqual(requests.length, 1)
      }).pipe(provide)
    })
  )

  it.scoped("but no failure: the next caller asks again", () => {
    let count = 0
    const { provide } = network(() => {
      count += 1
      return count === 1 ? answer(503) : json({ token: "t" })
    })
    return Effect.gen(function* () {
      const tokens = yield* source(user)
      assert.isTrue(Either.isLeft(yield* Effect.either(tokens.get(pull))))
      assert.strictEqual(valueOf(yield* tokens.get(pull)), "t")
    }).pipe(provide)
  })

  it.scoped("of the 256 asked for last", () => {
    const { provide, requests } = network(numbered())
    return Effect.gen(function* () {
      const tokens = yield* source(user)
      const get = (index: number) => tokens.get(wanted(`repository:r${index}:pull`))
      yield* Effect.forEach(
        Array.from({ length: 257 }, (_, index) => index),
        get
      )
      yield* get(256)
      assert.strictEqual(requests.length, 257)
      yield* get(0)
      assert.strictEqual(requests.length, 258)
    }).pipe(provide)
  })

  it.scoped("and stops asking when its scope closes", () =>
    Effect.gen(function* () {
      const stopped = yield* Deferred.make<void>()
      const { provide } = network(() => Effect.onInterrupt(Effect.never, () => Deferred.succeed(stopped, undefined)))
      yield* Effect.gen(function* () {
        const tokens = yield* source(user)
        yield* Effect.fork(tokens.get(pull))
        yield* Effect.yieldNow()
        yield* Effect.yieldNow()
      }).pipe(provide, Effect.scoped)
      yield* Deferred.await(stopped)
    })
  )
})

describe("TokenSource.get refuses to send a credential", () => {
  const refusals: ReadonlyArray<readonly [registry: string, realm: string]> = [
    ["registry.test", "http://auth.test/token"],
    ["registry.test", "http://registry.test/token"],
    ["registry.test", "https://127.0.0.1/token"],
    ["registry.test", "https://127.1/token"],
    ["registry.test", "https://0x7f000001/token"],
    ["registry.test", "https://0.0.0.0/token"],
    ["registry.test", "https://localhost/token"],
    ["registry.test", "https://LOCALHOST./token"],
    ["registry.test", "https://auth.localhost/token"],
    ["registry.test", "https://[::1]/token"],
    ["registry.test", "https://[::]/token"],
    ["registry.test", "https://[::ffff:127.0.0.1]/token"],
    ["registry.test", "https://[::ffff:10.0.0.1]/token"],
    ["registry.test", "https://[64:ff9b::a00:1]/token"],
    ["registry.test", "https://10.0.0.1/token"],
    ["registry.test", "https://172.31.255.255/token"],
    ["registry.test", "https://192.168.1.1/token"],
    ["registry.test", "https://100.100.100.200/token"],
    ["registry.test", "https://169.254.169.254/latest/meta-data"],
    ["registry.test", "https://[fd00:ec2::254]/token"],
    ["registry.test", "https://[fe80::1]/token"],
    ["registry.test", "https://dev:pw@auth.test/token"],
    ["registry.test", "https://dev@registry.test/token"],
    ["registry.test", "ftp://auth.test/token"],
    ["registry.test", "file:///etc/passwd"],
    ["registry.test", "javascript:alert(1)"],
    ["registry.test", "https://"],
    ["8.8.8.8:5000", "https://10.0.0.1/token"],
    ["10.0.0.1:5000", "https://127.0.0.1/token"],
    ["10.0.0.1:5000", "https://169.254.169.254/token"],
    ["localhost:5000", "http://auth.test/token"],
    ["localhost:5000", "http://10.0.0.1/token"],
    ["localhost:5000", "https://169.254.169.254/token"]
  ]
  for (const [registry, hostile] of refusals) {
    it.scoped(`of ${registry} to ${hostile}`, () => {
      const { provide, requests } = network(numbered())
      return Effect.gen(function* () {
        const tokens = yield* source(user, registry)
        const error = yield* Effect.flip(tokens.get({ ...pull, realm: hostile }))
        assert.strictEqual(error._tag === "RegistryUnavailable" && error.reason, "address")
        assert.notInclude(error.message, "pw@")
        assert.isFalse(error._tag === "RegistryUnavailable" && error.isRetryable)
        assert.strictEqual(requests.length, 0)
      }).pipe(provide)
    })
  }

  const allowed: ReadonlyArray<readonly [registry: string, realm: string]> = [
    ["registry.test", "https://auth.elsewhere.test/token"],
    ["registry.test", "/token"],
    ["10.0.0.1:5000", "https://10.0.0.2/token"],
    ["localhost:5000", "http://127.0.0.1:5001/token"],
    ["localhost:5000", "http://[::1]:5001/token"],
    ["localhost:5000", "https://auth.test/token"]
  ]
  for (const [registry, fine] of allowed) {
    it.scoped(`but sends one of ${registry} to ${fine}`, () => {
      const { provide, requests } = network(numbered())
      return Effect.gen(function* () {
        const tokens = yield* source(user, registry)
        yield* tokens.get({ ...pull, realm: fine })
        assert.isTrue(authorizationOf(requests[0]).startsWith("Basic "))
      }).pipe(provide)
    })
  }

  it.scoped("skips the certificate's check for the registry's own host only", () => {
    const { provide, requests } = network(numbered())
    return Effect.gen(function* () {
      const tokens = yield* TokenSource.make({ host, tls: "skip-verify", credential: user })
      yield* tokens.get({ ...pull, realm: "https://registry.test/token" })
      yield* tokens.get({ ...pull, realm: "https://auth.test/token" })
      assert.deepStrictEqual(
        requests.map(({ verifyCertificate }) => verifyCertificate),
        [false, true]
      )
    }).pipe(provide)
  })

  const redirect = (location: string) => (request: RegistryRequest) =>
    request.url.pathname === "/token" ? answer(307, { location }) : json({ token: "t" })

  it.scoped("after a redirect to another host", () => {
    const { provide, requests } = network(redirect("https://elsewhere.test/token2"))
    return Effect.gen(function* () {
      const tokens = yield* source(user)
      const error = yield* Effect.flip(tokens.get(pull))
      assert.strictEqual(error._tag === "RegistryUnavailable" && error.reason, "address")
      assert.strictEqual(requests.length, 1)
    }).pipe(provide)
  })

  it.scoped("but follows a redirect on the same host", () => {
    const { provide, requests } = network(redirect("/token2/"))
    return Effect.gen(function* () {
      const tokens = yield* source(user)
      assert.strictEqual(valueOf(yield* tokens.get(pull)), "t")
      assert.strictEqual(requests[1]?.url.href, "https://auth.test/token2/")
    }).pipe(provide)
  })

  it.scoped("round in circles", () => {
    const { provide, requests } = network(redirect("/token"))
    return Effect.gen(function* () {
      const tokens = yield* source(user)
      const error = yield* Effect.flip(tokens.get(pull))
      assert.strictEqual(error._tag === "RegistryUnavailable" && error.reason, "protocol")
      assert.strictEqual(requests.length, 6)
    }).pipe(provide)
  })
})

describe("TokenSource.get fails", () => {
  const failure = (credential: Option.Option<Credential>, response: RegistryResponse) => {
    const { provide } = network(() => response)
    return Effect.flatMap(source(credential), (tokens) => Effect.flip(tokens.get(pull))).pipe(provide)
  }
  const table: ReadonlyArray<readonly [what: string, response: RegistryResponse, tag: string]> = [
    [
      "Docker Hub's wrong password",
      answer(401, {}, `{"details":"incorrect username or password"}`),
      "RegistryUnauthorized"
    ],
    ["RFC 6749's invalid grant", answer(400, {}, `{"error":"invalid_grant"}`), "RegistryUnauthorized"],
    ["a refused user", answer(403, {}, `{"errors":[{"code":"DENIED","message":"no"}]}`), "RegistryDenied"],
    ["too many requests", answer(429, { "retry-after": "7" }), "RegistryRateLimited"],
    ["a fault", answer(502, {}, "<html>Bad Gateway</html>"), "RegistryUnavailable"],
    ["no such page", answer(404, {}, "not here"), "RegistryRejected"],
    ["no token", json({ hello: "world" }), "RegistryUnavailable"],
    ["an empty token", json({ token: "" }), "RegistryUnavailable"],
    ["a token that would split a header", json({ token: "a\r\nx: y" }), "RegistryUnavailable"],
    ["no JSON", answer(200, {}, "<html>"), "RegistryUnavailable"],
    ["nothing", answer(200), "RegistryUnavailable"]
  ]
  for (const [what, response, tag] of table) {
    it.scoped(`with ${tag} for ${what}, and says who said so`, () =>
      Effect.map(failure(user, response), (error) => {
        assert.strictEqual(error._tag, tag)
        assert.include(error.message, "auth.test")
      })
    )
  }

  it.scoped("after 15 seconds of silence", () => {
    const { provide } = network(() => Effect.never)
    return Effect.gen(function* () {
      const tokens = yield* source(user)
      const waiting = yield* Effect.fork(Effect.flip(tokens.get(pull)))
      yield* TestClock.adjust("15 seconds")
      const error = yield* Fiber.join(waiting)
      assert.strictEqual(error._tag === "RegistryUnavailable" && error.reason, "timeout")
    }).pipe(provide)
  })

  it.scoped("without repeating a secret that the server has echoed", () => {
    const encoded = Encoding.encodeBase64("dev:dev-password")
    const echo = `you sent dev-password as ${encoded} to https://u:dev-password@x/y?sig=abc`
    return Effect.map(failure(user, answer(400, {}, echo)), (error) => {
      for (const secret of ["dev-password", encoded, "sig=abc"]) assert.notInclude(String(error), secret)
      assert.include(error.message, "you sent <redacted> as <redacted>")
    })
  })

  it.scoped("without repeating a refresh token, also one that was rotated", () => {
    let count = 0
    const { provide } = network(() => {
      count += 1
      return count === 1
        ? json({ access_token: "t", refresh_token: "refresh-1-of-the-server" })
        : answer(400, {}, "bad refresh-0 or refresh-1-of-the-server")
    })
    return Effect.gen(function* () {
      const tokens = yield* source(identity)
      yield* tokens.get(wanted("repository:a:pull"))
      const error = yield* Effect.flip(tokens.get(wanted("repository:b:pull")))
      assert.notInclude(error.message, "refresh-")
    }).pipe(provide)
  })

  it.scoped("for a host that is none", () =>
    Effect.gen(function* () {
      const error = yield* Effect.flip(TokenSource.make({ host: "registry.test:99999", credential: user }))
      assert.strictEqual(error.reason, "address")
    })
  )
})
