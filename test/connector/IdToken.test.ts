import { inspect } from "node:util"
import * as FileSystem from "@effect/platform/FileSystem"
import * as HttpClient from "@effect/platform/HttpClient"
import * as HttpClientError from "@effect/platform/HttpClientError"
import type * as HttpClientRequest from "@effect/platform/HttpClientRequest"
import * as HttpClientResponse from "@effect/platform/HttpClientResponse"
import * as NodeFileSystem from "@effect/platform-node/NodeFileSystem"
import { assert, describe, it } from "@effect/vitest"
import * as ConfigProvider from "effect/ConfigProvider"
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as FastCheck from "effect/FastCheck"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import { ConnectorError } from "../../src/connector/ConnectorError.ts"
import * as IdToken from "../../src/connector/IdToken.ts"

const jsonWebToken = (claims: unknown, signature = "signature") =>
  [{ alg: "RS256" }, claims].map((part) => Buffer.from(JSON.stringify(part)).toString("base64url")).join(".") +
  `.${signature}`

const asker = { connector: "aws", audience: "sts.amazonaws.com" }
const given = (text: string) => IdToken.make({ origin: "a test", get: () => Effect.succeed(Redacted.make(text)) })
const withVariables = (variables: Readonly<Record<string, string>>) =>
  Effect.withConfigProvider(ConfigProvider.fromMap(new Map(Object.entries(variables))))

const printed = (error: ConnectorError) => [error.message, error.stack, inspect(error, { depth: 9 })].join("\n")

describe("IdToken", () => {
  describe("make", () => {
    it.effect("gives the token without white space around it, and when it says that it is over", () =>
      Effect.gen(function* () {
        const text = jsonWebToken({ exp: 1_800_000_000, sub: "repo:team/app" })
        const { expiresAt, token } = yield* given(` ${text}\n`).get(asker)
        assert.strictEqual(Redacted.value(token), text)
        assert.deepStrictEqual(expiresAt, Option.some(DateTime.unsafeMake(1_800_000_000_000)))
      })
    )

    it.effect("gives no end for a token that does not say one", () =>
      Effect.gen(function* () {
        const claims = [{}, { exp: "soon" }, { exp: 1e300 }, [], "text"]
        const texts = [...claims.map((claim) => jsonWebToken(claim)), "not.json.at-all", "a.b."]
        for (const text of texts) {
          assert.isTrue(Option.isNone((yield* given(text).get(asker)).expiresAt), text)
        }
      })
    )

    it("takes no text but a JSON Web Token, never throws, and never repeats what it refused", () => {
      const part = FastCheck.oneof(FastCheck.base64String(), FastCheck.string({ unit: "binary" }))
      FastCheck.assert(
        FastCheck.property(FastCheck.array(part, { maxLength: 4 }), (parts) => {
          const result = Effect.runSync(Effect.either(given(["canary", ...parts].join(".")).get(asker)))
          if (Either.isRight(result)) return /^[\w-]+\.[\w-]+\.[\w-]*$/.test(Redacted.value(result.right.token))
          return result.left.reason === "misconfigured" && !printed(result.left).includes("canary")
        })
      )
    })

    it.effect("says whose token it is when it is none", () =>
      Effect.gen(function* () {
        for (const text of ["", "hunter2-canary", "one.two", "a.b.c.d", "a b.c.d", "a.b.c\nd"]) {
          const error = yield* Effect.flip(given(text).get(asker))
          assert.deepStrictEqual([error.connector, error.reason], ["aws", "misconfigured"])
          assert.include(error.message, "a test gave something that is no JSON Web Token")
          assert.notInclude(printed(error), "canary")
        }
      })
    )

    it.effect("asks its source again for each use", () =>
      Effect.gen(function* () {
        let uses = 0
        const source = IdToken.make({
          origin: "a test",
          get: () => Effect.sync(() => Redacted.make(jsonWebToken({ use: ++uses })))
        })
        const first = yield* source.get(asker)
        const second = yield* source.get(asker)
        assert.notStrictEqual(Redacted.value(first.token), Redacted.value(second.token))
      })
    )
  })

  describe("environment and gitlab", () => {
    const token = jsonWebToken({ exp: 1 })

    it.effect("read the variable they name", () =>
      Effect.gen(function* () {
        for (const source of [IdToken.environment("ID_TOKEN"), IdToken.gitlab("ID_TOKEN")]) {
          assert.strictEqual(Redacted.value((yield* source.get(asker)).token), token)
        }
      }).pipe(withVariables({ ID_TOKEN: token }))
    )

    it.effect("say which variable is missing, or empty, and what to do", () =>
      Effect.gen(function* () {
        const plain = yield* Effect.flip(IdToken.environment("ID_TOKEN").get(asker))
        assert.strictEqual(plain.reason, "misconfigured")
        assert.include(plain.message, "ID_TOKEN is not set")
        const job = yield* Effect.flip(IdToken.gitlab("AWS_ID_TOKEN").get(asker))
        assert.strictEqual(job.reason, "misconfigured")
        assert.include(job.message, "add `id_tokens: { AWS_ID_TOKEN: { aud: … } }` to the job")
      }).pipe(withVariables({ AWS_ID_TOKEN: "" }))
    )
  })

  describe("file", () => {
    it.scoped("reads the file again at each use, because it is rotated there", () =>
      Effect.gen(function* () {
        const files = yield* FileSystem.FileSystem
        const path = yield* files.makeTempFileScoped()
        const source = IdToken.file(path)
        for (const generation of [1, 2]) {
          const token = jsonWebToken({ generation })
          yield* files.writeFileString(path, `${token}\n`)
          assert.strictEqual(Redacted.value((yield* source.get(asker)).token), token)
        }
      }).pipe(Effect.provide(NodeFileSystem.layer))
    )

    it.effect("says which file can not be read", () =>
      Effect.gen(function* () {
        const error = yield* Effect.flip(IdToken.file("/nowhere/token").get(asker))
        assert.deepStrictEqual([error.connector, error.reason], ["aws", "misconfigured"])
        assert.include(error.message, "/nowhere/token")
      }).pipe(Effect.provide(NodeFileSystem.layer))
    )
  })

  describe("githubActions", () => {
    const token = jsonWebToken({ exp: 1_800_000_000 })
    const requestToken = "request-canary"
    const inJob = withVariables({
      ACTIONS_ID_TOKEN_REQUEST_URL: "https://run.actions.example/idtoken?api-version=2.0",
      ACTIONS_ID_TOKEN_REQUEST_TOKEN: requestToken
    })

    /** An HTTP client that records what it is asked and gives one answer. */
    const makeGithub = (answer: Response | "refused connection") => {
      const requests: Array<{ readonly url: string; readonly request: HttpClientRequest.HttpClientRequest }> = []
      const client = HttpClient.make((request, url) => {
        requests.push({ request, url: String(url) })
        return answer instanceof Response
          ? Effect.succeed(HttpClientResponse.fromWeb(request, answer))
          : Effect.fail(
              new HttpClientError.RequestError({
                request,
                reason: "Transport",
                description: `connect ECONNREFUSED with ${requestToken}`
              })
            )
      })
      return { requests, layer: Layer.succeed(HttpClient.HttpClient, client) }
    }
    const failing = (answer: Response | "refused connection") =>
      Effect.flip(IdToken.githubActions().get(asker)).pipe(Effect.provide(makeGithub(answer).layer), inJob)

    it.effect("asks for a token for the connector's audience, as the job", () =>
      Effect.gen(function* () {
        const { layer, requests } = makeGithub(Response.json({ count: 1, value: token }))
        const issued = yield* Effect.provide(IdToken.githubActions().get(asker), layer)
        assert.strictEqual(Redacted.value(issued.token), token)
        assert.deepStrictEqual(
          requests.map(({ request, url }) => [request.method, url, request.headers["authorization"]]),
          [
            [
              "GET",
              "https://run.actions.example/idtoken?api-version=2.0&audience=sts.amazonaws.com",
              `Bearer ${requestToken}`
            ]
          ]
        )
      }).pipe(inJob)
    )

    it.effect("asks for the audience it was given", () =>
      Effect.gen(function* () {
        const { layer, requests } = makeGithub(Response.json({ value: token }))
        yield* Effect.provide(IdToken.githubActions({ audience: "https://a b/&c" }).get(asker), layer)
        assert.deepStrictEqual(
          requests.map(({ url }) => new URL(url).searchParams.get("audience")),
          ["https://a b/&c"]
        )
      }).pipe(inJob)
    )

    it.effect("says which permission the workflow lacks, without a request", () =>
      Effect.gen(function* () {
        const { layer, requests } = makeGithub(Response.json({}))
        const error = yield* Effect.flip(Effect.provide(IdToken.githubActions().get(asker), layer))
        assert.strictEqual(error.reason, "misconfigured")
        assert.include(error.message, "`permissions: id-token: write`")
        assert.isEmpty(requests)
      }).pipe(withVariables({ ACTIONS_ID_TOKEN_REQUEST_URL: "https://run.actions.example/idtoken" }))
    )

    it.effect("tells a refusal from a fault, and repeats neither the job's token nor the query", () =>
      Effect.gen(function* () {
        const answers: ReadonlyArray<readonly [Response | "refused connection", string]> = [
          [new Response(requestToken, { status: 401 }), "denied"],
          [new Response(requestToken, { status: 403 }), "denied"],
          [new Response(requestToken, { status: 429 }), "unavailable"],
          [new Response(requestToken, { status: 503 }), "unavailable"],
          [new Response(`<html>${requestToken}`), "unavailable"],
          [Response.json({ token: requestToken }), "unavailable"],
          [Response.json({ value: { requestToken } }), "unavailable"],
          ["refused connection", "unavailable"]
        ]
        for (const [answer, reason] of answers) {
          const error = yield* failing(answer)
          assert.instanceOf(error, ConnectorError)
          assert.strictEqual(error.reason, reason)
          assert.notInclude(printed(error), requestToken)
          assert.notInclude(printed(error), "api-version")
        }
      })
    )
  })
})
