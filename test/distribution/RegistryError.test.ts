import { assert, describe, it } from "@effect/vitest"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Encoding from "effect/Encoding"
import * as FastCheck from "effect/FastCheck"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as TestClock from "effect/TestClock"
import { usernamePassword } from "../../src/credential/Credential.ts"
import * as RegistryClient from "../../src/distribution/RegistryClient.ts"
import type { RegistryError } from "../../src/distribution/RegistryError.ts"
import type { RegistryResponse } from "../../src/distribution/RegistryHttp.ts"
import { MediaType } from "../../src/image/Manifest.ts"
import { answer, authorizationOf, bytes, network } from "./support.ts"

const host = "registry.test"
const credential = Option.some(usernamePassword({ host, username: "dev", password: Redacted.make("dev-password") }))

/** What storing a manifest under the tag `v1` fails with when the registry answers so. */
const refused = (response: RegistryResponse): Effect.Effect<RegistryError> => {
  const { provide } = network((request) =>
    authorizationOf(request) === "" ? answer(401, { "www-authenticate": `Basic realm="r"` }) : response
  )
  return Effect.gen(function* () {
    const client = yield* RegistryClient.make({ host, credential })
    const manifest = { mediaType: MediaType.ociManifest, body: bytes("{}") }
    return yield* Effect.flip(client.putManifest("acme/app", "v1", manifest))
  }).pipe(
    Effect.orDieWith(() => "it was not refused"),
    Effect.scoped,
    provide
  )
}

const coded = (status: number, code: string, message: string) =>
  answer(status, { "content-type": "application/json" }, JSON.stringify({ errors: [{ code, message, detail: null }] }))

const summary = (error: RegistryError): string =>
  error._tag === "RegistryUnavailable" || error._tag === "ManifestRejected"
    ? `${error._tag} ${error.reason}`
    : error._tag

const ECR_EXPIRED = "Your authorization token has expired. Reauthenticate and try again."
const ECR_IMMUTABLE =
  "The image tag 'v1' already exists in the 'x' repository and cannot be overwritten because the tag is immutable."
const ECR_IMMUTABLE_OLD =
  "The image tag 'v1' already exists in the 'x' repository and cannot be overwritten because the repository is immutable."
const GAR_IMMUTABLE = "cannot update tag v1. The repository has enabled tag immutability"
const HARBOR_IMMUTABLE = "Failed to process request due to 'x:v1' configured as immutable."
const ACR_LOCKED = "The operation is disallowed on this registry, repository or image. View troubleshooting steps."

// Texts as reference/engine.md section 5 and reference/auth.md section 5 have them.
const table: ReadonlyArray<readonly [what: string, response: RegistryResponse, expected: string]> = [
  ["401", coded(401, "UNAUTHORIZED", "authentication required"), "RegistryUnauthorized"],
  ["401 without a word", answer(401), "RegistryUnauthorized"],
  [
    "401 for lack of a right",
    answer(401, { "www-authenticate": `Basic realm="r",error="insufficient_scope"` }),
    "RegistryDenied"
  ],
  ["401 DENIED", coded(401, "DENIED", "requested access to the resource is denied"), "RegistryDenied"],
  ["403", coded(403, "DENIED", "requested access to the resource is denied"), "RegistryDenied"],
  ["403 without a word", answer(403), "RegistryDenied"],
  ["403 page", answer(403, { "content-type": "text/html" }, "<html>Forbidden</html>"), "RegistryDenied"],
  ["ECR's expired login", answer(403, { "content-type": "text/plain" }, ECR_EXPIRED), "RegistryUnauthorized"],
  [
    "a right denied to a repository called after ECR's wording",
    coded(403, "DENIED", `x ${ECR_EXPIRED}`),
    "RegistryDenied"
  ],
  ["no repository", coded(404, "NAME_UNKNOWN", "The repository with name 'x' does not exist"), "RepositoryNotFound"],
  ["no project in Harbor", coded(404, "NOT_FOUND", "project x not found"), "RepositoryNotFound"],
  ["404 without a word", answer(404), "RegistryRejected"],
  ["404 of another kind", coded(404, "NOT_FOUND", "artifact x not found"), "RegistryRejected"],
  ["immutable tag, ECR", coded(400, "TAG_INVALID", ECR_IMMUTABLE), "TagImmutable"],
  ["immutable tag, ECR until 2025", coded(400, "TAG_INVALID", ECR_IMMUTABLE_OLD), "TagImmutable"],
  ["immutable tag, Artifact Registry", coded(400, "MANIFEST_INVALID", GAR_IMMUTABLE), "TagImmutable"],
  ["immutable tag, Harbor", coded(412, "PRECONDITION", HARBOR_IMMUTABLE), "TagImmutable"],
  [
    "no repository called immutable",
    coded(404, "NAME_UNKNOWN", "repository name 'immutable' not known"),
    "RepositoryNotFound"
  ],
  ["a lock, ACR", answer(405, {}, JSON.stringify({ errors: [{ message: ACR_LOCKED }] })), "RegistryDenied"],
  ["405", coded(405, "UNSUPPORTED", "The operation is unsupported."), "RegistryRejected"],
  ["a bad manifest", coded(400, "MANIFEST_INVALID", "manifest invalid"), "ManifestRejected invalid"],
  [
    "an unsigned manifest",
    coded(400, "MANIFEST_UNVERIFIED", "manifest failed verification"),
    "ManifestRejected invalid"
  ],
  ["an unknown blob", coded(404, "MANIFEST_BLOB_UNKNOWN", "blob unknown to registry"), "ManifestRejected blob-unknown"],
  ["a bad tag", coded(400, "TAG_INVALID", "manifest tag did not match URI"), "ManifestRejected tag-invalid"],
  ["a long manifest", answer(413, {}, "<html>413 Request Entity Too Large</html>"), "ManifestRejected too-large"],
  ["too many requests", coded(429, "TOOMANYREQUESTS", "Rate exceeded"), "RegistryRateLimited"],
  ["429 text", answer(429, {}, "slow down"), "RegistryRateLimited"],
  ["too many requests under another status", coded(403, "TOOMANYREQUESTS", "quota"), "RegistryRateLimited"],
  ["408", answer(408), "RegistryUnavailable status"],
  ["500", coded(500, "UNKNOWN", "unknown error"), "RegistryUnavailable status"],
  ["502 page", answer(502, {}, "<html>Bad Gateway</html>"), "RegistryUnavailable status"],
  ["503", coded(503, "UNAVAILABLE", "unavailable"), "RegistryUnavailable status"],
  ["Cloudflare's 522", answer(522), "RegistryUnavailable status"],
  ["501", answer(501), "RegistryRejected"],
  ["a proxy that wants a login", answer(407), "RegistryUnavailable proxy"],
  [
    "HTTP to a TLS port",
    answer(400, {}, "Client sent an HTTP request to an HTTPS server.\n"),
    "RegistryUnavailable protocol"
  ],
  ["a name it does not like", coded(400, "NAME_INVALID", "invalid repository name"), "RegistryRejected"],
  ["a code nobody knows", coded(422, "POTATO", "no"), "RegistryRejected"],
  ["a redirect of a write", answer(307, { location: "/elsewhere" }), "RegistryRejected"],
  ["a repository called denied that is refused for no known reason", coded(400, "X", "denied: 429"), "RegistryRejected"]
]

describe("A registry's refusal", () => {
  for (const [what, response, expected] of table) {
    it.effect(`${what}: ${expected}`, () =>
      Effect.map(refused(response), (error) => {
        assert.strictEqual(summary(error), expected)
        assert.strictEqual("repository" in error && error.repository, "acme/app")
        assert.include(error.message, "registry.test")
        if ("status" in error) assert.strictEqual(error.status, response.status)
      })
    )
  }

  const texts: ReadonlyArray<readonly [what: string, body: string, expected: string]> = [
    ["every message", `{"errors":[{"code":"A","message":"one"},{"code":"B","message":"two"}]}`, "one; two"],
    ["the code where there is no message", `{"errors":[{"code":"A"},{"code":"B","message":""}]}`, "A; B"],
    ["a number for a code", `{"errors":[{"code":7,"message":null}]}`, "7"],
    ["OAuth's words", `{"error":"server_error","error_description":"try again"}`, "try again"],
    ["a page without its markup", `<html><title>Not here</title> <p class="x">Go away</p></html>`, "Not here Go away"],
    ["plain text", " not\r\n\tnow ", "not now"],
    ["other JSON as it is", `{"hello":"world"}`, ""],
    ["nothing", "", ""]
  ]
  for (const [what, body, expected] of texts) {
    it.effect(`is told in the registry's words: ${what}`, () =>
      Effect.map(refused(answer(400, {}, body)), (error) => assert.strictEqual("text" in error && error.text, expected))
    )
  }

  it.effect("is told in at most 2,000 characters", () =>
    Effect.map(refused(answer(400, {}, "x".repeat(60_000))), (error) =>
      assert.strictEqual("text" in error && error.text.length, 2000)
    )
  )

  const START = "2026-03-01T12:00:00Z"
  const delays: ReadonlyArray<readonly [value: string, seconds: number | undefined]> = [
    ["120", 120],
    ["0", 0],
    [" 7 ", 7],
    ["Sun, 01 Mar 2026 12:01:30 GMT", 90],
    ["Sunday, 01-Mar-26 12:01:30 GMT", 90],
    ["Sun, 01 Mar 2026 11:00:00 GMT", 0],
    ["1.5", undefined],
    ["-3", undefined],
    ["soon", undefined],
    ["Someday, maybe", undefined],
    ["99999999999999999999", undefined]
  ]
  for (const status of [429, 503]) {
    for (const [value, seconds] of delays) {
      it.effect(`${status} with Retry-After "${value}" asks for ${seconds ?? "no"} seconds`, () =>
        Effect.gen(function* () {
          yield* TestClock.setTime(Date.parse(START))
          const error = yield* refused(answer(status, { "retry-after": value }))
          assert.strictEqual(error._tag, status === 429 ? "RegistryRateLimited" : "RegistryUnavailable")
          const delay = "retryAfter" in error ? error.retryAfter : undefined
          assert.strictEqual(delay && Duration.toSeconds(delay), seconds)
        })
      )
    }
  }

  it.effect("names the tag that can not move", () =>
    Effect.map(refused(coded(400, "TAG_INVALID", ECR_IMMUTABLE)), (error) => {
      assert.strictEqual(error._tag === "TagImmutable" && error.tag, "v1")
    })
  )

  it.effect("repeats no query, no user, no token and nothing that was sent", () =>
    Effect.gen(function* () {
      const basic = Encoding.encodeBase64("dev:dev-password")
      const jwt = "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJkZXYifQ.c2lnbmF0dXJl"
      const words = `see https://me:pw@x.test/a?sig=s1g then /v2/up?_state=st4te got ${basic} and dev-password and Bearer ${jwt} or ${jwt}`
      const error = yield* refused(answer(400, {}, words))
      for (const secret of ["pw@", "s1g", "st4te", basic, "dev-password", "eyJ"]) {
        assert.notInclude(String(error), secret)
        assert.notInclude(JSON.stringify(error), secret)
      }
      assert.include(error.message, "see https://x.test/a?<redacted> then /v2/up?<redacted>")
    })
  )

  it.effect("is a typed error whatever the registry answers", () =>
    Effect.promise(() =>
      FastCheck.assert(
        FastCheck.asyncProperty(
          FastCheck.integer({ min: 300, max: 599 }),
          FastCheck.oneof(
            FastCheck.string(),
            FastCheck.json(),
            FastCheck.json().map((value) => `{"errors":[${value}]}`)
          ),
          FastCheck.string({ maxLength: 40 }),
          async (status, body, header) => {
            const response = answer(status, { "retry-after": header, "www-authenticate": header }, body)
            const error = await Effect.runPromise(refused(response))
            assert.match(error._tag, /^(Registry|Repository|Tag|Manifest|Digest)/)
          }
        ),
        { numRuns: 50 }
      )
    )
  )
})
