import { assert, describe, it } from "@effect/vitest"
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as FastCheck from "effect/FastCheck"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as TestClock from "effect/TestClock"
import * as Credential from "../../src/credential/Credential.ts"
import { readTokenAnswer, standIn } from "../../src/distribution/internal/tokenAnswer.ts"
import * as RegistryClient from "../../src/distribution/RegistryClient.ts"
import { RegistryUnavailable } from "../../src/distribution/RegistryError.ts"
import * as RegistryHttp from "../../src/distribution/RegistryHttp.ts"
import { Recorder } from "../../src/transcript/Recorder.ts"
import * as Canary from "../live/support/canary.ts"
import { recorder } from "../transcript/support.ts"

const host = "reg.example.com"
const canaries = { secret: Canary.make("secret"), token: Canary.make("token").replace(/[^\w-]/g, "") }

const request = (options: Partial<RegistryHttp.RegistryRequest> & { readonly path?: string } = {}) => ({
  registry: host,
  method: "GET" as const,
  url: new URL(options.path ?? "/v2/", `https://${host}`),
  headers: {},
  authorization: undefined,
  body: undefined,
  verifyCertificate: true,
  maximumBody: 1024 * 1024,
  ...options
})

const response = (
  options: Partial<Omit<RegistryHttp.RegistryResponse, "body">> & { readonly body?: string } = {}
): RegistryHttp.RegistryResponse => ({
  status: 200,
  headers: {},
  truncated: false,
  ...options,
  body: new TextEncoder().encode(options.body ?? "")
})

type Answer = Effect.Effect<RegistryHttp.RegistryResponse, RegistryUnavailable>

/** What the transcript has of these exchanges, answered in their order. */
const recorded = (...exchanges: ReadonlyArray<readonly [RegistryHttp.RegistryRequest, Answer]>) => {
  const { file, layer } = recorder()
  let answers = exchanges.map(([, answer]) => answer)
  const network = Layer.succeed(RegistryHttp.RegistryHttp, {
    request: () =>
      Effect.suspend(() => {
        const [next = Effect.never, ...rest] = answers
        answers = rest
        return next
      })
  })
  return Effect.gen(function* () {
    const http = yield* RegistryHttp.RegistryHttp
    for (const [asked, answer] of exchanges) {
      assert.deepStrictEqual(yield* Effect.exit(http.request(asked)), yield* Effect.exit(answer), "nothing is changed")
    }
    yield* Effect.flatMap(Recorder, ({ finish }) => finish)
    return file.text
  }).pipe(Effect.provide(RegistryHttp.layerRecording.pipe(Layer.provide(network), Layer.provideMerge(layer))))
}

const answersIn = (text: string) =>
  text
    .split("\n")
    .filter((line) => line.includes(`"Answered"`))
    .map((line) => JSON.parse(line).answer)

const basic = (secret: string) => Redacted.make(`Basic ${Buffer.from(`dev:${secret}`).toString("base64")}`)

/** Each writing of a secret that a server may give back. */
const writings = (secret: string): Readonly<Record<string, string>> => ({
  "as it is": secret,
  "as JSON": JSON.stringify({ said: secret }),
  "as JSON in JSON": JSON.stringify({ said: JSON.stringify({ said: secret }) }),
  "in a URL": `https://${host}/x?y=${encodeURIComponent(secret)} and /z/${encodeURIComponent(secret)}`,
  "in a form": new URLSearchParams({ x: secret }).toString(),
  "as Basic has it": Buffer.from(`dev:${secret}`).toString("base64"),
  "in base64": Buffer.from(secret).toString("base64"),
  "in base64 for URLs": Buffer.from(`dev:${secret}`).toString("base64url"),
  "as a user of a URL": `https://dev:${encodeURIComponent(secret)}@${host}/`
})

describe("a registry's transcript", () => {
  for (const [writing, said] of Object.entries(writings(canaries.secret))) {
    it.effect(`has no credential that the registry repeats ${writing}`, () =>
      Effect.gen(function* () {
        const authorization = basic(canaries.secret)
        const text = yield* recorded(
          [request({ authorization }), Effect.succeed(response({ status: 403, body: said }))],
          [request({ authorization }), Effect.succeed(response({ body: `<p>${said}</p>` }))],
          // Another request repeats it too, and headers, and errors.
          [request({ path: "/v2/app/manifests/1" }), Effect.succeed(response({ body: said }))],
          [
            request(),
            Effect.succeed(response({ status: 401, headers: { "www-authenticate": [said], location: [said] } }))
          ],
          [request(), Effect.fail(new RegistryUnavailable({ registry: host, reason: "reset", text: said }))]
        )
        assert.strictEqual(text.split("\n").length, 12)
        assert.deepStrictEqual(Canary.leaksIn(text, { secret: canaries.secret }), [])
      })
    )
  }

  const awkward: Readonly<Record<string, readonly [secret: string, said: (secret: string) => string]>> = {
    "has several lines": [
      `{\n  "type": "service_account",\n  "private_key": "k3y-of-it"\n}`,
      (secret) => `no: ${secret}`
    ],
    "has a question mark": ["hunter2?xyzzy!", (secret) => `/login/${secret} is wrong`],
    "has a number sign": ["hunter2#xyzzy!", (secret) => `/login/${secret} is wrong`],
    "has brackets": ["hunter2<b>xyzzy!", (secret) => `<p>${secret} is wrong</p>`],
    "stands where a text is cut": ["hunter2-and-xyzzy", (secret) => `${"x".repeat(1990)}${secret}`],
    "stands where a text of blanks is cut": ["hunter2-and-xyzzy", (secret) => `${" ".repeat(65_530)}${secret}`]
  }
  for (const [what, [secret, said]] of Object.entries(awkward)) {
    it.effect(`has nothing of a credential that ${what}`, () =>
      Effect.gen(function* () {
        const authorization = basic(secret)
        const words = said(secret)
        const refused = (body: string) => Effect.succeed(response({ status: 403, body }))
        const text = yield* recorded(
          [request({ authorization }), refused(words)],
          [request({ authorization }), refused(JSON.stringify({ errors: [{ code: "DENIED", message: words }] }))],
          [request(), Effect.succeed(response({ status: 302, headers: { location: [words], link: [`<${words}>`] } }))],
          [request(), Effect.fail(new RegistryUnavailable({ registry: host, reason: "reset", text: words }))]
        )
        assert.strictEqual(text.split("\n").length, 10)
        for (const part of ["hunter", "xyzzy", "service_account", "k3y"]) assert.notInclude(text, part)
      })
    )
  }

  const issued: Readonly<Record<string, string>> = {
    "in a form": "access_token=gho_opaque&scope=repo",
    "in JSON that is cut": `{"token":"gho_opaque","access_tok`,
    "as a text of JSON": `"gho_opaque"`,
    "in a page": "<p>gho_opaque</p>",
    "in an object": `{"result":{"token":{"value":"gho_opaque"}}}`,
    "in a list": `{"tokens":["gho_opaque"]}`,
    "as a number": `{"secret":[{"n":9115}]}`
  }
  for (const [where, body] of Object.entries(issued)) {
    it.effect(`has no token that is issued ${where}`, () =>
      Effect.gen(function* () {
        const text = yield* recorded(
          [request({ path: "/token" }), Effect.succeed(response({ body }))],
          [request({ path: "/v2/app/manifests/1" }), Effect.succeed(response({ body: `${body}}` }))],
          [request(), Effect.succeed(response({ status: 307, body }))]
        )
        assert.strictEqual(answersIn(text).length, 3)
        assert.notMatch(text, /gho_|9115/)
      })
    )
  }

  it.effect("keeps what an answer without a token is, so that it is none when it is played", () =>
    Effect.gen(function* () {
      const bodies = [`{"token":{"value":"opaque"}}`, `{"token":null}`, `{"token":["opaque"]}`, "<html></html>"]
      const text = yield* recorded(
        ...bodies.map((body) => [request({ path: "/token" }), Effect.succeed(response({ body }))] as const)
      )
      const kept = answersIn(text).map(({ body }): string => body)
      assert.deepStrictEqual(
        kept.map((body) => Option.isSome(readTokenAnswer(body, 0))),
        [false, false, false, false]
      )
      assert.match(kept[3] ?? "", /^</)
    })
  )

  it.effect("ends before an answer that can not be written, and changes nothing of it", () =>
    Effect.gen(function* () {
      const text = yield* recorded(
        [request(), Effect.succeed(response({ status: 403, body: "[".repeat(20_000) + "]".repeat(20_000) }))],
        [request(), Effect.succeed(response())]
      )
      assert.deepStrictEqual(answersIn(text), [])
    })
  )

  it.effect("has no query of a URL in the words of somebody's own network", () =>
    Effect.gen(function* () {
      const words = `no route to https://x.test/y?sig=${canaries.token}`
      const text = yield* recorded([
        request(),
        Effect.fail(new RegistryUnavailable({ registry: host, reason: "reset", text: words }))
      ])
      assert.include(text, "no route to https://x.test/y?sig=redacted")
    })
  )

  it.effect(
    "has no token: not the one that is exchanged, not those that are issued, and nothing of what they hold",
    () =>
      Effect.gen(function* () {
        const jwt = `eyJhbGciOiJub25lIn0.${Buffer.from(JSON.stringify({ exp: 300, sub: canaries.token })).toString("base64url")}.c2ln`
        const form = new URLSearchParams({ grant_type: "refresh_token", refresh_token: canaries.secret }).toString()
        const text = yield* recorded(
          [
            request({
              method: "POST",
              path: "/token",
              headers: { "content-type": "application/x-www-form-urlencoded" },
              body: Redacted.make(new TextEncoder().encode(form))
            }),
            Effect.succeed(
              response({ body: JSON.stringify({ token: jwt, refresh_token: canaries.token, id_token: "other" }) })
            )
          ],
          [
            request({ authorization: Redacted.make(`Bearer ${jwt}`) }),
            Effect.succeed(response({ status: 401, body: `${jwt} ${canaries.token} ${canaries.secret}` }))
          ]
        )
        assert.deepStrictEqual(Canary.leaksIn(text, canaries), [])
        assert.notInclude(text, "eyJ")
        assert.deepStrictEqual(Object.keys(JSON.parse(answersIn(text)[0].body)), [
          "token",
          "expires_in",
          "refresh_token"
        ])
      })
  )

  it.effect("has no cookie, and of a URL no session, no signature and no fragment", () =>
    Effect.gen(function* () {
      const location = `/v2/app/blobs/uploads/1?_state=${canaries.token}&digest=sha256:ab#${canaries.token}`
      const text = yield* recorded(
        [
          request({ method: "POST", path: "/v2/app/blobs/uploads/" }),
          Effect.succeed(
            response({
              status: 202,
              headers: {
                location: [location],
                link: [`</v2/app/tags/list?n=2&last=b&next_page=${canaries.token}>; rel="next"`],
                "set-cookie": [`session=${canaries.token}`],
                "x-request-id": [canaries.token]
              }
            })
          )
        ],
        [request({ method: "DELETE", path: location }), Effect.succeed(response({ status: 204 }))]
      )
      assert.deepStrictEqual(Canary.leaksIn(text, canaries), [])
      assert.deepStrictEqual(answersIn(text)[0].headers, {
        link: [`</v2/app/tags/list?n=2&last=b&next_page=redacted>; rel="next"`],
        location: ["/v2/app/blobs/uploads/1?_state=redacted&digest=sha256:ab"]
      })
      assert.include(text, `"DELETE https://${host}/v2/app/blobs/uploads/1?_state=redacted&digest=sha256:ab"`)
    })
  )

  it.effect("has a Retry-After that is a date as the seconds that it was away", () =>
    Effect.gen(function* () {
      yield* TestClock.setTime(DateTime.unsafeMake("2026-01-02T03:04:05.500Z").epochMillis)
      const text = yield* recorded(
        ...["Fri, 02 Jan 2026 03:04:12 GMT", "120", "soon", "-1", "Fri, 02 Jan 2026 03:00:00 GMT"].map(
          (value) =>
            [request(), Effect.succeed(response({ status: 429, headers: { "retry-after": [value] } }))] as const
        )
      )
      assert.deepStrictEqual(
        answersIn(text).map(({ headers }) => headers["retry-after"][0]),
        ["7", "120", "soon", "-1", "0"]
      )
    })
  )

  it.effect("has a manifest byte for byte, for its digest is checked when it is played", () =>
    Effect.gen(function* () {
      const body = `{\n  "schemaVersion": 2,\t"annotations": {"org.opencontainers.image.source": "https://x.test/?a=b#c"}}\n`
      const text = yield* recorded([request({ path: "/v2/app/manifests/1" }), Effect.succeed(response({ body }))])
      assert.strictEqual(answersIn(text)[0].body, body)
    })
  )

  it("lets a stand-in for a token live as long and allow as much", () => {
    const scope = FastCheck.constantFrom("repository:app:pull,push", "repository:a/b:pull", "registry:catalog:*")
    const answers = FastCheck.record(
      {
        token: FastCheck.constant("opaque"),
        expires_in: FastCheck.integer({ min: 1, max: 100_000 }),
        issued_at: FastCheck.constantFrom("1970-01-01T00:00:00Z", "2000-01-01T00:00:00Z"),
        scope,
        refresh_token: FastCheck.constant("secret")
      },
      { requiredKeys: ["token"] }
    )
    FastCheck.assert(
      FastCheck.property(answers, (answer) => {
        const body = JSON.stringify(answer)
        const read = (text: string) => {
          const { refreshToken, token } = Option.getOrThrow(readTokenAnswer(text, 60_000))
          return [token.renewAt, token.granted, Option.isSome(refreshToken)]
        }
        assert.deepStrictEqual(read(JSON.stringify(Option.getOrThrow(standIn(body, 60_000)))), read(body))
      })
    )
  })

  it.effect("tells whether a request was authorized, and how", () =>
    Effect.gen(function* () {
      const text = yield* recorded(
        [request(), Effect.succeed(response({ status: 401 }))],
        [request({ authorization: basic("hunter2") }), Effect.succeed(response())]
      )
      assert.include(text, `"GET https://${host}/v2/"`)
      assert.include(text, `"GET https://${host}/v2/ with Basic"`)
    })
  )
})

describe("RegistryHttp.layerRecording", () => {
  it.effect("stands between the protocol's client and the network", () =>
    Effect.gen(function* () {
      const { file, layer } = recorder()
      const credential = Credential.usernamePassword({ host, username: "dev", password: Redacted.make("hunter2") })
      const network = Layer.succeed(RegistryHttp.RegistryHttp, { request: () => Effect.succeed(response()) })
      yield* Effect.gen(function* () {
        const client = yield* RegistryClient.make({ host, credential: Option.some(credential) })
        yield* client.ping
      }).pipe(
        Effect.scoped,
        Effect.provide(RegistryHttp.layerRecording.pipe(Layer.provide(network), Layer.provide(layer)))
      )
      assert.include(file.text, `"GET https://${host}/v2/"`)
    })
  )
})
